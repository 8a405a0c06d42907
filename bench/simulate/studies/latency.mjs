// @ts-check
// Slower versions: 200 requests in 10 s, 20 % of them to the version under test, log-normal latencies.
import { lines } from "../chart.mjs";
import { BOTH, LATENCY, watchWorse } from "../halftone.mjs";
import { firstWindow, medianMinutes, part, percent, quantileMinutes, repeat } from "../study.mjs";
import { normalAbove, slowTraffic, SPREAD } from "../traffic.mjs";
import { HOUR } from "./scenarios.mjs";

const NOTHING_BAD = { test: { total: 40, bad: 0 }, rest: { total: 160, bad: 0 } };
/** Where the slowest 5 % begin. */
const SLOWEST = 1.6448536269514722;

/** @type {readonly { title: string, shift: (above: (z: number) => number, z: number) => number }[]} */
const CASES = [
  { title: "all 10 % slower", shift: (_, z) => normalAbove(z - Math.log(1.1) / SPREAD) },
  { title: "all 30 % slower", shift: (_, z) => normalAbove(z - Math.log(1.3) / SPREAD) },
  { title: "any 5 % of the answers take twice as long", shift: (above, z) => slowPath(above, z, 2) },
  { title: "any 5 % take four times as long", shift: (above, z) => slowPath(above, z, 4) },
  { title: "the slowest 5 % take twice as long", shift: (above, z) => slowTail(above, z, 2) },
];

/** @type {import("../study.mjs").Study} */
export const latency = {
  id: "latency",
  title: "Slower versions found within the hour",
  run(run) {
    const found = CASES.map(({ title, shift }) => ({
      title,
      alone: watched(run, title, shift, false),
      beside: watched(run, title, shift, true),
    }));
    return {
      head: ["version", "found", "median", "nine of ten within", "median, errors counted too"],
      rows: found.map(({ title, alone, beside }) => [
        title,
        percent(
          part(alone, (at) => at !== undefined),
          1,
        ),
        medianMinutes(alone),
        quantileMinutes(alone, 0.9),
        medianMinutes(beside),
      ]),
      picture: lines({
        title: "Part of slower versions found, 20 requests a second, 20 % of them to the new version",
        minutes: 30,
        lines: found.map(({ title, alone }) => ({
          title: title.replace(" of the answers", ""),
          points: Array.from({ length: 181 }, (_, window) => [
            window / 6,
            part(alone, (at) => at !== undefined && at <= window),
          ]),
        })),
      }),
    };
  },
};

/**
 * @param {import("../study.mjs").Run} run
 * @param {string} title
 * @param {(above: (z: number) => number, z: number) => number} shift
 * @param {boolean} besideErrors
 */
function watched(run, title, shift, besideErrors) {
  return repeat(run, title, (random) => {
    const traffic = slowTraffic(random, { rate: 20, share: 0.2, shift });
    const isWorse = watchWorse(besideErrors ? BOTH : LATENCY);
    return firstWindow(HOUR, (window) =>
      isWorse(besideErrors ? [NOTHING_BAD, ...traffic(window)] : traffic(window)),
    );
  });
}

/**
 * One request in twenty, whichever, takes so many times as long.
 * @param {(z: number) => number} above
 * @param {number} z
 * @param {number} times
 */
function slowPath(above, z, times) {
  return 0.95 * above(z) + 0.05 * above(z - Math.log(times) / SPREAD);
}

/**
 * @param {(z: number) => number} above
 * @param {number} z
 * @param {number} times
 */
function slowTail(above, z, times) {
  return z < SLOWEST ? above(z) : above(Math.max(SLOWEST, z - Math.log(times) / SPREAD));
}
