// @ts-check
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.mjs";
import { NGINX_TEMPORARY_PATHS, nginxArguments, nginxPreamble } from "./nginx-conf.mjs";

const ADDRESSES = ["127.0.4.1", "127.0.4.2"];

/** What every measured request is answered with that asks for nothing large. */
export const BODY = "halftone ".repeat(12).slice(0, 100);
const KIB = 1024;
export const HEADS_BYTES = 4 * KIB;
export const CHUNKED_BYTES = 16 * KIB;
export const LARGE_BYTES = KIB * KIB;
export const HUGE_BYTES = 64 * KIB * KIB;

/** Fields that `/heads` is answered with besides the five that nginx sends anyway. */
const FIELDS = {
  "Cache-Control": "private, max-age=0, must-revalidate",
  ETag: '\\"5f2b-61b3a7d0c4e80\\"',
  Vary: "Accept-Encoding, Cookie",
  "Set-Cookie": "session=8f14e45fceea167a5a36dedd4bea2543; Path=/; Secure; HttpOnly; SameSite=Lax",
  "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Content-Security-Policy": "default-src 'self'; img-src 'self' data:",
  "Referrer-Policy": "strict-origin-when-cross-origin",
  "Server-Timing": "app;dur=12.4",
};
/** Their names. */
export const ANSWER_FIELDS = Object.keys(FIELDS);

/**
 * @typedef {object} Upstreams
 * @property {readonly string[]} servers their addresses, with port
 * @property {readonly string[]} many addresses of the first one, if they were wanted
 */

/**
 * Starts the two servers the proxies stand in front of: one nginx each, with one worker. They answer from memory and
 * keep connections open for good. `/echo` tells what the server was sent, for the check before a round.
 * @param {import("./children.mjs").Children} children
 * @param {{ folder: string, core: number, connections: number, many: number, huge: boolean }} options many: further
 *   addresses of the first one; huge: `/huge` is needed
 * @returns {Promise<Upstreams>}
 */
export async function startUpstreams(children, { folder, core, connections, many, huge }) {
  const files = join(folder, "files");
  mkdirSync(files);
  writeFileSync(join(files, "large"), Buffer.alloc(LARGE_BYTES, "halftone "));
  if (huge) writeFileSync(join(files, "huge"), Buffer.alloc(HUGE_BYTES, "halftone "));
  const servers = [];
  /** @type {string[]} */
  const others = [];
  for (const [index, address] of ADDRESSES.entries()) {
    const prefix = join(folder, `upstream-${address}`);
    const port = await freePort(address);
    // Addresses of their own, not all addresses: nothing but loopback may reach it.
    if (index === 0) others.push(...Array.from({ length: many }, (_, n) => `${manyAddress(n)}:${port}`));
    mkdirSync(prefix);
    const listen = [`${address}:${port}`, ...(index === 0 ? others : [])];
    // A pool of many servers keeps some connections to each.
    const most = connections + listen.length * 4;
    writeFileSync(join(prefix, "nginx.conf"), upstreamConf(listen, prefix, files, most));
    children.start({
      name: `upstream ${address}`,
      cores: [core],
      command: "nginx",
      args: nginxArguments(prefix),
    });
    servers.push(`${address}:${port}`);
  }
  return { servers, many: others };
}

/** @param {number} n */
function manyAddress(n) {
  return `127.8.${n >> 7}.${1 + (n & 127)}`;
}

/**
 * @param {readonly string[]} listen
 * @param {string} prefix
 * @param {string} files
 * @param {number} connections
 */
function upstreamConf(listen, prefix, files, connections) {
  // A word of the configuration may have 4 KiB at most.
  return `${nginxPreamble(connections)}
http {
  access_log off;
  ${NGINX_TEMPORARY_PATHS}
  default_type text/plain;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_max_body_size 0;
  client_body_buffer_size 2m;
  sendfile on;
  open_file_cache max=10;
  upstream itself { server unix:${prefix}/self; keepalive 64; keepalive_requests 1000000000; }
  server {
${[...listen, `unix:${prefix}/self`].map((address) => `    listen ${address}${address.startsWith("unix:") ? "" : " backlog=4096"};`).join("\n")}
    root ${files};
    set $kib "${"halftone ".repeat(114).slice(0, KIB)}";
    location / { return 200 "${BODY}"; }
    location = /heads {
${Object.entries(FIELDS)
  .map(([name, value]) => `      add_header ${name} "${value}";`)
  .join("\n")}
      return 200 "${"$kib".repeat(HEADS_BYTES / KIB)}";
    }
    # Content that includes may change has no known length.
    location = /chunked { ssi on; ssi_types text/plain; return 200 "${"$kib".repeat(CHUNKED_BYTES / KIB)}"; }
    location = /large { }
    location = /huge { }
    # Takes in the whole body before it asks itself for the answer: return alone would not wait for it.
    location = /sink {
      proxy_pass http://itself/;
      proxy_http_version 1.1;
      proxy_method GET;
      proxy_pass_request_body off;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_set_header Host bench.test;
    }
    location = /echo {
      return 200 '{"server":"$server_addr:$server_port","host":"$http_host","for":"$http_x_forwarded_for","proto":"$http_x_forwarded_proto","forwardedHost":"$http_x_forwarded_host","id":"$http_x_request_id"}';
    }
  }
}
`;
}
