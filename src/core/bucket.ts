import { textHash } from "./text-hash.ts";

/** Buckets of one draw: a hundredth of a percent each. */
const BUCKETS = 10_000;

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
  // A 32-bit hash times 10^4 stays below 2^53: exact.
  return Math.floor((textHash(appName, draw, clientKey) * BUCKETS) / 2 ** 32);
}
