import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lnMean, lnSum, lnSumOfTwo } from "./log-space.ts";

const logarithm = fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.constant(-Infinity));

describe("sums of logarithms", () => {
  it("are those of the numbers", () => {
    expect(lnSum([Math.log(2), Math.log(3), -Infinity])).toBeCloseTo(Math.log(5), 12);
    expect(lnSumOfTwo(Math.log(2), Math.log(3))).toBeCloseTo(Math.log(5), 12);
    expect(lnMean([Math.log(2), Math.log(8)], [2, 1])).toBeCloseTo(Math.log(4), 12);
    expect(lnSum([])).toBe(-Infinity);
    expect(lnSum([-Infinity, -Infinity])).toBe(-Infinity);
    expect(lnSumOfTwo(-Infinity, -Infinity)).toBe(-Infinity);
  });

  it("neither overflow nor vanish", () => {
    fc.assert(
      fc.property(fc.array(logarithm, { minLength: 1, maxLength: 9 }), (values) => {
        const most = Math.max(...values);
        expect(lnSum(values)).toBeGreaterThanOrEqual(most);
        expect(lnSum(values)).toBeLessThanOrEqual(most + Math.log(values.length) + 1e-9);
        expect(lnSumOfTwo(values[0]!, most)).toBeCloseTo(lnSum([values[0]!, most]), 9);
        const weights = values.map(() => 3);
        expect(lnMean(values, weights)).toBeLessThanOrEqual(most + 1e-9);
      }),
    );
  });
});
