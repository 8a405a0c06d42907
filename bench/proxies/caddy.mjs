// @ts-check
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.mjs";
import { HOST, versionIn } from "./proxy.mjs";

/**
 * Caddy, its Go code on one processor at a time. No admin API, no access log, no HTTP/2, and no compression towards the
 * servers, which others do not ask for either.
 * @type {import("./proxy.mjs").Proxy}
 */
export const caddy = {
  id: "caddy",
  title: "Caddy, GOMAXPROCS=1",
  set: "default",
  needs: [{ path: "caddy", debian: "caddy" }],
  version: () => versionIn(execFileSync("caddy", ["version"], { encoding: "utf8" })),
  prepare: async ({ folder, servers, connections, tls }) => {
    const port = await freePort(HOST);
    const config = join(folder, "Caddyfile");
    writeFileSync(
      config,
      `{
  admin off
  auto_https off
  default_sni bench.test
  servers {
    protocols h1
  }
}
${tls === undefined ? "http" : "https"}://:${port} {
  bind ${HOST}
  ${tls === undefined ? "" : `tls ${tls.cert} ${tls.key} {\n    protocols tls1.3\n  }`}
  reverse_proxy ${servers.join(" ")} {
    lb_policy round_robin
    header_up X-Request-Id {http.request.uuid}
    transport http {
      compression off
      keepalive_idle_conns_per_host ${Math.max(64, connections)}
    }
  }
}
`,
    );
    const env = ["GOMAXPROCS=1", `XDG_DATA_HOME=${folder}`, `XDG_CONFIG_HOME=${folder}`];
    // env replaces itself by the command: the pid is Caddy's.
    return {
      command: "env",
      args: [...env, "caddy", "run", "--adapter", "caddyfile", "--config", config],
      port,
    };
  },
};
