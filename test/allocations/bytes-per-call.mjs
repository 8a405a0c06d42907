// @ts-check

/** Enough for the JIT to have settled. */
const WARM_UP = 50_000;
const CALLS = 20_000;
const ROUNDS = 5;

/**
 * Bytes of heap that a call allocates; the least of some rounds, as whatever else happens in one only adds. Nothing may be
 * collected within a round: see pieces.mjs.
 * @param {() => void} call
 * @returns {number}
 */
export function bytesPerCall(call) {
  for (let i = 0; i < WARM_UP; i++) call();
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i++) call();
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / CALLS);
  }
  return Math.round(least);
}

/** All that is garbage now. */
export function collect() {
  if (globalThis.gc === undefined) throw new Error("run by node --expose-gc");
  globalThis.gc();
}
