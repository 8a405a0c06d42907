// @ts-check
// What one call of each piece of the request path allocates, in bytes: one line of JSON. Run by allocations.test.ts as
// node --expose-gc --min-semi-space-size=64 --max-semi-space-size=64 pieces.mjs, so that nothing is collected meanwhile.
import { parseAppDocument } from "../../dist/config/app-document.js";
import { compileApp } from "../../dist/config/compile-app.js";
import { newHealth } from "../../dist/core/health.js";
import { Pool } from "../../dist/core/pool.js";
import { select } from "../../dist/core/select.js";
import { DEFAULT_HEAD_LIMITS } from "../../dist/http1/limits.js";
import { RequestHead } from "../../dist/http1/request-head.js";
import { ResponseHead } from "../../dist/http1/response-head.js";
import { bytesPerCall } from "./bytes-per-call.mjs";

const REQUEST = Buffer.from(
  "GET /products/42?from=list HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n" +
    "Accept: text/html,application/xhtml+xml\r\nAccept-Language: en,de;q=0.5\r\nAccept-Encoding: gzip, br\r\n" +
    "Referer: https://shop.example.com/list\r\nCookie: session=0123456789abcdef; theme=dark\r\nDNT: 1\r\n" +
    "Connection: keep-alive\r\nCache-Control: no-cache\r\nSec-Fetch-Mode: navigate\r\n\r\n",
);
const RESPONSE = Buffer.from(
  "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 4096\r\nServer: demo\r\n" +
    'Date: Wed, 25 Nov 2026 10:00:00 GMT\r\nETag: "abc"\r\nCache-Control: private\r\nVary: Accept-Encoding\r\n' +
    "Set-Cookie: a=b; Path=/\r\nX-Frame-Options: DENY\r\n\r\n",
);

/** @param {number} size */
function app(size, more = {}) {
  const servers = Array.from({ length: size }, (_, i) => `10.${i >> 8}.${i & 255}.1:80`);
  const parsed = parseAppDocument({
    name: "shop",
    groups: { group1: { servers: servers.slice(size / 2) }, group2: { servers: servers.slice(0, size / 2) } },
    ...more,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  return compileApp(parsed.value, 1);
}

/** @param {number} size @param {"roundRobin" | "leastConnections" | "hash"} balance */
function pool(size, balance) {
  const { groups } = app(size);
  const members = groups
    .flatMap(({ servers }) => servers)
    .map((server, i) => ({
      server: { ...server, weight: 1 + (i % 3) },
      health: newHealth(EPOCH),
      inFlight: 0,
    }));
  const made = new Pool(members, balance, EPOCH);
  return () => void made.pick(1000, "198.51.100.7", NOBODY);
}

const EPOCH = { value: 0 };
/** @type {never[]} */
const NOBODY = [];
const request = new RequestHead(DEFAULT_HEAD_LIMITS);
const response = new ResponseHead(DEFAULT_HEAD_LIMITS);
const client = {
  address: "198.51.100.7",
  header: () => undefined,
  cookie: () => undefined,
  certificate: () => NOBODY,
};
const everybody = app(4);
const shared = app(4, { deploy: 2, share: 20, testers: ["192.0.2.0/24"] });

const pieces = {
  "request head": () => void request.parse(REQUEST, 0, REQUEST.length),
  "response head": () => void response.parse(RESPONSE, 0, RESPONSE.length),
  "selection, nothing under test": () => void select(everybody, client),
  "selection by share": () => void select(shared, client),
  "round robin, 4 servers": pool(4, "roundRobin"),
  "round robin, 1000 servers": pool(1000, "roundRobin"),
  "least connections, 1000 servers": pool(1000, "leastConnections"),
  "hash, 1000 servers": pool(1000, "hash"),
};
const result = Object.fromEntries(Object.entries(pieces).map(([name, piece]) => [name, bytesPerCall(piece)]));
process.stdout.write(`${JSON.stringify(result)}\n`);
