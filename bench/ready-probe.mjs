// @ts-check
import { setTimeout as pause } from "node:timers/promises";
import { statusOf } from "./wait-for-answer.mjs";

const EVERY_MS = 100;

/**
 * @typedef {object} ReadyReport
 * @property {number} asked
 * @property {number} failed no 200 within 2 s
 * @property {number} p50 ms
 * @property {number} max ms
 */

/** Asks the admin API whether it is ready, on a new connection each time, until it is stopped. */
export class ReadyProbe {
  #stopped = false;
  /** @type {number[]} */
  #times = [];
  #failed = 0;
  #running;

  /** @param {number} port of the admin API */
  constructor(port) {
    this.#running = this.#run(port);
  }

  /** @returns {Promise<ReadyReport>} */
  async stop() {
    this.#stopped = true;
    await this.#running;
    const sorted = this.#times.sort((a, b) => a - b);
    return {
      asked: sorted.length + this.#failed,
      failed: this.#failed,
      p50: sorted[sorted.length >> 1] ?? NaN,
      max: sorted.at(-1) ?? NaN,
    };
  }

  /** @param {number} port */
  async #run(port) {
    while (!this.#stopped) {
      const asked = performance.now();
      if ((await statusOf(port, "/readyz")) === 200) this.#times.push(performance.now() - asked);
      else this.#failed++;
      await pause(EVERY_MS);
    }
  }
}
