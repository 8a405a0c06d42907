import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort } from "../../e2e/harness/free-port.ts";
import type { Scene } from "../../e2e/harness/scene.ts";
import { until } from "../../e2e/harness/until.ts";

export interface Nginx {
  /** "127.0.4.34:12345" */
  readonly address: string;
  /** Its document root. */
  readonly root: string;
}

/** The system's nginx with a configuration, files and processes of its own. `server`: what its server block holds. */
export async function startNginx(
  scene: Scene,
  host: string,
  server: string,
  http: string = "",
): Promise<Nginx> {
  const folder = await scene.folder();
  const root = join(folder, "root");
  await mkdir(root);
  const port = await freePort(host);
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await writeFile(
    join(folder, "nginx.conf"),
    `${user}
worker_processes 1;
pid nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${name};`).join(" ")}
  ${http}
  server {
    listen ${host}:${port};
    root ${root};
    ${server}
  }
}
`,
  );
  // Not a daemon: it ends with the scene.
  const args = ["-p", folder, "-e", "error.log", "-c", "nginx.conf", "-g", "daemon off;"];
  const child = spawn("nginx", args, { stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  child.stderr.on("data", (text: Buffer) => (output += text.toString()));
  const exited = new Promise((resolve) => child.on("close", resolve));
  scene.defer(async () => {
    // A fast shutdown takes its worker along; SIGKILL would leave it.
    child.kill("SIGTERM");
    await exited;
  });
  await until("nginx", () => accepts(host, port), { instead: () => output });
  return { address: `${host}:${port}`, root };
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      resolve(true);
      socket.destroy();
    });
    socket.on("error", () => resolve(false));
  });
}
