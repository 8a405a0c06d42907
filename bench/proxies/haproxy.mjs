// @ts-check
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.mjs";
import { HOST, versionIn } from "./proxy.mjs";

/**
 * HAProxy in one process with one thread. Health checks and statistics are off; it keeps connections on both sides. Without
 * strict limits it does not insist on descriptors for a server connection beside each idle client.
 * @type {import("./proxy.mjs").Proxy}
 */
export const haproxy = {
  id: "haproxy",
  title: "HAProxy, 1 thread",
  set: "default",
  needs: [{ path: "haproxy", debian: "haproxy" }],
  version: () => versionIn(execFileSync("haproxy", ["-v"], { encoding: "utf8" })),
  prepare: async ({ folder, servers, connections, tls }) => {
    const port = await freePort(HOST);
    let secure = "";
    if (tls !== undefined) {
      // It wants both in one file.
      const pem = join(folder, "both.pem");
      writeFileSync(pem, readFileSync(tls.cert, "utf8") + readFileSync(tls.key, "utf8"), { mode: 0o600 });
      secure = ` ssl crt ${pem} ssl-min-ver TLSv1.3 alpn http/1.1`;
    }
    const config = join(folder, "haproxy.cfg");
    writeFileSync(
      config,
      `global
  nbthread 1
  maxconn ${connections + 256}
  no strict-limits

defaults
  mode http
  timeout connect 2s
  timeout client 75s
  timeout server 60s
  timeout http-keep-alive 75s
  option http-keep-alive
  http-reuse always

frontend bench
  bind ${HOST}:${port}${secure} backlog 4096
  option forwardfor
  http-request set-header X-Forwarded-Proto ${tls === undefined ? "http" : "https"}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Request-Id %[uuid()]
  default_backend servers

backend servers
  balance roundrobin
${servers.map((server, n) => `  server s${n} ${server} pool-max-conn -1`).join("\n")}
`,
    );
    // -db: in the foreground, without a master process.
    return { command: "haproxy", args: ["-db", "-f", config], port };
  },
};
