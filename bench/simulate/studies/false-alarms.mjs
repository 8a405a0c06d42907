// @ts-check
// Equal versions, judged after every window for an hour: how often is one called worse?
import { bars } from "../chart.mjs";
import { BOTH, ERRORS, LATENCY, watchNotWorse, watchWorse } from "../halftone.mjs";
import { firstWindow, part, percent, repeat } from "../study.mjs";
import { errorTraffic, slowTraffic } from "../traffic.mjs";
import { HOUR, PLAN, steady, swinging, withOutages } from "./scenarios.mjs";

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {import("../traffic.mjs").Errors} Errors */

const BURSTS = { size: 5, once: true, spill: 0 };

/** @type {readonly { title: string, make: (random: Random) => Errors }[]} */
const OF_ERRORS = [
  { title: "steady, 20 requests a second", make: () => at(20, steady(0.005)) },
  { title: "steady, 500 a second", make: () => at(500, steady(0.005)) },
  { title: "rate swings by ±80 %", make: (random) => at(20, swinging(random, 0.005)) },
  { title: "the same, 500 a second", make: (random) => at(500, swinging(random, 0.005)) },
  {
    title: "rate swings, and the share changes with it",
    make: (random) => {
      const base = swinging(random, 0.005);
      return { ...at(20, base), share: (window) => Math.min(0.5, 0.01 + 30 * base(window) ** 1.2) };
    },
  },
  {
    title: "rate swings, the share changes every minute",
    make: (random) => {
      const shares = Array.from(
        { length: 60 },
        () => [0.01, 0.05, 0.2, 0.5][Math.floor(4 * random.uniform())] ?? 0,
      );
      return { ...at(20, swinging(random, 0.005)), share: (window) => shares[Math.floor(window / 6)] ?? 0 };
    },
  },
  { title: "outages of a minute, a hundred times as many", make: () => at(20, withOutages(0.005)) },
  { title: "a fifth of all requests fail", make: () => at(20, steady(0.2)) },
  { title: "bursts of 5, one counted", make: () => ({ ...at(20, steady(0.005)), bursts: BURSTS }) },
  {
    title: "bursts of 5, one counted, rate swings",
    make: (random) => ({ ...at(100, swinging(random, 0.01)), bursts: BURSTS }),
  },
  { title: "2 requests a second", make: () => at(2, steady(0.005)) },
  { title: "6 requests a minute", make: () => at(0.1, steady(0.02)) },
];

/** @type {readonly { title: string, rate: number, load: (random: Random) => (window: number) => number }[]} */
const OF_LATENCY = [
  { title: "latency, steady", rate: 20, load: () => steady(0) },
  { title: "latency swings by ±80 %", rate: 20, load: (random) => logarithm(swinging(random, 1)) },
  { title: "the same, 500 a second", rate: 500, load: (random) => logarithm(swinging(random, 1)) },
];

/** @type {import("../study.mjs").Study} */
export const falseAlarms = {
  id: "false-alarms",
  title: "False alarms where both versions are alike",
  run(run) {
    const found = [
      ...OF_ERRORS.map(({ title, make }) => errorAlarms(run, title, make)),
      ...OF_LATENCY.map(({ title, rate, load }) => slowAlarms(run, title, rate, load)),
      allAlarms(run, "errors and latency together, rates swing"),
    ];
    return {
      head: ["scenario", "called worse", "shown to be less than twice as bad"],
      rows: found.map(({ title, worse, notWorse }) => [title, percent(worse, 2), notWorse]),
      picture: bars({
        title: "Equal versions called worse in an hour, in % of the releases",
        limit: { value: 1, title: "alpha" },
        rows: found.map(({ title, worse }) => ({ title, value: 100 * worse })),
        digits: 2,
      }),
    };
  },
};

/**
 * @param {number} rate
 * @param {(window: number) => number} base
 * @returns {Errors}
 */
function at(rate, base) {
  return { rate, base, share: PLAN };
}

/** @param {(window: number) => number} factor */
function logarithm(factor) {
  return (/** @type {number} */ window) => Math.log(factor(window));
}

/**
 * @param {import("../study.mjs").Run} run
 * @param {string} title
 * @param {(random: Random) => Errors} make
 */
function errorAlarms(run, title, make) {
  const releases = repeat(run, title, (random) => {
    const traffic = errorTraffic(random, make(random));
    const isWorse = watchWorse(ERRORS);
    const isNotWorse = watchNotWorse(2, 0.05);
    let notWorse = false;
    const worse = firstWindow(HOUR, (window) => {
      const comparison = traffic(window);
      notWorse ||= isNotWorse(comparison);
      return isWorse([comparison]);
    });
    return { worse, notWorse };
  });
  return {
    title,
    worse: part(releases, ({ worse }) => worse !== undefined),
    notWorse: percent(part(releases, ({ notWorse }) => notWorse)),
  };
}

/**
 * @param {import("../study.mjs").Run} run
 * @param {string} title
 * @param {number} rate
 * @param {(random: Random) => (window: number) => number} load
 */
function slowAlarms(run, title, rate, load) {
  const releases = repeat(run, title, (random) => {
    const traffic = slowTraffic(random, {
      rate,
      share: 0.2,
      shift: (above, z) => above(z),
      load: load(random),
    });
    const isWorse = watchWorse(LATENCY);
    return firstWindow(HOUR, (window) => isWorse(traffic(window)));
  });
  return { title, worse: part(releases, (at) => at !== undefined), notWorse: "" };
}

/**
 * @param {import("../study.mjs").Run} run
 * @param {string} title
 */
function allAlarms(run, title) {
  const releases = repeat(run, title, (random) => {
    const errors = errorTraffic(random, at(20, swinging(random, 0.005)));
    const slow = slowTraffic(random, {
      rate: 20,
      share: 0.2,
      shift: (above, z) => above(z),
      load: logarithm(swinging(random, 1)),
    });
    const isWorse = watchWorse(BOTH);
    return firstWindow(HOUR, (window) => isWorse([errors(window), ...slow(window)]));
  });
  return { title, worse: part(releases, (at) => at !== undefined), notWorse: "" };
}
