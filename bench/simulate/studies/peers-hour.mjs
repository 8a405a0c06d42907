// @ts-check
// An hour at 20 %, judged by everyone's rule: long enough for the sixty points a side that Kayenta's makers ask for.
import { ERRORS, watchWorse } from "../halftone.mjs";
import { argo, flagger, kayenta } from "../peers.mjs";
import { firstWindow, part, repeat } from "../study.mjs";
import { errorTraffic } from "../traffic.mjs";
import { rolledBackByRule } from "./rolled-back.mjs";
import { HOUR, steady, swinging, withOutages } from "./scenarios.mjs";

/** @typedef {import("../random.mjs").Random} Random */
/** @typedef {{ rate: number, base: (random: Random) => (window: number) => number, risk?: number, wander?: number }} Scenario */

const WHO = ["Halftone", "Flagger", "Argo Rollouts", "Kayenta"];
const SHARE = 0.2;
const SHARES = Array.from({ length: 60 }, () => SHARE);

/** @type {readonly (Scenario & { title: string })[]} */
const CASES = [
  { title: "alike, 0.5 %", rate: 20, base: () => steady(0.005) },
  { title: "alike, 0.9 %", rate: 20, base: () => steady(0.009) },
  { title: "alike, 2 % on both", rate: 20, base: () => steady(0.02) },
  { title: "alike, 0.5 %, swings by ±80 %", rate: 20, base: (random) => swinging(random, 0.005) },
  { title: "alike, outages of both", rate: 20, base: () => withOutages(0.005) },
  { title: "alike, 6 requests a minute", rate: 0.1, base: () => steady(0.005) },
  { title: "alike, each side wanders by ±20 %", rate: 100, base: () => steady(0.02), wander: 0.2 },
  { title: "twice, 0.2 → 0.4 %", rate: 100, base: () => steady(0.002), risk: 2 },
  { title: "three times, 0.2 → 0.6 %", rate: 20, base: () => steady(0.002), risk: 3 },
  { title: "three times, 0.2 → 0.6 %", rate: 100, base: () => steady(0.002), risk: 3 },
  { title: "ten times, 0.05 → 0.5 %", rate: 20, base: () => steady(0.0005), risk: 10 },
];

/** @type {import("../study.mjs").Study} */
export const peersHour = {
  id: "peers-hour",
  title: "Rolled back within an hour at 20 %, the same traffic judged by four rules",
  run(run) {
    const found = CASES.map((scenario) => ({ scenario, parts: rolledBack(run, scenario) }));
    return rolledBackByRule({
      rules: WHO,
      found,
      title: "Equal versions rolled back in an hour, in % of the releases",
      isPictured: ({ risk }) => risk === undefined,
      nameOf: ({ title }) => title,
    });
  },
};

/**
 * @param {import("../study.mjs").Run} run
 * @param {Scenario & { title: string }} scenario
 */
function rolledBack(run, { title, rate, base, risk = 1, wander = 0 }) {
  const releases = repeat(run, `${title} ${rate}`, (random) => {
    const scenario = { rate, base: base(random), risk: steady(risk), share: steady(SHARE), wander };
    const traffic = recorded(errorTraffic(random, scenario));
    const isWorse = watchWorse(ERRORS);
    return [
      firstWindow(HOUR, (window) => isWorse([traffic(window)])) !== undefined,
      flagger(traffic, { shares: SHARES, least: 0.99, threshold: 10 }) === "rolledBack",
      argo(traffic, { shares: SHARES, least: 0.99, interval: 1, failureLimit: 3 }) === "rolledBack",
      kayenta(traffic, { minutes: 60, share: SHARE }) === "rolledBack",
    ];
  });
  return WHO.map((_, index) => part(releases, (release) => release[index] === true));
}

/**
 * The same traffic whoever looks at it.
 * @param {(window: number) => import("../traffic.mjs").Comparison} traffic
 */
function recorded(traffic) {
  /** @type {import("../traffic.mjs").Comparison[]} */
  const windows = [];
  return (/** @type {number} */ window) => {
    while (windows.length <= window) windows.push(traffic(windows.length));
    return /** @type {import("../traffic.mjs").Comparison} */ (windows[window]);
  };
}
