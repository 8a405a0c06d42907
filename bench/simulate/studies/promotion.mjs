// @ts-check
// How long it takes to prove that a version which is alike is not worse, by all that counts in the product.
import { addWindow, errorSignal, judge, newEvidence } from "../core.mjs";
import { medianMinutes, part, percent, quantileMinutes, repeat } from "../study.mjs";
import { errorTraffic } from "../traffic.mjs";
import { steady } from "./scenarios.mjs";

/** Windows of half an hour. */
const HALF_AN_HOUR = 180;
const CASES = [
  { title: "0.5 %, alike", rate: 20, base: 0.005, risk: 1, margin: 3 },
  { title: "0.5 %, alike", rate: 20, base: 0.005, risk: 1, margin: 2 },
  { title: "0.5 %, alike", rate: 100, base: 0.005, risk: 1, margin: 2 },
  { title: "0.5 %, alike", rate: 2, base: 0.005, risk: 1, margin: 3 },
  { title: "none at all", rate: 20, base: 0, risk: 1, margin: 2 },
  { title: "none at all", rate: 2, base: 0, risk: 1, margin: 2 },
  { title: "0.5 → 1 %, as bad as the margin", rate: 100, base: 0.005, risk: 2, margin: 2 },
  { title: "0.5 → 1.5 %, as bad as the margin", rate: 20, base: 0.005, risk: 3, margin: 3 },
  { title: "0.01 → 0.05 %", rate: 100, base: 0.0001, risk: 5, margin: 2 },
];

/** @type {import("../study.mjs").Study} */
export const promotion = {
  id: "promotion",
  title: "Half an hour at 20 %: how it ends",
  run(run) {
    return {
      head: [
        "errors",
        "requests a second",
        "not worse than",
        "shown not worse",
        "median",
        "nine of ten within",
        "called worse",
        "held",
      ],
      rows: CASES.map((scenario) => {
        const ends = repeat(run, `${scenario.title} ${scenario.rate} ${scenario.margin}`, (random) =>
          release(random, scenario),
        );
        const times = ends.map(({ answer, at }) => (answer === "notWorse" ? at : undefined));
        const notWorse = part(ends, ({ answer }) => answer === "notWorse");
        const worse = part(ends, ({ answer }) => answer === "worse");
        return [
          scenario.title,
          `${scenario.rate}`,
          `${scenario.margin} times`,
          percent(notWorse),
          medianMinutes(times),
          quantileMinutes(times, 0.9),
          percent(worse),
          percent(part(ends, ({ answer }) => answer === "notEnough")),
        ];
      }),
    };
  },
};

/**
 * @param {import("../random.mjs").Random} random
 * @param {{ rate: number, base: number, risk: number, margin: number }} scenario
 */
function release(random, { rate, base, risk, margin }) {
  const signal = errorSignal({ worseThan: 1.2, notWorseThan: margin });
  const settings = { alpha: 0.01, beta: 0.05, signals: [signal] };
  const traffic = errorTraffic(random, { rate, base: steady(base), risk: steady(risk), share: steady(0.2) });
  let evidence = newEvidence(settings);
  for (let window = 0; window < HALF_AN_HOUR; window++) {
    evidence = addWindow(settings, evidence, { errors: traffic(window) });
    const { answer } = judge(settings, evidence);
    if (answer !== "notEnough") return { answer, at: window + 1 };
  }
  return { answer: "notEnough", at: HALF_AN_HOUR };
}
