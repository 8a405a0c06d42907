// @ts-check
// One broken server in the group under test, or a version that is bad on all of them: is the right one blamed?
import { addWindow, judge, newEvidence } from "../core.mjs";
import { ERRORS } from "../halftone.mjs";
import { medianMinutes, part, percent, repeat } from "../study.mjs";
import { HOUR } from "./scenarios.mjs";

const RATE = 200;
const SHARE = 0.2;
const BASE = 0.005;

/** @type {readonly { title: string, servers: number, broken: number, risk: number }[]} */
const CASES = [
  { title: "one of two fails 5 %", servers: 2, broken: 10, risk: 1 },
  { title: "one of two fails 25 %", servers: 2, broken: 50, risk: 1 },
  { title: "one of four fails 5 %", servers: 4, broken: 10, risk: 1 },
  { title: "one of four fails 25 %", servers: 4, broken: 50, risk: 1 },
  { title: "one of ten fails 5 %", servers: 10, broken: 10, risk: 1 },
  { title: "one of ten fails 25 %", servers: 10, broken: 50, risk: 1 },
  { title: "all of two, 3 times as many", servers: 2, broken: 3, risk: 3 },
  { title: "all of four, 3 times as many", servers: 4, broken: 3, risk: 3 },
  { title: "all of four, 10 times as many", servers: 4, broken: 10, risk: 10 },
  { title: "all of ten, 10 times as many", servers: 10, broken: 10, risk: 10 },
  { title: "all of four 3 times, one of them 20 times as many", servers: 4, broken: 20, risk: 3 },
];

/** @type {import("../study.mjs").Study} */
export const badServer = {
  id: "bad-server",
  title: "Which is blamed, the server or the version",
  run(run) {
    return {
      head: [
        "in the group under test",
        "the broken server",
        "the version",
        "a server like the others",
        "nobody in an hour",
        "median",
      ],
      rows: CASES.map((scenario) => {
        const ends = repeat({ ...run, releases: Math.ceil(run.releases / 5) }, scenario.title, (random) =>
          release(random, scenario),
        );
        const blamed = (/** @type {string} */ who) => percent(part(ends, (end) => end.who === who));
        return [
          scenario.title,
          blamed("broken"),
          blamed("version"),
          blamed("other"),
          blamed("nobody"),
          medianMinutes(ends.map(({ at }) => at)),
        ];
      }),
    };
  },
};

/**
 * @param {import("../random.mjs").Random} random
 * @param {{ servers: number, broken: number, risk: number }} scenario
 */
function release(random, { servers: count, broken, risk }) {
  let evidence = newEvidence(ERRORS);
  for (let window = 0; window < HOUR; window++) {
    const total = random.poisson(RATE);
    const test = random.binomial(total, SHARE);
    /** @type {Record<string, { total: number, bad: number }>} */
    const servers = {};
    let left = test;
    let bad = 0;
    for (let server = 0; server < count; server++) {
      const own = random.binomial(left, 1 / (count - server));
      const failed = random.binomial(own, BASE * (server === 0 ? broken : risk));
      servers[`s${server}`] = { total: own, bad: failed };
      left -= own;
      bad += failed;
    }
    const rest = { total: total - test, bad: random.binomial(total - test, BASE) };
    evidence = addWindow(ERRORS, evidence, { errors: { test: { total: test, bad }, rest, servers } });
    const verdict = judge(ERRORS, evidence);
    if (verdict.answer !== "worse") continue;
    const who = verdict.badServer ?? "version";
    if (who === "version") return { who, at: window + 1 };
    return { who: who === "s0" && broken > risk ? "broken" : "other", at: window + 1 };
  }
  return { who: "nobody", at: undefined };
}
