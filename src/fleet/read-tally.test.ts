import { describe, expect, it } from "vitest";
import { readTally } from "./read-tally.ts";
import type { AppTally } from "./roster.ts";

const WINDOW = {
  window: 170_000_000,
  part: 0.5,
  cells: { "10.0.0.1:80": [3, 2, 1, 2, 1, 2, 0.5], test: [1, 0, 0, 0, 0, 0, 0] },
  erring: [[7, "10.0.0.1:80"]],
  met: [7],
  testers: [4, 1],
} as const;
const TALLY: AppTally = { release: "r1", length: 10_000, windows: [WINDOW], latencies: [[40, 7]] };

describe("what another gateway counted", () => {
  it("is what it wrote", () => {
    expect(readTally(JSON.parse(JSON.stringify(TALLY)))).toEqual(TALLY);
    expect(readTally({ ...TALLY, windows: [], latencies: [], later: 1 })).toEqual({
      ...TALLY,
      windows: [],
      latencies: [],
    });
  });

  it.each([
    ["nothing", undefined],
    ["no object", 7],
    ["no windows", { ...TALLY, windows: undefined }],
    ["no release", { ...TALLY, release: 1 }],
    ["a length of nothing", { ...TALLY, length: 0 }],
    ["a step that is none", { ...TALLY, latencies: [[-1, 7]] }],
    ["a count that is text", { ...TALLY, latencies: [[1, "7"]] }],
    ["a window without a number", { ...TALLY, windows: [{ ...WINDOW, window: null }] }],
    ["a part of nobody", { ...TALLY, windows: [{ ...WINDOW, part: 0 }] }],
    ["more than all", { ...TALLY, windows: [{ ...WINDOW, part: 2 }] }],
    ["a short cell", { ...TALLY, windows: [{ ...WINDOW, cells: { test: [1] } }] }],
    ["less than no request", { ...TALLY, windows: [{ ...WINDOW, cells: { test: [-1, 0, 0, 0, 0, 0, 0] } }] }],
    ["clients without a server", { ...TALLY, windows: [{ ...WINDOW, erring: [7] }] }],
    ["clients that are text", { ...TALLY, windows: [{ ...WINDOW, met: ["7"] }] }],
    ["testers that are no pair", { ...TALLY, windows: [{ ...WINDOW, testers: [1] }] }],
  ])("says nothing as a whole when there is %s", (_, value) => {
    expect(readTally(value)).toBeUndefined();
  });
});
