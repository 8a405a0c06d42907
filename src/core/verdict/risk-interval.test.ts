import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { soundCounts, type Comparison } from "./counts.ts";
import { addToRiskProfile, NEW_RISK_PROFILE, riskInterval, type RiskInterval } from "./risk-interval.ts";

function intervalOf(windows: readonly Comparison[], miss = 0.05): RiskInterval {
  return riskInterval(windows.reduce(addToRiskProfile, NEW_RISK_PROFILE), miss);
}

const of = (testBad: number, restBad: number, total = 1e6): Comparison => ({
  test: { total, bad: testBad },
  rest: { total, bad: restBad },
});

describe("the interval of the relative risk", () => {
  it("is everything as long as nothing is known", () => {
    expect(intervalOf([])).toEqual({ low: 0, high: undefined });
    expect(intervalOf([of(0, 0), of(3, 0, 0)])).toEqual({ low: 0, high: undefined });
  });

  it("closes in on the truth", () => {
    const wide = intervalOf([of(30, 10)]);
    const narrow = intervalOf([of(3000, 1000)]);
    expect(wide.low).toBeGreaterThan(1);
    expect(wide.low).toBeLessThan(narrow.low);
    expect(narrow.low).toBeGreaterThan(2.5);
    expect(narrow.high).toBeLessThan(3.7);
    expect(narrow.high).toBeLessThan(wide.high ?? Infinity);
  });

  it("has one end only where nothing is bad on one side", () => {
    expect(intervalOf([of(40, 0)])).toMatchObject({ high: undefined });
    expect(intervalOf([of(40, 0)]).low).toBeGreaterThan(4);
    expect(intervalOf([of(0, 40)])).toMatchObject({ low: 0 });
    expect(intervalOf([of(0, 40)]).high).toBeLessThan(1 / 4);
  });

  it("stays within what it can tell, on any counts", () => {
    const count = fc.oneof(fc.nat(50), fc.maxSafeNat());
    const counts = fc.tuple(count, count).map(([total, bad]) => soundCounts({ total, bad }));
    fc.assert(
      fc.property(fc.array(fc.record({ test: counts, rest: counts }), { maxLength: 10 }), (windows) => {
        const { low, high = Infinity } = intervalOf(windows);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThan(high);
      }),
    );
  });

  it("mirrors when the sides are swapped", () => {
    const { low, high } = intervalOf([of(30, 10)]);
    const swapped = intervalOf([of(10, 30)]);
    // The grid reaches farther up than down, the bets do not here.
    expect(swapped.high).toBeCloseTo(1 / low, 6);
    expect(swapped.low).toBeCloseTo(1 / high!, 1);
  });
});
