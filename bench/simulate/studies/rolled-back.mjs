// @ts-check
// How studies show which of several rules rolled releases back, and how often.
import { bars } from "../chart.mjs";
import { percent } from "../study.mjs";

/**
 * A row for each scenario; and those of them that the picture is about, a bar for each rule.
 * @template {{ title: string, rate: number }} Scenario
 * @param {object} shown
 * @param {readonly string[]} shown.rules
 * @param {readonly { scenario: Scenario, parts: readonly number[] }[]} shown.found parts of the releases, in the order of the rules
 * @param {string} shown.title of the picture
 * @param {(scenario: Scenario) => boolean} shown.isPictured
 * @param {(scenario: Scenario) => string} shown.nameOf a scenario in the picture
 * @returns {import("../study.mjs").Result}
 */
export function rolledBackByRule({ rules, found, title, isPictured, nameOf }) {
  return {
    head: ["errors", "requests a second", ...rules],
    rows: found.map(({ scenario, parts }) => [
      scenario.title,
      `${scenario.rate}`,
      ...parts.map((value) => percent(value)),
    ]),
    picture: bars({
      title,
      legend: rules,
      rows: found
        .filter(({ scenario }) => isPictured(scenario))
        .flatMap(({ scenario, parts }) =>
          parts.map((value, kind) => ({
            title: kind === 0 ? nameOf(scenario) : "",
            value: 100 * value,
            kind,
          })),
        ),
      most: 100,
      digits: 1,
    }),
  };
}
