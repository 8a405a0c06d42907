import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { pause } from "../e2e/harness/until.ts";

const MAIN = fileURLToPath(new URL("./mortal-server-main.mjs", import.meta.url));
/** How long a server that was asked to stop may take for its last answers, in ms. */
const STOP_TIME = 5000;
const LINE = /^(took|read) (\d+) (\S+) (\S+)$/;

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
  /** Logs whose last line was torn by SIGKILL. */
  torn: number = 0;
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
    const life = [
      this.address,
      String(this.port),
      this.group,
      String(this.#version),
      this.#logOf(this.#version),
    ];
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

  /**
   * Everything it took in, in all its lives, in order. Throws when a log says what it cannot say: the judge would be
   * without a witness.
   */
  async taken(): Promise<readonly Taken[]> {
    const taken: Taken[] = [];
    for (let version = 1; version <= this.#version; version++) {
      const lines = (await readFile(this.#logOf(version), "utf8")).split("\n");
      // What follows the last line end is nothing, or a line torn by SIGKILL.
      if (lines.pop() !== "") this.torn++;
      const open = new Map<string, Taken>();
      for (const [at, line] of lines.entries()) {
        const [, verb, life, id = "", what = ""] = LINE.exec(line) ?? [];
        const entry = open.get(id);
        if (Number(life) === version && verb === "took") {
          const fresh: Taken = { id, version, method: what, sha1: undefined };
          taken.push(fresh);
          open.set(id, fresh);
        } else if (Number(life) === version && verb === "read" && entry !== undefined) {
          entry.sha1 = what;
        } else {
          const around = lines.slice(Math.max(0, at - 2), at + 3);
          throw new Error(
            `${this.#logOf(version)}:${at + 1} makes no sense: ${JSON.stringify({ line, around, entry })}`,
          );
        }
      }
    }
    return taken;
  }

  #logOf(version: number): string {
    return `${this.#logFile}.${version}`;
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
