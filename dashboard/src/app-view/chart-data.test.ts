import { expect, it } from "vitest";
import { chartData } from "./chart-data.ts";

const frame = (second: number, a: number): Parameters<typeof chartData>[0][number] => ({
  app: "shop",
  at: new Date(second * 1000).toISOString(),
  groups: [{ group: "a", perSecond: a, failuresPerSecond: 0, inFlight: 0 }],
});
const LINES = [
  { group: "a", measure: "perSecond" },
  { group: "b", measure: "p99" },
] as const;

it("is a list of times and one for each line, with nothing where nothing is known", () => {
  expect(chartData([frame(1, 5), frame(2, 6)], LINES)).toEqual([
    [1, 2],
    [5, 6],
    [null, null],
  ]);
});

it("has a gap where the page heard nothing, and takes no moment twice", () => {
  expect(chartData([frame(1, 5), frame(1, 7), frame(9, 6)], LINES.slice(0, 1))).toEqual([
    [1, 2, 9],
    [5, null, 6],
  ]);
});
