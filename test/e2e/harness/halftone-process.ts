import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Scene } from "./scene.ts";
import { pause, until } from "./until.ts";

/** The command line as built. HALFTONE_CLI names another one, for example that of an installed package. */
export const CLI: string =
  process.env["HALFTONE_CLI"] ?? fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));

/** Time from the start of the process to its "listening" line, in ms. */
const START_TIME = 20_000;

/** What halftone.yaml says beside the harness's own defaults (loopback, port 0, one worker). */
export interface SiteConfig {
  readonly gateway?: Readonly<Record<string, unknown>>;
  readonly admin?: Readonly<Record<string, unknown>>;
  readonly serverTls?: Readonly<Record<string, unknown>>;
  readonly apps?: readonly string[];
  readonly name?: string;
  readonly directory?: unknown;
  readonly hooks?: unknown;
  readonly traces?: unknown;
}

/** What the system gives the process. */
export interface ProcessWish {
  /** Limit on open files, of the supervisor and of each worker. */
  readonly openFiles?: number;
}

/** A folder with a halftone.yaml and whatever the gateway keeps there. Processes come and go, the site stays. */
export class Site {
  readonly folder: string;
  readonly configFile: string;
  readonly #scene: Scene;

  constructor(scene: Scene, folder: string) {
    this.#scene = scene;
    this.folder = folder;
    this.configFile = join(folder, "halftone.yaml");
  }

  /** JSON is YAML: the file is written as such. */
  async configure(config: SiteConfig): Promise<void> {
    const { gateway, admin, ...rest } = config;
    const whole = {
      gateway: { listen: "127.0.0.1:0", workers: 1, ...gateway },
      admin: { listen: "127.0.0.1:0", ...admin },
      ...rest,
    };
    await writeFile(this.configFile, JSON.stringify(whole, undefined, 2));
  }

  /** Starts a process and waits until it listens; the error of one that does not carries what it printed. */
  async start(wish: ProcessWish = {}): Promise<HalftoneProcess> {
    if (!existsSync(CLI)) throw new Error(`${CLI} does not exist: build first (npm run build)`);
    const halftone = new HalftoneProcess(this, wish);
    this.#scene.defer(() => halftone.remove());
    await halftone.ready();
    return halftone;
  }
}

export async function createSite(scene: Scene, config: SiteConfig = {}): Promise<Site> {
  const folder = await scene.folder();
  const site = new Site(scene, folder);
  await mkdir(join(folder, "apps"));
  await site.configure(config);
  return site;
}

/** A site and its running process, for the scenarios that need only one. */
export async function startHalftone(scene: Scene, config: SiteConfig = {}): Promise<HalftoneProcess> {
  const site = await createSite(scene, config);
  return await site.start();
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** `halftone serve` as a process of its own. */
export class HalftoneProcess {
  readonly site: Site;
  /** Lines of the log that are JSON, as they come. */
  readonly log: LogLine[] = [];
  readonly exit: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  #output = "";
  #exited = false;
  #listening: { readonly gateway: readonly string[]; readonly admin: string } | undefined;
  /** Workers seen, so that none outlives the scenario even if the supervisor was killed. */
  readonly #seenWorkers = new Set<number>();

  constructor(site: Site, { openFiles }: ProcessWish) {
    this.site = site;
    const limited = openFiles === undefined ? "" : `ulimit -n ${openFiles}; `;
    const command = [process.execPath, CLI, "serve", "-c", site.configFile];
    this.#child = spawn("/bin/sh", ["-c", `${limited}exec "$0" "$@"`, ...command], {
      cwd: site.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.exit = new Promise((resolve) => {
      this.#child.on("exit", (code, signal) => {
        this.#exited = true;
        resolve({ code, signal });
      });
    });
    let rest = "";
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#read(line);
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => void (this.#output += text));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get hasExited(): boolean {
    return this.#exited;
  }

  /** Everything printed so far, stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  /** The first listening address of the data plane. */
  get gatewayPort(): number {
    return Number(this.#place().gateway[0]?.split(":").at(-1));
  }

  get adminUrl(): string {
    return this.#place().admin;
  }

  get token(): string {
    return readFileSync(join(this.site.folder, "data", "admin-token"), "utf8").trim();
  }

  /** Process ids of the workers: all children of the supervisor. */
  workers(): readonly number[] {
    const pids = childrenOf(this.pid);
    for (const pid of pids) this.#seenWorkers.add(pid);
    return pids;
  }

  /** Resident memory of supervisor and workers together, in bytes. */
  residentBytes(): number {
    return [this.pid, ...this.workers()].reduce((sum, pid) => sum + residentBytes(pid), 0);
  }

  /** A request to the admin API, `path` under /api/v1. A body that is not text is sent as JSON. */
  async api(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer> {
    return await this.admin(method, `/api/v1${path}`, body, {
      authorization: `Bearer ${this.token}`,
      ...headers,
    });
  }

  /** A request to any path of the admin listener, without the token. */
  async admin(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer> {
    const response = await fetch(`${this.adminUrl}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: jsonOr(text) };
  }

  /** Puts a document whatever stands, and insists. Returns the new revision. */
  async put(name: string, document: unknown): Promise<number> {
    const answer = await this.api("PUT", `/apps/${name}`, document, { "if-match": "*" });
    if (answer.status !== 200 && answer.status !== 201) {
      throw new Error(`PUT ${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return revisionOf(answer);
  }

  async deploy(name: string, deploy: number, share?: number): Promise<void> {
    const answer = await this.api("PUT", `/apps/${name}/deploy`, {
      deploy,
      ...(share === undefined ? {} : { share }),
    });
    if (answer.status !== 200) throw new Error(`deploy: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  /** What GET /servers says, by server address. */
  async servers(name: string): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
    const answer = await this.api("GET", `/apps/${name}/servers`);
    if (answer.status !== 200) throw new Error(`servers: ${answer.status} ${JSON.stringify(answer.body)}`);
    const servers = answer.body as readonly Readonly<Record<string, unknown>>[];
    return new Map(servers.map((server) => [String(server["server"]), server]));
  }

  /** Waits for a log line whose text, as JSON, matches. */
  async logged(pattern: RegExp): Promise<LogLine> {
    return await until(`a log line that matches ${pattern}`, () =>
      this.log.find((line) => pattern.test(JSON.stringify(line))),
    );
  }

  kill(signal: NodeJS.Signals): void {
    this.workers();
    this.#child.kill(signal);
  }

  /** Ends the process in order and returns its exit code. */
  async stop(): Promise<number | null> {
    this.kill("SIGTERM");
    return (await this.exit).code;
  }

  /** Ends whatever is left, at once. */
  async remove(): Promise<void> {
    if (!this.#exited) {
      this.kill("SIGKILL");
      await this.exit;
    }
    for (const pid of this.#seenWorkers) killWorker(pid);
  }

  /** Waits for the line that says where it listens. */
  async ready(): Promise<void> {
    const deadline = performance.now() + START_TIME;
    while (this.#listening === undefined) {
      if (this.#exited || performance.now() > deadline) {
        throw new Error(
          `halftone does not listen (${this.#exited ? "it ended" : "too slow"}):\n${this.#output}`,
        );
      }
      await pause(10);
    }
    this.workers();
  }

  #place(): { readonly gateway: readonly string[]; readonly admin: string } {
    if (this.#listening === undefined) throw new Error("it does not listen yet");
    return this.#listening;
  }

  #read(line: string): void {
    const entry = jsonOr(line);
    if (typeof entry !== "object" || entry === null) return;
    this.log.push(entry as LogLine);
    const { msg, gateway, admin } = entry as LogLine & {
      readonly gateway?: string[];
      readonly admin?: string;
    };
    if (msg === "listening" && gateway !== undefined && admin !== undefined) {
      this.#listening = { gateway, admin };
    }
  }
}

/** The revision that an answer's ETag names. */
export function revisionOf(answer: ApiAnswer): number {
  return Number(/^"(\d+)"$/.exec(answer.headers.get("etag") ?? "")?.[1]);
}

/** True while a process with this id exists (a zombie does not count). */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

export async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8")) as unknown;
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function residentBytes(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Only if it still is a worker: the number may belong to somebody else by now. */
function killWorker(pid: number): void {
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("worker-main")) process.kill(pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
