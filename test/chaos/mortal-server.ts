import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { pause } from "../e2e/harness/until.ts";

const MAIN = fileURLToPath(new URL("./mortal-server-main.mjs", import.meta.url));
/** How long a server that was asked to stop may take for its last answers, in ms. */
const STOP_TIME = 5000;

/** Times in ms by `performance.now()` of the test's process. */
export interface Downtime {
  readonly how: "SIGKILL" | "SIGTERM";
  readonly from: number;
  /** The process was gone. */
  gone: number;
  /** It listened again. */
  until: number;
}

/** What one server wrote down of the requests it took in. */
export interface Taken {
  readonly id: string;
  readonly version: number;
  readonly method: string;
  /** Of the body, once that had come whole. */
  sha1: string | undefined;
}

/** A server in a process of its own, with the history of its deaths. Each life is another version. */
export class MortalServer {
  readonly address: string;
  readonly port: number;
  readonly group: string;
  readonly downtimes: Downtime[] = [];
  /** Servers that were to stop in order and did not in time. */
  stuck: number = 0;
  readonly #logFile: string;
  #version = 0;
  #child: ChildProcess | undefined;

  constructor(address: string, port: number, group: string, logFile: string) {
    this.address = address;
    this.port = port;
    this.group = group;
    this.#logFile = logFile;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    this.#version++;
    const life = [this.address, String(this.port), this.group, String(this.#version), this.#logFile];
    const child = spawn(process.execPath, [MAIN, ...life], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
    this.#child = child;
    const end = once(child, "exit").then(() => {
      throw new Error(`the server on ${this.address}:${this.port} did not start`);
    });
    end.catch(() => {});
    await Promise.race([once(child.stdout!, "data"), end]);
    const last = this.downtimes.at(-1);
    if (last !== undefined) last.until = performance.now();
  }

  /** Resolves when the process is gone. */
  async end(how: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const exit = once(child, "exit");
    const downtime: Downtime = { how, from: performance.now(), gone: Infinity, until: Infinity };
    this.downtimes.push(downtime);
    child.kill(how);
    if (how === "SIGTERM" && (await Promise.race([exit, pause(STOP_TIME)])) === undefined) {
      this.stuck++;
      child.kill("SIGKILL");
    }
    await exit;
    downtime.gone = performance.now();
  }

  /** The downtimes of which a part lies between these times. */
  downWithin(from: number, to: number): readonly Downtime[] {
    return this.downtimes.filter((downtime) => downtime.from <= to && downtime.until >= from);
  }

  /** Everything it took in, in all its lives, in order. */
  async taken(): Promise<readonly Taken[]> {
    const taken: Taken[] = [];
    const open = new Map<string, Taken>();
    for (const line of (await readFile(this.#logFile, "utf8")).split("\n")) {
      const [verb, version, id = "", what = ""] = line.split(" ");
      if (verb === "took") {
        const entry: Taken = { id, version: Number(version), method: what, sha1: undefined };
        taken.push(entry);
        open.set(`${version} ${id}`, entry);
      } else if (verb === "read") open.get(`${version} ${id}`)!.sha1 = what;
    }
    return taken;
  }
}

/** Whether there was an instant between these times at which all of them were down. */
export function allDownWithin(servers: readonly MortalServer[], from: number, to: number): boolean {
  // If there is one, there is one at the start of the span or where the last of them went down.
  const starts = servers.flatMap((server) => server.downWithin(from, to).map((downtime) => downtime.from));
  return [from, ...starts].some(
    (instant) => instant >= from && servers.every((server) => server.downWithin(instant, instant).length > 0),
  );
}
