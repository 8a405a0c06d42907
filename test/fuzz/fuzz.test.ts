import { describe, expect, it } from "vitest";

import { Batches } from "./batch.ts";
import { HALFTONE } from "./subject.ts";

const SEED = Number(process.env["HALFTONE_SEED"] ?? Date.now() % 2 ** 31);

describe("a short run", () => {
  it.each([
    ["request", 20_000],
    ["response", 10_000],
    ["body", 10_000],
  ] as const)("of %s inputs finds nothing", (kind, inputs) => {
    console.log(`HALFTONE_SEED=${SEED}`);
    const batches = new Batches(kind, SEED, HALFTONE);
    expect(batches.run(0, inputs)).toEqual([]);
    // Inputs that all were refused would show nothing.
    expect(batches.tally.bothAccept).toBeGreaterThan(inputs / 10);
    expect(batches.tally.roundTrips).toBeGreaterThan(inputs / 10);
  });
});
