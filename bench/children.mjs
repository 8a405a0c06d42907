// @ts-check
import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

const GRACE_MS = 5000;
const KEPT_OUTPUT = 64 * 1024;

/**
 * @typedef {object} Child
 * @property {string} name for messages
 * @property {number} pid also the id of its process group
 * @property {Promise<number | null>} exited its exit code; null if a signal ended it
 * @property {() => boolean} running
 * @property {() => string} stdout
 * @property {() => string} output stdout and stderr, for messages
 */

/**
 * The processes this run started, and no others. Each leads a process group of its own, so that workers it forked can
 * be ended with it even if it dies first, and so that a terminal's Ctrl-C reaches this program alone, which then ends
 * them in order.
 */
export class Children {
  /** @type {Set<Child>} */
  #started = new Set();
  #closed = false;

  /**
   * Starts a command pinned to some cores. taskset replaces itself by the command: the pid is the command's.
   * @param {{ name: string, cores: readonly number[], command: string, args: readonly string[], cwd?: string }} what
   * @returns {Child}
   */
  start({ name, cores, command, args, cwd }) {
    if (this.#closed) throw new Error(`${name} was not started: the run is ending`);
    const process = spawn("taskset", ["-c", cores.join(), command, ...args], {
      ...(cwd === undefined ? {} : { cwd }),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (process.pid === undefined) {
      throw new Error(`${name} could not be started: is taskset (util-linux) there?`);
    }
    let stdout = "";
    let output = "";
    let running = true;
    process.stdout.setEncoding("utf8").on("data", (text) => {
      stdout = (stdout + text).slice(-KEPT_OUTPUT);
      output = (output + text).slice(-KEPT_OUTPUT);
    });
    process.stderr.setEncoding("utf8").on("data", (text) => {
      output = (output + text).slice(-KEPT_OUTPUT);
    });
    /** @type {Child} */
    const child = {
      name,
      pid: process.pid,
      // "close", not "exit": by then the output is complete.
      exited: new Promise((resolve) => process.once("close", resolve)),
      running: () => running,
      stdout: () => stdout,
      output: () => output,
    };
    process.once("exit", () => (running = false));
    this.#started.add(child);
    return child;
  }

  /**
   * Asks the process to stop, as an operator would; what is left of its group after the grace is killed.
   * @param {Child} child
   */
  async end(child) {
    if (child.running()) process.kill(child.pid, "SIGTERM");
    const deadline = Date.now() + GRACE_MS;
    while (groupLives(child) && Date.now() < deadline) await pause(20);
    if (groupLives(child)) killGroup(child);
    await child.exited;
    this.#started.delete(child);
  }

  /** @returns {ReadonlySet<number>} */
  get groups() {
    return new Set([...this.#started].map((child) => child.pid));
  }

  /** Ends all of them; nothing can be started afterwards. */
  async close() {
    this.#closed = true;
    await Promise.all([...this.#started].map((child) => this.end(child)));
  }

  /** The last resort, for a handler of the "exit" event, where nothing can be awaited. */
  killAll() {
    for (const child of this.#started) killGroup(child);
  }
}

/** @param {Child} child */
function groupLives(child) {
  try {
    return process.kill(-child.pid, 0);
  } catch {
    return false;
  }
}

/** @param {Child} child */
function killGroup(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}
