import { scramble, textHash } from "./text-hash.ts";

/** Buckets of one draw: a hundredth of a percent each. */
const BUCKETS = 10_000;
/** The golden ratio in 32 bits: any number but 0 does. */
const COUNTED = 0x9e3779b9;

/**
 * The client's place in the draw of one release of one app: 0.00 to 99.99, evenly spread. A client takes part when
 * its place is below the share, so that raising the share only ever adds clients.
 *
 * A pure function of its arguments: every gateway, of every version, finds the same place with nothing stored.
 */
export function bucket(appName: string, draw: string, clientKey: string): number {
  return bucketHundredths(appName, draw, clientKey) / 100;
}

/** The same place as a whole number, 0 to 9999: what comparisons use, as 0.29 * 100 is not 29 in floating point. */
export function bucketHundredths(appName: string, draw: string, clientKey: string): number {
  return hundredthsOf(textHash(appName, draw, clientKey));
}

/** The place of a client with that hash of app, draw and key. */
export function hundredthsOf(hash: number): number {
  // A 32-bit hash times 10^4 stays below 2^53: exact.
  return Math.floor((hash * BUCKETS) / 2 ** 32);
}

/**
 * What a client with that hash is counted by, 1 to 2^31 - 1: another number for nearly every client, that says nothing
 * of its place in the draw. 31 bits, as V8 keeps such a number without a place of its own on the heap.
 */
export function countedBy(hash: number): number {
  return scramble(hash ^ COUNTED) >>> 1 || 1;
}
