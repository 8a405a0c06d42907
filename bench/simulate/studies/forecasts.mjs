// @ts-check
// Is what the forecast promises what happens? Half an hour at 20 %.
import { chanceToFind } from "../core.mjs";
import { ERRORS, watchWorse } from "../halftone.mjs";
import { firstWindow, part, percent, repeat } from "../study.mjs";
import { errorTraffic, WINDOW } from "../traffic.mjs";
import { steady } from "./scenarios.mjs";

const SHARE = 0.2;
const WINDOWS = 180;
const BASE = 0.005;

/** @type {import("../study.mjs").Study} */
export const forecasts = {
  id: "forecasts",
  title: "Part found in half an hour at 20 %, forecast and simulated",
  run(run) {
    return {
      head: ["requests a second", "errors", "forecast", "simulated"],
      rows: [2, 20, 100].flatMap((rate) =>
        [1.5, 2, 3, 5, 10].map((risk) => {
          const found = repeat(run, `${rate} ${risk}`, (random) => {
            const traffic = errorTraffic(random, {
              rate,
              base: steady(BASE),
              risk: steady(risk),
              share: steady(SHARE),
            });
            const isWorse = watchWorse(ERRORS);
            return firstWindow(WINDOWS, (window) => isWorse([traffic(window)]));
          });
          const all = rate * WINDOW;
          const traffic = { test: all * SHARE, rest: all * (1 - SHARE), badPart: BASE };
          const search = { alpha: ERRORS.alpha, beta: ERRORS.beta, worseThan: 1.2, part: 1 };
          return [
            `${rate}`,
            `${risk} times as many`,
            percent(chanceToFind(search, traffic, WINDOWS, risk), 0),
            percent(
              part(found, (at) => at !== undefined),
              0,
            ),
          ];
        }),
      ),
    };
  },
};
