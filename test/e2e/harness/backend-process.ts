import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";
import type { Scene } from "./scene.ts";

const SERVER = fileURLToPath(new URL("./backend-server.mjs", import.meta.url));

/** A backend in a process of its own, to be killed and started again on the same port. */
export class BackendProcess {
  readonly address: string;
  readonly port: number;
  #child: ChildProcess | undefined;

  constructor(address: string, port: number) {
    this.address = address;
    this.port = port;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [SERVER, this.address, String(this.port)], {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    this.#child = child;
    const end = once(child, "exit").then(() => {
      throw new Error(`the backend on ${this.address}:${this.port} did not start`);
    });
    await Promise.race([once(child.stdout!, "data"), end]);
    end.catch(() => {});
  }

  /** Resolves when the process is gone. */
  async kill(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }
}

/** One per address, all on the same port. */
export async function startBackendProcesses(
  scene: Scene,
  addresses: readonly string[],
): Promise<readonly BackendProcess[]> {
  const port = await freePort(...addresses);
  const backends = addresses.map((address) => new BackendProcess(address, port));
  for (const backend of backends) scene.defer(() => backend.kill("SIGKILL"));
  await Promise.all(backends.map((backend) => backend.start()));
  return backends;
}
