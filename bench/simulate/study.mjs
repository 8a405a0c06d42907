// @ts-check
// What the studies have in common: many releases of one scenario, and figures about them.
import { newRandom } from "./random.mjs";

/** @typedef {import("./random.mjs").Random} Random */

/**
 * @typedef {object} Study
 * @property {string} id names its table and its picture
 * @property {string} title
 * @property {(run: Run) => Result} run
 */
/** @typedef {{ seed: number, releases: number }} Run */
/**
 * @typedef {object} Result
 * @property {readonly string[]} head
 * @property {readonly (readonly string[])[]} rows
 * @property {string} [picture] SVG
 */

/**
 * Runs one scenario many times. Each release draws from a generator of its own, seeded by the run's seed, the scenario's
 * name and the release's number, so that a row stays what it is when other rows come and go.
 * @template T
 * @param {Run} run
 * @param {string} name
 * @param {(random: Random) => T} release
 * @returns {readonly T[]}
 */
export function repeat({ seed, releases }, name, release) {
  const scenario = hash(name);
  return Array.from({ length: releases }, (_, number) =>
    release(newRandom((((seed * 0x9e3779b1) ^ scenario) >>> 0) + number * 2 ** 32)),
  );
}

/** @param {string} text FNV-1a */
function hash(text) {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return value >>> 0;
}

/**
 * Windows until something happens, at most so many; undefined if it does not.
 * @param {number} windows
 * @param {(window: number) => boolean} happens
 */
export function firstWindow(windows, happens) {
  for (let window = 0; window < windows; window++) if (happens(window)) return window + 1;
  return undefined;
}

/**
 * @template T
 * @param {readonly T[]} releases
 * @param {(release: T) => boolean} is
 */
export function part(releases, is) {
  return releases.filter(is).length / releases.length;
}

/** @param {number} value 0 to 1 */
export function percent(value, digits = 1) {
  return `${(100 * value).toFixed(digits)} %`;
}

/**
 * The median time in minutes over all releases, those in which it did not happen counted as longest; "-" if that is the median.
 * @param {readonly (number | undefined)[]} windows
 */
export function medianMinutes(windows) {
  return quantileMinutes(windows, 0.5);
}

/**
 * @param {readonly (number | undefined)[]} windows
 * @param {number} quantile
 */
export function quantileMinutes(windows, quantile) {
  const sorted = windows.map((value) => value ?? Infinity).sort((one, other) => one - other);
  const value = sorted[Math.floor((sorted.length - 1) * quantile)] ?? Infinity;
  return value === Infinity ? "-" : `${(value / 6).toFixed(1)} min`;
}
