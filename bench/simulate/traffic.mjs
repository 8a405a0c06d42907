// @ts-check
// The traffic of one simulated release, window by window: both sides draw from the same clients at the same time.

/** Seconds of a window. */
export const WINDOW = 10;

/** @typedef {import("./random.mjs").Random} Random */
/** @typedef {import("../../src/core/verdict/counts.ts").Comparison} Comparison */
/** @typedef {import("../../src/core/verdict/counts.ts").Counts} Counts */

/**
 * @typedef {object} Errors
 * @property {number} rate requests a second
 * @property {(window: number) => number} share part of the requests that goes to the group under test
 * @property {(window: number) => number} base error rate of the rest
 * @property {(window: number) => number} [risk] how many times that in the group under test; absent: 1
 * @property {Bursts} [bursts] errors come in bursts; absent: one by one
 * @property {Client} [client] one client more, who is unlike the others
 * @property {number} [wander] standard deviation, in ln, of a rate that wanders on each side by itself
 */
/**
 * @typedef {object} Bursts
 * @property {number} size errors of one client with one cause
 * @property {boolean} once at most one of them is counted in a window
 * @property {number} spill part of the bursts that go on in the next window
 */

/**
 * @typedef {object} Client
 * @property {number} rate requests a second
 * @property {number} counted of its requests in a window, at most
 * @property {number | undefined} errors its own error rate; undefined: that of all
 * @property {number} pause windows after a counted error in which no other one of it is counted
 */

/**
 * Counts errors of one window after the other. `share` stands in for the scenario's where a controller has one of its own.
 * @param {Random} random
 * @param {Errors} scenario
 * @returns {(window: number, share?: number) => Comparison}
 */
export function errorTraffic(random, scenario) {
  const { rate, base, risk = () => 1, bursts, client, wander = 0 } = scenario;
  // A client stays on its side.
  const isInTest = random.uniform() < scenario.share(0);
  const ofClient = client === undefined ? undefined : oneClient(random, client);
  const sides = { test: newSide(random, wander), rest: newSide(random, wander) };
  return (window, share = scenario.share(window)) => {
    const total = random.poisson(rate * WINDOW);
    const test = random.binomial(total, share);
    const errors = base(window);
    const comparison = {
      test: counted(random, sides.test, test, errors * risk(window), bursts),
      rest: counted(random, sides.rest, total - test, errors, bursts),
    };
    const own = ofClient?.(errors);
    if (own === undefined) return comparison;
    return isInTest
      ? { ...comparison, test: sum(comparison.test, own) }
      : { ...comparison, rest: sum(comparison.rest, own) };
  };
}

/**
 * @param {Random} random
 * @param {Client} client
 * @returns {(errorRate: number) => Counts}
 */
function oneClient(random, { rate, counted, errors, pause }) {
  let silent = 0;
  return (errorRate) => {
    const total = Math.min(counted, random.poisson(rate * WINDOW));
    const failed = random.binomial(total, errors ?? errorRate) > 0;
    const bad = failed && silent <= 0 ? 1 : 0;
    silent = bad > 0 ? pause : silent - 1;
    return { total, bad };
  };
}

/**
 * @param {Counts} one
 * @param {Counts} other
 */
function sum(one, other) {
  return { total: one.total + other.total, bad: one.bad + other.bad };
}

/** @typedef {{ spilled: number, next: () => number }} Side */

/**
 * @param {Random} random
 * @param {number} wander
 * @returns {Side}
 */
function newSide(random, wander) {
  let state = random.normal();
  // The memory of a wandering rate: 0.97 from window to window, 0.83 from minute to minute.
  const memory = 0.97;
  return {
    spilled: 0,
    next: () => {
      if (wander === 0) return 1;
      state = memory * state + Math.sqrt(1 - memory * memory) * random.normal();
      return Math.exp(wander * state - (wander * wander) / 2);
    },
  };
}

/**
 * @param {Random} random
 * @param {Side} side
 * @param {number} total
 * @param {number} errorRate
 * @param {Bursts} [bursts]
 */
function counted(random, side, total, errorRate, bursts) {
  const rate = Math.min(1, errorRate * side.next());
  if (bursts === undefined) return { total, bad: random.binomial(total, rate) };
  const { size, once, spill } = bursts;
  const begun = random.binomial(total, rate / size);
  const goOn = random.binomial(begun, spill);
  // Half of a burst that goes on is in the next window.
  const whole = begun - goOn;
  const bad = once ? begun + side.spilled : whole * size + ((goOn + side.spilled) * size) / 2;
  side.spilled = goOn;
  return { total, bad: Math.min(total, Math.round(bad)) };
}

/** Of log-normal latencies: standard deviation of their logarithm. */
export const SPREAD = 0.5;
/** p50, p90, p99. */
const NORMAL_QUANTILES = [0, 1.2815515655446004, 2.3263478740408408];

/**
 * @typedef {object} Latency
 * @property {number} rate requests a second
 * @property {number} share
 * @property {(above: (z: number) => number, z: number) => number} shift the part of answers above the quantile z of the normal
 * distribution in the group under test
 * @property {(window: number) => number} [load] ln of how much slower everything is; absent: 0
 */

/**
 * Counts the slow answers of one window after the other, one comparison for each quantile.
 * @param {Random} random
 * @param {Latency} scenario
 * @returns {(window: number) => readonly Comparison[]}
 */
export function slowTraffic(random, { rate, share, shift, load = () => 0 }) {
  return (window) => {
    const total = random.poisson(rate * WINDOW);
    const test = random.binomial(total, share);
    const slower = load(window) / SPREAD;
    const above = (/** @type {number} */ z) => normalAbove(z - slower);
    return compared(
      slowOf(
        random,
        test,
        NORMAL_QUANTILES.map((z) => shift(above, z)),
      ),
      slowOf(random, total - test, NORMAL_QUANTILES.map(above)),
      test,
      total - test,
    );
  };
}

/**
 * Of those above one quantile, how many are above the next.
 * @param {Random} random
 * @param {number} total
 * @param {readonly number[]} parts
 */
function slowOf(random, total, parts) {
  let left = total;
  return parts.map((part, index) => {
    left = random.binomial(left, Math.min(1, part / (parts[index - 1] ?? 1)));
    return left;
  });
}

/**
 * @param {readonly number[]} test
 * @param {readonly number[]} rest
 * @param {number} testTotal
 * @param {number} restTotal
 * @returns {readonly Comparison[]}
 */
function compared(test, rest, testTotal, restTotal) {
  return test.map((bad, index) => ({
    test: { total: testTotal, bad },
    rest: { total: restTotal, bad: rest[index] ?? 0 },
  }));
}

/**
 * The part of a normal distribution above z (Abramowitz & Stegun 7.1.26).
 * @param {number} z
 */
export function normalAbove(z) {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series =
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const tail = (series * Math.exp(-x * x)) / 2;
  return z < 0 ? 1 - tail : tail;
}
