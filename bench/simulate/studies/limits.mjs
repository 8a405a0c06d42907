// @ts-check
// Where equal versions are called worse more often than they should: errors that do not come one by one, and sides that
// differ by more than their version.
import { ERRORS, watchWorse } from "../halftone.mjs";
import { firstWindow, part, percent, repeat } from "../study.mjs";
import { errorTraffic } from "../traffic.mjs";
import { HOUR, PLAN, steady } from "./scenarios.mjs";

/** @typedef {import("../traffic.mjs").Errors} Errors */

const ALL = Number.MAX_SAFE_INTEGER;
const plan = { rate: 100, base: steady(0.01), share: PLAN };
const fifth = { rate: 20, base: steady(0.02), share: steady(0.2) };
/** Three requests a second of ten, by one client. */
const crawler = { rate: 8, errors: undefined, pause: 0 };
const broken = { rate: 1, errors: 1, counted: ALL };

/** @type {readonly { title: string, rule: string, scenario: Errors }[]} */
const CASES = [
  {
    title: "bursts of 5 errors",
    rule: "every error",
    scenario: { ...plan, bursts: { size: 5, once: false, spill: 0 } },
  },
  {
    title: "the same",
    rule: "one a client and window",
    scenario: { ...plan, bursts: { size: 5, once: true, spill: 0 } },
  },
  {
    title: "half of the bursts go on in the next window",
    rule: "one a client and window",
    scenario: { ...plan, bursts: { size: 5, once: true, spill: 0.5 } },
  },
  {
    title: "the same",
    rule: "one a client and minute",
    scenario: { ...plan, bursts: { size: 5, once: true, spill: 0 } },
  },
  {
    title: "one client makes 30 % of all requests",
    rule: "one error a client and window, all requests",
    scenario: { ...fifth, client: { ...crawler, counted: ALL } },
  },
  {
    title: "the same",
    rule: "the same, among its first 16 requests",
    scenario: { ...fifth, client: { ...crawler, counted: 16 } },
  },
  {
    title: "one client whose every request fails",
    rule: "one a client and window",
    scenario: { ...fifth, client: { ...broken, pause: 0 } },
  },
  {
    title: "the same",
    rule: "one a client and 10 minutes",
    scenario: { ...fifth, client: { ...broken, pause: 60 } },
  },
  {
    title: "the same",
    rule: "one a client and step",
    scenario: { ...fifth, client: { ...broken, pause: HOUR } },
  },
  ...[0.1, 0.2, 0.3, 0.5].map((wander) => ({
    title: `each side's rate wanders by itself by ±${100 * wander} % (minutes)`,
    rule: "one a client and window",
    scenario: { ...fifth, wander },
  })),
];

/** @type {import("../study.mjs").Study} */
export const limits = {
  id: "limits",
  title: "What false alarms depend on",
  run(run) {
    return {
      head: ["equal versions, an hour", "what is counted", "called worse"],
      rows: CASES.map(({ title, rule, scenario }) => {
        const releases = repeat(run, title + rule, (random) => {
          const traffic = errorTraffic(random, scenario);
          const isWorse = watchWorse(ERRORS);
          return firstWindow(HOUR, (window) => isWorse([traffic(window)]));
        });
        return [title, rule, percent(part(releases, (at) => at !== undefined))];
      }),
    };
  },
};
