import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOfStep, quantile, SCALE_LENGTH, stepOf } from "./latency-scale.ts";

const latency = fc.double({ min: 0.001, max: 65_000, noNaN: true });

describe("the scale of latencies", () => {
  it("tells a tenth apart", () => {
    fc.assert(
      fc.property(latency, (milliseconds) => {
        const step = stepOf(milliseconds);
        expect(milliseconds).toBeLessThanOrEqual(endOfStep(step) * (1 + 1e-12));
        if (step > 0) expect(milliseconds).toBeGreaterThan(endOfStep(step) / 1.0906);
      }),
    );
  });

  it("has a step for whatever was measured", () => {
    for (const none of [0, -1, 1e-9, Number.NaN]) expect(stepOf(none)).toBe(0);
    for (const long of [65_536, 1e9, Infinity]) expect(stepOf(long)).toBe(SCALE_LENGTH - 1);
  });
});

describe("a quantile", () => {
  it("is where the step ends in which it lies", () => {
    const counts = Array.from({ length: SCALE_LENGTH }, () => 0);
    expect(quantile(counts, 0.5)).toBeUndefined();
    counts[8] = 50;
    counts[16] = 49;
    counts[24] = 1;
    const [p50, p90, p99, most] = [0.5, 0.9, 0.99, 1].map((part) => quantile(counts, part));
    expect([p50, p90, p99, most]).toEqual([endOfStep(8), endOfStep(16), endOfStep(16), endOfStep(24)]);
  });

  it("has no more above it than it should", () => {
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: 1, maxLength: 300 }),
        fc.constantFrom(0.5, 0.9, 0.99),
        (all, part) => {
          const counts = Array.from({ length: SCALE_LENGTH }, () => 0);
          for (const one of all) counts[stepOf(one)]! += 1;
          const slow = quantile(counts, part)!;
          const above = all.filter((one) => one > slow * (1 + 1e-12)).length;
          expect(above).toBeLessThanOrEqual((1 - part) * all.length + 1e-9);
        },
      ),
    );
  });
});
