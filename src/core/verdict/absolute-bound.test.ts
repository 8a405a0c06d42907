import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lnBelowBound, totalNeeded } from "./absolute-bound.ts";

describe("the absolute bound", () => {
  it("is nothing without data", () => {
    expect(lnBelowBound({ total: 0, bad: 0 }, 0.001)).toBeCloseTo(0, 12);
  });

  it("needs a tenth more than the rule of three, 3 divided by the bound at 5 %, where nothing is bad", () => {
    for (const bound of [0.1, 0.01, 0.001, 1e-5]) {
      const ruleOfThree = Math.log(20) / -Math.log1p(-bound);
      const needed = totalNeeded(0, bound, 0.05);
      expect(needed).toBeGreaterThan(ruleOfThree);
      expect(needed).toBeLessThan(1.12 * ruleOfThree + 1);
      expect(lnBelowBound({ total: needed, bad: 0 }, bound)).toBeGreaterThanOrEqual(Math.log(20));
      expect(lnBelowBound({ total: needed - 1, bad: 0 }, bound)).toBeLessThan(Math.log(20));
    }
  });

  it("survives a few bad ones, at their price", () => {
    const needed = [0, 1, 2, 5].map((bad) => totalNeeded(bad, 0.001, 0.05));
    expect(needed).toEqual(needed.toSorted((one, other) => one - other));
    expect(needed[1]).toBeLessThan(7500);
    expect(needed[3]).toBeLessThan(17_000);
  });

  it("comes to an end whatever is asked", () => {
    expect(totalNeeded(Number.MAX_SAFE_INTEGER, 1e-9, 1e-12)).toSatisfy(Number.isFinite);
  });

  it("is expected not to grow with any outcome where the hypothesis holds", () => {
    // At the bound itself the mean of the capital after n outcomes is exactly 1.
    const bound = 0.3;
    for (const total of [1, 5, 20]) {
      let mean = 0;
      let ways = 1;
      for (let bad = 0; bad <= total; bad++) {
        mean +=
          ways * bound ** bad * (1 - bound) ** (total - bad) * Math.exp(lnBelowBound({ total, bad }, bound));
        ways *= (total - bad) / (bad + 1);
      }
      expect(mean).toBeCloseTo(1, 10);
    }
  });

  it("is a number on any counts, and grows with good ones only", () => {
    const bound = fc.double({ min: 1e-6, max: 0.5, noNaN: true });
    fc.assert(
      fc.property(bound, fc.maxSafeNat(), fc.nat(1000), (bound, good, bad) => {
        const here = lnBelowBound({ total: good + bad, bad }, bound);
        expect(here).toSatisfy(Number.isFinite);
        expect(lnBelowBound({ total: good + 1 + bad, bad }, bound)).toBeGreaterThanOrEqual(here);
        expect(lnBelowBound({ total: good + bad + 1, bad: bad + 1 }, bound)).toBeLessThan(here);
      }),
    );
  });
});
