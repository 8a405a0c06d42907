// @ts-check
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freePort } from "../free-port.mjs";
import { HOST } from "./proxy.mjs";

export const PEERS = fileURLToPath(new URL("../peers/", import.meta.url));

/**
 * A proxy built with Node.js from a package of the npm registry: a script in bench/peers that is told address, servers
 * and TLS.
 * @param {string} id of the script too
 * @param {string | undefined} packageName undefined: only Node.js itself
 * @returns {import("./proxy.mjs").Proxy}
 */
function peer(id, packageName) {
  return {
    id,
    title: packageName ?? "node:http alone",
    set: "npm",
    needs: packageName === undefined ? [] : [{ path: `${PEERS}node_modules/${packageName}`, debian: "npm" }],
    version: () => (packageName === undefined ? process.version : versionOf(packageName)),
    prepare: async ({ servers, tls }) => {
      const port = await freePort(HOST);
      const options = JSON.stringify({ host: HOST, port, servers, tls });
      return { command: process.execPath, args: [`${PEERS}${id}.mjs`, options], port };
    },
  };
}

/** @param {string} packageName */
function versionOf(packageName) {
  const text = readFileSync(`${PEERS}node_modules/${packageName}/package.json`, "utf8");
  return /** @type {{ version: string }} */ (JSON.parse(text)).version;
}

/** @type {readonly import("./proxy.mjs").Proxy[]} */
export const NPM_PROXIES = [
  peer("node-http", undefined),
  peer("undici", "undici"),
  peer("http-proxy", "http-proxy"),
  peer("http-proxy-3", "http-proxy-3"),
  peer("httpxy", "httpxy"),
  peer("fast-proxy", "fast-proxy"),
  peer("fastify-reply-from", "@fastify/reply-from"),
];
