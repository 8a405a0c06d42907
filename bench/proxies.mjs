// @ts-check
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.mjs";
import { NGINX_TEMPORARY_PATHS, nginxArguments, nginxPreamble } from "./nginx-conf.mjs";

export const HALFTONE = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const HOST = "127.0.0.1";

/**
 * @typedef {object} ProxyContext
 * @property {string} folder empty, for the proxy's files
 * @property {readonly string[]} servers of the upstream, address and port
 * @property {number} connections of the load
 */
/**
 * @typedef {object} Command
 * @property {string} command
 * @property {readonly string[]} args
 * @property {number} port where the proxy will listen
 */
/**
 * @typedef {object} Proxy
 * @property {string} id for --only and in the JSON
 * @property {string} title in the table
 * @property {(context: ProxyContext) => Promise<Command>} prepare writes its configuration
 */

/**
 * Another version beside this one, in the same rounds.
 * @param {string} checkout its folder, built
 * @returns {readonly Proxy[]}
 */
export function otherVersion(checkout) {
  const main = join(checkout, "dist/cli/main.js");
  return [0, 1].map((workers) => ({
    id: `other-${workers}`,
    title: `other version, workers: ${workers}`,
    prepare: async (context) => {
      const { args, ...command } = await prepareHalftone(context, workers);
      return { ...command, args: [main, ...args.slice(1)] };
    },
  }));
}

/** @type {readonly Proxy[]} */
export const PROXIES = [
  { id: "nginx", title: "nginx, 1 worker", prepare: prepareNginx },
  { id: "halftone-0", title: "Halftone, workers: 0", prepare: (context) => prepareHalftone(context, 0) },
  { id: "halftone-1", title: "Halftone, workers: 1", prepare: (context) => prepareHalftone(context, 1) },
];

/**
 * nginx tuned as its documentation advises for this use. It is given the work Halftone does by contract: the client's
 * Host passed on, the forwarding fields from the peer's address alone, a request id. Its limits on requests per
 * connection are lifted: Halftone has none, and reconnecting would be charged to nginx.
 * @param {ProxyContext} context
 * @returns {Promise<Command>}
 */
async function prepareNginx({ folder, servers, connections }) {
  const port = await freePort(HOST);
  writeFileSync(
    join(folder, "nginx.conf"),
    `${nginxPreamble(connections)}
http {
  access_log off;
  ${NGINX_TEMPORARY_PATHS}
  keepalive_requests 1000000000;
  upstream bench {
${servers.map((server) => `    server ${server};`).join("\n")}
    keepalive ${Math.max(64, connections)};
    keepalive_requests 1000000000;
  }
  server {
    listen ${HOST}:${port};
    location / {
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Request-Id $request_id;
    }
  }
}
`,
  );
  return { command: "nginx", args: nginxArguments(folder), port };
}

/**
 * Halftone as it comes, but for addresses, the number of workers, and what else is given of `gateway`.
 * @param {Pick<ProxyContext, "folder" | "servers">} context
 * @param {number} workers
 * @param {Record<string, unknown>} [gateway]
 * @returns {Promise<Command & { adminPort: number }>}
 */
export async function prepareHalftone({ folder, servers }, workers, gateway = {}) {
  const port = await freePort(HOST);
  const adminPort = await freePort(HOST);
  const config = join(folder, "halftone.yaml");
  const document = {
    gateway: { listen: `${HOST}:${port}`, workers, ...gateway },
    admin: { listen: `${HOST}:${adminPort}` },
    data: "./data",
    directory: "memory:",
    apps: ["./apps/*.yaml"],
  };
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(document, undefined, 2));
  mkdirSync(join(folder, "apps"));
  writeFileSync(
    join(folder, "apps", "bench.yaml"),
    `name: bench
groups:
  group1: { weight: 1, servers: ${JSON.stringify(servers)} }
`,
  );
  return { command: process.execPath, args: [HALFTONE, "serve", "-c", config], port, adminPort };
}
