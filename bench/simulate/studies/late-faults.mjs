// @ts-check
// Faults that begin in the middle of an hour: what the part of the capital is worth that is held back for them.
import { addToRiskEvidence, lnEvidence, newRiskEvidence, UNEQUAL } from "../core.mjs";
import { ERRORS, watchWorse } from "../halftone.mjs";
import { firstWindow, medianMinutes, part, percent, repeat } from "../study.mjs";
import { errorTraffic } from "../traffic.mjs";
import { HOUR, steady } from "./scenarios.mjs";

const BEGIN = 180;
const CASES = [20, 100].flatMap((rate) => [3, 10].map((risk) => ({ rate, risk })));

/** @type {import("../study.mjs").Study} */
export const lateFaults = {
  id: "late-faults",
  title: "Faults that begin after half an hour at 20 %",
  run(run) {
    return {
      head: [
        "requests a second",
        "errors",
        "called worse before",
        "found in the half hour after",
        "median after",
        "median, had all been staked at once",
      ],
      rows: CASES.map((scenario) => {
        const found = watched(run, scenario, () => watchWorse(ERRORS));
        const unheld = watched(run, scenario, watchUnheld);
        return [
          `${scenario.rate}`,
          `${scenario.risk} times as many`,
          percent(found.before),
          percent(part(found.after, (at) => at !== undefined)),
          medianMinutes(found.after),
          medianMinutes(unheld.after),
        ];
      }),
    };
  },
};

/**
 * @param {import("../study.mjs").Run} run
 * @param {{ rate: number, risk: number }} scenario
 * @param {() => ReturnType<typeof watchWorse>} watch
 */
function watched(run, { rate, risk }, watch) {
  const found = repeat(run, `${rate} ${risk}`, (random) => {
    const traffic = errorTraffic(random, {
      rate,
      base: steady(0.005),
      risk: (window) => (window < BEGIN ? 1 : risk),
      share: steady(0.2),
    });
    const isWorse = watch();
    return firstWindow(HOUR, (window) => isWorse([traffic(window)]));
  });
  const late = found.filter((at) => at === undefined || at > BEGIN);
  return {
    before: 1 - late.length / found.length,
    after: late.map((at) => (at === undefined ? undefined : at - BEGIN)),
  };
}

/** @returns {ReturnType<typeof watchWorse>} */
function watchUnheld() {
  const test = { ...UNEQUAL, held: 0 };
  let evidence = newRiskEvidence(test);
  return (comparisons) => {
    for (const comparison of comparisons) evidence = addToRiskEvidence(test, evidence, comparison);
    return lnEvidence(test, evidence) >= -Math.log(ERRORS.alpha);
  };
}
