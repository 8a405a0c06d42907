// @ts-check
// How often and after what time a version with more errors is found, on the plan that goes to 50 %.
import { lines } from "../chart.mjs";
import { ERRORS, watchWorse } from "../halftone.mjs";
import { firstWindow, medianMinutes, part, percent, repeat } from "../study.mjs";
import { errorTraffic } from "../traffic.mjs";
import { HOUR, PLAN, steady } from "./scenarios.mjs";

const RATES = [2, 20, 100, 500];
const RISKS = [1.5, 2, 3, 10];
const SHOWN_RATE = 20;

/** @type {import("../study.mjs").Study} */
export const errorsFound = {
  id: "errors-found",
  title: "Versions with more errors: part found within the hour, and median time",
  run(run) {
    /** @type {{ title: string, points: (readonly [number, number])[] }[]} */
    const shown = [];
    const cell = (/** @type {number} */ rate, /** @type {number} */ risk) => {
      const found = watched(run, rate, risk);
      if (rate === SHOWN_RATE) shown.push({ title: `${risk} times as many`, points: curve(found) });
      const inTime = percent(
        part(found, (at) => at !== undefined),
        0,
      );
      const median = medianMinutes(found);
      return median === "-" ? inTime : `${inTime}, ${median}`;
    };
    return {
      head: ["requests a second", ...RISKS.map((risk) => `${risk} times the errors`)],
      rows: RATES.map((rate) => [`${rate}`].concat(RISKS.map((risk) => cell(rate, risk)))),
      picture: lines({
        title: `Part found, ${SHOWN_RATE} requests a second, 0.5 % errors, a quarter of an hour each at 1, 5, 20, 50 %`,
        minutes: 60,
        lines: shown,
      }),
    };
  },
};

/**
 * @param {import("../study.mjs").Run} run
 * @param {number} rate
 * @param {number} risk
 */
function watched(run, rate, risk) {
  return repeat(run, `${rate} ${risk}`, (random) => {
    const traffic = errorTraffic(random, { rate, base: steady(0.005), risk: steady(risk), share: PLAN });
    const isWorse = watchWorse(ERRORS);
    return firstWindow(HOUR, (window) => isWorse([traffic(window)]));
  });
}

/**
 * @param {readonly (number | undefined)[]} found
 * @returns {(readonly [number, number])[]}
 */
function curve(found) {
  return Array.from({ length: HOUR / 2 + 1 }, (_, index) => {
    const window = 2 * index;
    return [window / 6, part(found, (at) => at !== undefined && at <= window)];
  });
}
