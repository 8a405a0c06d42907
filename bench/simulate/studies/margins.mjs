// @ts-check
// Versions exactly as bad as a margin: how often the wrong verdict on it is given within an hour.
import { ERRORS, watchNotWorse, watchWorse } from "../halftone.mjs";
import { firstWindow, part, percent, repeat } from "../study.mjs";
import { errorTraffic } from "../traffic.mjs";
import { HOUR, PLAN, steady } from "./scenarios.mjs";

const CASES = [
  { risk: 1.2, rate: 20, base: 0.005 },
  { risk: 1.2, rate: 500, base: 0.005 },
  { risk: 1.2, rate: 100, base: 0.3 },
  { risk: 1.1, rate: 500, base: 0.005 },
  { risk: 2, rate: 20, base: 0.005 },
  { risk: 2, rate: 500, base: 0.005 },
  { risk: 2, rate: 100, base: 0.3 },
];

/** @type {import("../study.mjs").Study} */
export const margins = {
  id: "margins",
  title: "Versions as bad as a margin",
  run(run) {
    return {
      head: [
        "errors",
        "of the others",
        "requests a second",
        "called worse (than 1.2 times)",
        "shown not worse (than twice)",
      ],
      rows: CASES.map(({ risk, rate, base }) => {
        const found = repeat(run, `${risk} ${rate} ${base}`, (random) => {
          const traffic = errorTraffic(random, { rate, base: steady(base), risk: steady(risk), share: PLAN });
          const isWorse = watchWorse(ERRORS);
          const isNotWorse = watchNotWorse(2, ERRORS.beta);
          let [worse, notWorse] = [false, false];
          firstWindow(HOUR, (window) => {
            const comparison = traffic(window);
            worse ||= isWorse([comparison]);
            notWorse ||= isNotWorse(comparison);
            return worse && notWorse;
          });
          return { worse, notWorse };
        });
        return [
          `${risk} times as many`,
          percent(base),
          `${rate}`,
          percent(part(found, ({ worse }) => worse)),
          percent(part(found, ({ notWorse }) => notWorse)),
        ];
      }),
    };
  },
};
