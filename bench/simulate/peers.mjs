// @ts-check
// The published rules of three others, as far as they decide about one error rate.
import { isHigh } from "./mann-whitney.mjs";

/** @typedef {import("../../src/core/verdict/counts.ts").Comparison} Comparison */
/** @typedef {import("../../src/core/verdict/counts.ts").Counts} Counts */

/** Windows of a minute. */
const MINUTE = 6;

/**
 * Flagger (https://docs.flagger.app/usage/how-it-works): every interval the success rate of the last interval is compared
 * with `thresholdRange.min`; no data fails, too. A failed check holds the weight and counts; `threshold` of them, however
 * long apart, roll back.
 * @param {(window: number, share: number) => Comparison} traffic
 * @param {{ shares: readonly number[], least: number, threshold: number }} rule one share a minute
 * @returns {"promoted" | "rolledBack"}
 */
export function flagger(traffic, { shares, least, threshold }) {
  let failed = 0;
  let step = 0;
  for (let window = 0; step < shares.length; window += MINUTE) {
    const counts = minutes(traffic, window, 1, shares[step] ?? 0);
    if (isAtLeast(counts, least)) step++;
    else if (++failed >= threshold) return "rolledBack";
  }
  return "promoted";
}

/**
 * Argo Rollouts (https://argo-rollouts.readthedocs.io/en/stable/features/analysis/): a measurement every `interval` minutes
 * of the success rate of these minutes; more than `failureLimit` below `least` abort. NaN, where there was no data, is not
 * at least anything. The shares rise whatever is measured.
 * @param {(window: number, share: number) => Comparison} traffic
 * @param {{ shares: readonly number[], least: number, interval: number, failureLimit: number }} rule
 * @returns {"promoted" | "rolledBack"}
 */
export function argo(traffic, { shares, least, interval, failureLimit }) {
  let failed = 0;
  let good = 0;
  let total = 0;
  for (const [minute, share] of shares.entries()) {
    const counts = minutes(traffic, minute * MINUTE, 1, share);
    good += counts.total - counts.bad;
    total += counts.total;
    if ((minute + 1) % interval !== 0) continue;
    if (!(good / total >= least) && ++failed > failureLimit) return "rolledBack";
    good = 0;
    total = 0;
  }
  return "promoted";
}

/**
 * Kayenta's NetflixACAJudge: one point a minute and side, its error rate in per cent (minutes without requests are left
 * out), and the classification of one metric, which is the whole score then.
 * @param {(window: number, share: number) => Comparison} traffic
 * @param {{ minutes: number, share: number }} rule
 * @returns {"promoted" | "rolledBack"}
 */
export function kayenta(traffic, { minutes: count, share }) {
  /** @type {number[]} */
  const test = [];
  /** @type {number[]} */
  const rest = [];
  for (let minute = 0; minute < count; minute++) {
    const sides = bothSides(traffic, minute * MINUTE, share);
    if (sides.test.total > 0) test.push((100 * sides.test.bad) / sides.test.total);
    if (sides.rest.total > 0) rest.push((100 * sides.rest.bad) / sides.rest.total);
  }
  return isHigh(test, rest) ? "rolledBack" : "promoted";
}

/**
 * @param {(window: number, share: number) => Comparison} traffic
 * @param {number} window
 * @param {number} count
 * @param {number} share
 * @returns {Counts} of the group under test
 */
function minutes(traffic, window, count, share) {
  let [total, bad] = [0, 0];
  for (let next = window; next < window + count * MINUTE; next++) {
    const { test } = traffic(next, share);
    total += test.total;
    bad += test.bad;
  }
  return { total, bad };
}

/**
 * @param {(window: number, share: number) => Comparison} traffic
 * @param {number} window
 * @param {number} share
 */
function bothSides(traffic, window, share) {
  const test = { total: 0, bad: 0 };
  const rest = { total: 0, bad: 0 };
  for (let next = window; next < window + MINUTE; next++) {
    const comparison = traffic(next, share);
    test.total += comparison.test.total;
    test.bad += comparison.test.bad;
    rest.total += comparison.rest.total;
    rest.bad += comparison.rest.bad;
  }
  return { test, rest };
}

/**
 * @param {Counts} counts
 * @param {number} least
 */
function isAtLeast({ total, bad }, least) {
  return total > 0 && (total - bad) / total >= least;
}
