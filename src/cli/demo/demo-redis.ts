import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const PATIENCE = 10_000;

export function hasRedis(): boolean {
  return spawnSync("redis-server", ["--version"]).status === 0;
}

/** A redis-server of the demo's own, to be killed. */
export class DemoRedis {
  readonly port: number;
  private readonly folder: string;
  private child: ChildProcess | undefined;

  constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const args = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.folder];
    this.child = spawn("redis-server", [...args, "--appendonly", "yes", "--loglevel", "warning"], {
      stdio: "ignore",
    });
    const until = performance.now() + PATIENCE;
    while (!(await accepts(this.port))) {
      if (performance.now() > until || this.child.exitCode !== null) {
        throw new Error(`redis-server does not answer on port ${this.port}`);
      }
      await delay(50);
    }
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
