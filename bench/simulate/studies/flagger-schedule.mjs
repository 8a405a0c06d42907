// @ts-check
// Flagger's documented example: ten minutes from 5 to 50 %, the error rate rises from 0.2 to 0.9 %, which is still below
// the threshold of 1 %. And versions that are alike.
import { BOTH, ERRORS, watchWorse } from "../halftone.mjs";
import { argo, flagger } from "../peers.mjs";
import { part, repeat } from "../study.mjs";
import { errorTraffic, slowTraffic } from "../traffic.mjs";
import { rolledBackByRule } from "./rolled-back.mjs";
import { FLAGGER_SHARES, flaggerShare, steady } from "./scenarios.mjs";

const WINDOWS = 6 * FLAGGER_SHARES.length;
const CASES = [
  { title: "0.2 % → 0.9 %", rate: 20, base: 0.002, risk: 4.5 },
  { title: "0.2 % → 0.9 %", rate: 100, base: 0.002, risk: 4.5 },
  { title: "0.2 % → 0.9 %", rate: 500, base: 0.002, risk: 4.5 },
  { title: "0.9 %, alike", rate: 5, base: 0.009, risk: 1 },
  { title: "0.9 %, alike", rate: 20, base: 0.009, risk: 1 },
  { title: "0.2 %, alike", rate: 0.1, base: 0.002, risk: 1 },
];
const WHO = ["Halftone, errors only", "Halftone", "Flagger, 99 %", "Argo, 95 %, 5 min", "Argo, 99 %, 1 min"];
const DOCUMENTED = { shares: FLAGGER_SHARES, least: 0.95, interval: 5, failureLimit: 3 };
const STRICTER = { shares: FLAGGER_SHARES, least: 0.99, interval: 1, failureLimit: 3 };

/** @type {import("../study.mjs").Study} */
export const flaggerSchedule = {
  id: "flagger-schedule",
  title: "Rolled back on Flagger's documented schedule of ten minutes",
  run(run) {
    const found = CASES.map((scenario) => ({ scenario, parts: rolledBack(run, scenario) }));
    return rolledBackByRule({
      rules: WHO,
      found,
      title: "4.5 times as many errors: rolled back, in % of the releases",
      isPictured: ({ risk }) => risk > 1,
      nameOf: ({ rate }) => `${rate} requests a second`,
    });
  },
};

/**
 * @param {import("../study.mjs").Run} run
 * @param {{ title: string, rate: number, base: number, risk: number }} scenario
 */
function rolledBack(run, { title, rate, base, risk }) {
  const errors = { rate, base: steady(base), risk: steady(risk), share: flaggerShare };
  const releases = repeat(run, `${title} ${rate}`, (random) => {
    const traffic = errorTraffic(random, errors);
    const slow = slowTraffic(random, { rate, share: 0.2, shift: (above, z) => above(z) });
    const isWorse = watchWorse(ERRORS);
    const isWorseOfBoth = watchWorse(BOTH);
    let halftone = false;
    let both = false;
    for (let window = 0; window < WINDOWS; window++) {
      const comparison = traffic(window);
      halftone ||= isWorse([comparison]);
      both ||= isWorseOfBoth([comparison, ...slow(window)]);
    }
    return [
      halftone,
      both,
      flagger(traffic, { shares: FLAGGER_SHARES, least: 0.99, threshold: 10 }) === "rolledBack",
      argo(traffic, DOCUMENTED) === "rolledBack",
      argo(traffic, STRICTER) === "rolledBack",
    ];
  });
  return WHO.map((_, index) => part(releases, (release) => release[index] === true));
}
