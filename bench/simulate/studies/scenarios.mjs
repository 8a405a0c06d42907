// @ts-check
// Shares and error rates over time that several studies use.

/** @typedef {import("../random.mjs").Random} Random */

/** Windows of an hour. */
export const HOUR = 360;

/** A quarter of an hour each at 1, 5, 20 and 50 %. */
export const PLAN = (/** @type {number} */ window) => [0.01, 0.05, 0.2, 0.5][Math.floor(window / 90)] ?? 0.5;

/** @param {number} value */
export function steady(value) {
  return () => value;
}

/**
 * Swings by 80 % up and down, once in 20 minutes.
 * @param {Random} random
 * @param {number} base
 * @returns {(window: number) => number}
 */
export function swinging(random, base) {
  const phase = random.uniform();
  return (window) => base * (1 + 0.8 * Math.sin(2 * Math.PI * (window / 120 + phase)));
}

/** Nine minutes of ten steady, one minute a hundred times as high. */
export function withOutages(/** @type {number} */ base) {
  return (/** @type {number} */ window) =>
    Math.floor(window / 6) % 10 === 7 ? Math.min(0.6, base * 100) : base;
}

/** Flagger's documented example: a minute each at 5, 10 … 50 %. */
export const FLAGGER_SHARES = Array.from({ length: 10 }, (_, step) => 0.05 * (step + 1));
export const flaggerShare = (/** @type {number} */ window) => FLAGGER_SHARES[Math.floor(window / 6)] ?? 0.5;
