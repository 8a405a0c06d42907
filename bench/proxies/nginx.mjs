// @ts-check
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.mjs";
import { NGINX_TEMPORARY_PATHS, nginxArguments, nginxPreamble } from "../nginx-conf.mjs";
import { HOST } from "./proxy.mjs";

/** @type {import("./proxy.mjs").Proxy} */
export const nginx = {
  id: "nginx",
  title: "nginx, 1 worker",
  set: "default",
  needs: [],
  prepare: async (context) => {
    const upstream = context.servers.map((server) => `server ${server};`).join("\n    ");
    return await prepareNginx(context, { upstream });
  },
};

/**
 * nginx tuned as its documentation advises for this use. It is given the work Halftone does by contract: the client's
 * Host passed on, the forwarding fields from the peer's address alone, a request id. Its limits on requests per
 * connection are lifted: Halftone has none, and reconnecting would be charged to nginx. Bodies pass through memory, as
 * they do in all others: by default it would write large ones to the disk.
 * @param {import("./proxy.mjs").ProxyContext} context
 * @param {{ upstream: string, modules?: string, http?: string, location?: string }} parts what differs between its variants
 * @returns {Promise<import("./proxy.mjs").Command>}
 */
export async function prepareNginx({ folder, connections, tls }, parts) {
  const port = await freePort(HOST);
  const secure =
    tls === undefined
      ? ""
      : `ssl_certificate ${tls.cert};
    ssl_certificate_key ${tls.key};
    ssl_protocols TLSv1.3;`;
  writeFileSync(
    join(folder, "nginx.conf"),
    `${parts.modules ?? ""}
${nginxPreamble(connections)}
http {
  access_log off;
  ${NGINX_TEMPORARY_PATHS}
  keepalive_requests 1000000000;
  client_max_body_size 0;
  ${parts.http ?? ""}
  upstream bench {
    ${parts.upstream}
    keepalive ${Math.max(64, connections)};
    keepalive_requests 1000000000;
  }
  server {
    listen ${HOST}:${port}${tls === undefined ? "" : " ssl"} backlog=4096;
    ${secure}
    location / {
      ${parts.location ?? ""}
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
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
