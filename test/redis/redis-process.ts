import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createClient } from "@redis/client";
import type { RedisConfig } from "../../src/config/halftone-config.ts";
import { parseRedisUrl } from "../../src/config/redis-target.ts";
import { freePort } from "../e2e/harness/free-port.ts";
import type { Scene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";

type Client = ReturnType<typeof plainClient>;

/** A real redis-server of its own: no files but in its folder, on a port that it keeps over restarts. */
export class RedisProcess {
  readonly host: string;
  readonly port: number;
  readonly #folder: string;
  readonly #options: readonly string[];
  readonly #configFile: string | undefined;
  readonly #login: { readonly username?: string; readonly password?: string };
  #child: ChildProcess | undefined;
  #client: Client | undefined;

  constructor(place: { host: string; port: number; folder: string }, options: RedisOptions) {
    this.host = place.host;
    this.port = place.port;
    this.#folder = place.folder;
    this.#options = options.options ?? [];
    this.#configFile = options.configFile;
    this.#login = options.login ?? {};
  }

  get url(): string {
    return `redis://${this.host}:${this.port}/0`;
  }

  async start(): Promise<void> {
    const own = [
      "--bind",
      this.host,
      "--port",
      String(this.port),
      "--dir",
      this.#folder,
      "--daemonize",
      "no",
    ];
    if (!this.#options.includes("--sentinel")) own.push("--save", "");
    const file = this.#configFile === undefined ? [] : [this.#configFile];
    const child = spawn("redis-server", [...file, ...own, ...this.#options], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => void (output += String(text)));
    child.on("exit", () => {
      if (this.#child === child) this.#child = undefined;
    });
    await until(
      "redis-server to accept connections",
      () => {
        if (child.exitCode !== null) throw new Error(`redis-server ended: ${output}`);
        return /Ready to accept connections|Running mode=sentinel/.test(output) ? true : undefined;
      },
      { instead: () => output },
    );
  }

  /** Ends it, by default as a crash would. */
  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#client?.destroy();
    this.#client = undefined;
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, "exit");
    child.kill("SIGCONT");
    child.kill(signal);
    await exited;
  }

  /** It answers nothing, and closes nothing. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** What redis-cli would say. */
  async command(...args: readonly string[]): Promise<unknown> {
    if (this.#client?.isReady !== true) this.#client = await this.#connect();
    return await this.#client.sendCommand([...args]);
  }

  async #connect(): Promise<Client> {
    const client = plainClient(this.host, this.port, this.#login);
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }
}

export interface RedisOptions {
  /** Further arguments of redis-server. */
  readonly options?: readonly string[];
  /** A file of its own, as a sentinel needs: it writes there. */
  readonly configFile?: string;
  /** How the test itself logs in. */
  readonly login?: { readonly username?: string; readonly password?: string };
  readonly host?: string;
  readonly port?: number;
}

export async function startRedis(scene: Scene, options: RedisOptions = {}): Promise<RedisProcess> {
  const host = options.host ?? "127.0.0.1";
  const place = { host, port: options.port ?? (await freePort(host)), folder: await scene.folder() };
  const redis = new RedisProcess(place, options);
  scene.defer(() => redis.stop());
  await redis.start();
  return redis;
}

/** As halftone.yaml would give it. */
export function redisConfig(url: string, more: Omit<RedisConfig, "target"> = {}): RedisConfig {
  const target = parseRedisUrl(url);
  if (target === undefined) throw new Error(`${url} is no Redis URL`);
  return { target, ...more };
}

function plainClient(host: string, port: number, login: { username?: string; password?: string }) {
  return createClient({ socket: { host, port, reconnectStrategy: false }, ...login });
}
