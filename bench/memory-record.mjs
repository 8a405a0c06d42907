// @ts-check
import { memoryOf } from "./memory.mjs";

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
      this.#samples.push({ at: performance.now(), mib: memoryOf(rootPid).resident });
    }, EVERY_MS);
  }

  /** @returns {readonly MemorySample[]} */
  stop() {
    clearInterval(this.#timer);
    return this.#samples;
  }
}
