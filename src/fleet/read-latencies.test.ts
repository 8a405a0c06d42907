import { expect, it } from "vitest";
import { readLatencies } from "./read-latencies.ts";

it("takes what this program writes, and nothing that cannot be reckoned with", () => {
  expect(readLatencies({ blue: [0, 1, 159, 2.5], green: [] })).toEqual({ blue: [0, 1, 159, 2.5], green: [] });
  for (const bad of [
    { blue: [160, 1] },
    { blue: [1] },
    { blue: [-1, 1] },
    { blue: [0.5, 1] },
    { blue: [1, -1] },
    [1],
    7,
  ]) {
    expect(readLatencies(bad), JSON.stringify(bad)).toBeUndefined();
  }
});
