// @ts-check
import { readFileSync } from "node:fs";
import { childrenOf } from "./cpu-time.mjs";

const EVERY_MS = 1000;

/** @typedef {{ at: number, mib: number }} MemorySample */

/** Resident memory of a gateway's workers, once a second. */
export class MemoryRecord {
  /** @type {MemorySample[]} */
  #samples = [];
  #timer;

  /** @param {number} rootPid of the supervisor */
  constructor(rootPid) {
    this.#timer = setInterval(() => {
      const workers = childrenOf(rootPid);
      const mib = (workers.length > 0 ? workers : [rootPid]).reduce((sum, pid) => sum + residentMib(pid), 0);
      this.#samples.push({ at: performance.now(), mib });
    }, EVERY_MS);
  }

  /** @returns {readonly MemorySample[]} */
  stop() {
    clearInterval(this.#timer);
    return this.#samples;
  }
}

/** @param {number} pid */
function residentMib(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
