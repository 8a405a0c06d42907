import { expect, it } from "vitest";
import { logAxis } from "./log-axis.ts";

it("has one in the middle, and twice as far from it as half", () => {
  const { place } = logAxis([2]);
  expect(place(1)).toBe(50);
  expect(place(2) - 50).toBeCloseTo(50 - place(0.5), 9);
});

it("ends where a line can end", () => {
  const { place, ticks } = logAxis([0, null, Infinity, 1e9]);
  expect(place(0)).toBeCloseTo(0, 9);
  expect(place(1e9)).toBeCloseTo(100, 9);
  expect(ticks).toContain(100);
  expect(logAxis([]).ticks).toEqual([0.5, 1, 2]);
});
