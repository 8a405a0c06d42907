// @ts-check
// What every peer does alike: turns of the servers, fields for them, the listener.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";

/**
 * @typedef {object} PeerOptions
 * @property {string} host
 * @property {number} port
 * @property {readonly string[]} servers address and port
 * @property {{ cert: string, key: string }} [tls] files
 */
export const options = /** @type {PeerOptions} */ (JSON.parse(process.argv[2] ?? "{}"));

const proto = options.tls === undefined ? "http" : "https";
const origins = options.servers.map((server) => `http://${server}`);
let turn = 0;

/** The server whose turn it is, as an origin. */
export function nextOrigin() {
  turn = (turn + 1) % origins.length;
  return origins[turn];
}

/**
 * Sets what nginx and Halftone send too, in a request's own header or a copy.
 * @param {import("node:http").IncomingHttpHeaders} headers
 * @param {import("node:http").IncomingMessage} request
 */
export function setForwarding(headers, request) {
  headers["x-forwarded-for"] = request.socket.remoteAddress;
  headers["x-forwarded-proto"] = proto;
  headers["x-forwarded-host"] = request.headers.host;
  headers["x-request-id"] = randomUUID();
  return headers;
}

/** Fields that mean one connection only: they are not passed on. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/**
 * @param {import("node:http").IncomingHttpHeaders} headers
 * @returns {import("node:http").IncomingHttpHeaders} a copy
 */
export function endToEnd(headers) {
  const copy = { ...headers };
  for (const name of HOP_BY_HOP) delete copy[name];
  return copy;
}

/** As many connections to the servers as are needed, kept. */
export function keepingAgent() {
  return new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 4096, scheduling: "lifo" });
}

export function tlsFiles() {
  const { tls } = options;
  if (tls === undefined) return undefined;
  return {
    cert: readFileSync(tls.cert),
    key: readFileSync(tls.key),
    minVersion: /** @type {const} */ ("TLSv1.3"),
  };
}

/** @param {import("node:http").RequestListener} onRequest */
export function listen(onRequest) {
  const secure = tlsFiles();
  const server = secure === undefined ? createServer(onRequest) : createSecureServer(secure, onRequest);
  // As long as the others keep an idle client.
  server.keepAliveTimeout = 75_000;
  server.listen({ host: options.host, port: options.port, backlog: 4096 });
}

/**
 * @param {import("node:http").ServerResponse} response
 * @param {unknown} error
 */
export function fail(response, error) {
  process.stderr.write(`${String(error)}\n`);
  if (response.headersSent) response.destroy();
  else response.writeHead(502).end();
}
