// @ts-check
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.mjs";
import { NGINX_TEMPORARY_PATHS, nginxArguments, nginxPreamble } from "./nginx-conf.mjs";

const ADDRESSES = ["127.0.4.1", "127.0.4.2"];

/** What every measured request is answered with. */
export const BODY = "halftone ".repeat(12).slice(0, 100);

/**
 * Starts the two servers the proxies stand in front of: one nginx each, with one worker. They answer from memory and
 * keep connections open for good. `/echo` tells what the server was sent, for the check before a round.
 * @param {import("./children.mjs").Children} children
 * @param {{ folder: string, core: number, connections: number }} options
 * @returns {Promise<string[]>} their addresses, with port
 */
export async function startUpstreams(children, { folder, core, connections }) {
  const servers = [];
  for (const address of ADDRESSES) {
    const prefix = join(folder, `upstream-${address}`);
    const port = await freePort(address);
    mkdirSync(prefix);
    writeFileSync(join(prefix, "nginx.conf"), upstreamConf(address, port, connections));
    children.start({ name: `upstream ${address}`, core, command: "nginx", args: nginxArguments(prefix) });
    servers.push(`${address}:${port}`);
  }
  return servers;
}

/**
 * @param {string} address
 * @param {number} port
 * @param {number} connections
 */
function upstreamConf(address, port, connections) {
  return `${nginxPreamble(connections)}
http {
  access_log off;
  ${NGINX_TEMPORARY_PATHS}
  default_type text/plain;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  server {
    listen ${address}:${port};
    location / { return 200 "${BODY}"; }
    location = /echo {
      return 200 '{"server":"$server_addr:$server_port","host":"$http_host","for":"$http_x_forwarded_for","proto":"$http_x_forwarded_proto","forwardedHost":"$http_x_forwarded_host","id":"$http_x_request_id"}';
    }
  }
}
`;
}
