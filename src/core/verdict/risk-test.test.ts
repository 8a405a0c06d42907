import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { soundCounts, type Comparison } from "./counts.ts";
import {
  addToRiskEvidence,
  BROKEN_TEST,
  lnEvidence,
  lnGain,
  newRiskEvidence,
  notWorseTest,
  UNEQUAL,
  worseTest,
  type RiskEvidence,
  type RiskTest,
} from "./risk-test.ts";

const TESTS: readonly RiskTest[] = [
  UNEQUAL,
  worseTest(1.2),
  worseTest(3),
  notWorseTest(2),
  notWorseTest(1.1),
  BROKEN_TEST,
];
const test = fc.constantFrom(...TESTS);
const count = fc.oneof(fc.nat(20), fc.nat(100_000), fc.maxSafeNat());
const counts = fc.tuple(count, count).map(([total, bad]) => soundCounts({ total, bad }));
const comparison: fc.Arbitrary<Comparison> = fc.record({ test: counts, rest: counts });

const window = (testTotal: number, testBad: number, restTotal: number, restBad: number): Comparison => ({
  test: { total: testTotal, bad: testBad },
  rest: { total: restTotal, bad: restBad },
});

const gather = (test: RiskTest, windows: readonly Comparison[]): RiskEvidence =>
  windows.reduce((evidence, next) => addToRiskEvidence(test, evidence, next), newRiskEvidence(test));
const lnOf = (test: RiskTest, windows: readonly Comparison[]): number =>
  lnEvidence(test, gather(test, windows));

describe("a test of the relative risk", () => {
  it("begins with a capital of 1", () => {
    for (const test of TESTS) expect(lnOf(test, [])).toBeCloseTo(0, 12);
  });

  it("multiplies each stake by the likelihood ratio of the formula", () => {
    // 10 of 40 requests, 3 of 4 errors: against m = 1.2 a stake on r wins (r/m)^3 * ((3/4+r/4)/(3/4+m/4))^-4.
    const bet = (risk: number): number => (risk / 1.2) ** 3 * ((0.75 + risk / 4) / (0.75 + 1.2 / 4)) ** -4;
    expect(lnGain(window(10, 3, 30, 1), 3, 1.2)).toBeCloseTo(Math.log(bet(3)), 12);
    const { bets, held } = worseTest(1.2);
    expect(held).toBe(0.25);
    const capital = bets.reduce((sum, { risk, weight }) => sum + 0.75 * weight * bet(risk), 0.25);
    expect(lnOf(worseTest(1.2), [window(10, 3, 30, 1)])).toBeCloseTo(Math.log(capital), 12);
  });

  it("stakes the part held back as bad ones are seen, half of it after twenty", () => {
    const first = window(10, 10, 10, 10);
    const { lnStakes } = gather(UNEQUAL, [first]);
    for (const [index, { risk, weight }] of UNEQUAL.bets.entries()) {
      const stake = 0.75 * weight * Math.exp(lnGain(first, risk, 1)) + 0.125 * weight;
      expect(lnStakes[index]).toBeCloseTo(Math.log(stake), 12);
    }
  });

  it("is not moved by windows without traffic on both sides or without anything bad", () => {
    for (const test of TESTS) {
      const evidence = gather(test, [window(50, 3, 50, 1)]);
      for (const nothing of [
        window(0, 0, 9, 5),
        window(9, 5, 0, 0),
        window(9, 0, 9, 0),
        window(0, 0, 0, 0),
      ]) {
        expect(addToRiskEvidence(test, evidence, nothing)).toBe(evidence);
      }
    }
  });

  it("is made of numbers whatever is counted, and the same when read back from JSON", () => {
    fc.assert(
      fc.property(test, fc.array(comparison, { maxLength: 30 }), (test, windows) => {
        const evidence = gather(test, windows);
        for (const value of [...evidence.lnStakes, evidence.bad, lnEvidence(test, evidence)]) {
          expect(value).toSatisfy(Number.isFinite);
        }
        expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
      }),
    );
  });

  it("never loses all: what is held back stands by for faults that come late", () => {
    fc.assert(
      fc.property(fc.array(comparison, { maxLength: 30 }), (windows) => {
        const bad = windows.reduce((sum, { test, rest }) => sum + test.bad + rest.bad, 0);
        expect(lnOf(UNEQUAL, windows)).toBeGreaterThanOrEqual(Math.log((0.25 * 20) / (20 + bad)) - 1e-9);
      }),
    );
  });
});

describe("what a test says", () => {
  const small = fc.integer({ min: 1, max: 60 });
  const busy = fc
    .tuple(small, small, fc.nat(60), fc.nat(60))
    .map(([test, rest, a, b]) => window(test, Math.min(a, test), rest, Math.min(b, rest)));

  it("is more for worse, and less for not worse, for each bad one more in the group under test", () => {
    fc.assert(
      fc.property(fc.array(busy, { maxLength: 5 }), busy, (windows, last) => {
        fc.pre(last.test.bad < last.test.total);
        const { test, rest } = last;
        const more = { test: { ...test, bad: test.bad + 1 }, rest };
        for (const test of [UNEQUAL, worseTest(1.2)]) {
          expect(lnOf(test, [...windows, more])).toBeGreaterThan(lnOf(test, [...windows, last]) - 1e-9);
        }
        for (const test of [notWorseTest(2), notWorseTest(1.3)]) {
          expect(lnOf(test, [...windows, more])).toBeLessThan(lnOf(test, [...windows, last]) + 1e-9);
        }
      }),
    );
  });

  it("does not depend on the order of the windows, but for what is held back", () => {
    fc.assert(
      fc.property(fc.array(busy, { maxLength: 12 }), (windows) => {
        for (const test of [notWorseTest(2), BROKEN_TEST, { ...UNEQUAL, held: 0 }]) {
          expect(lnOf(test, windows.toReversed())).toBeCloseTo(lnOf(test, windows), 8);
        }
      }),
    );
  });

  it("is expected not to grow in any window where the hypothesis holds, however often something is bad", () => {
    fc.assert(
      fc.property(
        test,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (test, testTotal, restTotal, rate, within) => {
          // A relative risk on the hypothesis' side: at most the margin for what bets on more, else at least that.
          const isUpwards = test.bets[0]!.risk > test.margin;
          const risk = isUpwards ? test.margin * within : test.margin * (1 + 3 * within);
          fc.pre(rate * risk <= 1);
          for (const bet of test.bets) {
            let mean = 0;
            for (let a = 0; a <= testTotal; a++) {
              for (let b = 0; b <= restTotal; b++) {
                const chance = binomial(testTotal, a, rate * risk) * binomial(restTotal, b, rate);
                mean += chance * Math.exp(lnGain(window(testTotal, a, restTotal, b), bet.risk, test.margin));
              }
            }
            expect(mean).toBeLessThanOrEqual(1 + 1e-9);
          }
        },
      ),
    );
  });

  it("grows to certainty where it is true, at any size", () => {
    const huge = Number.MAX_SAFE_INTEGER;
    const worse = { test: { total: huge / 4, bad: 3e12 }, rest: { total: huge / 4, bad: 1e12 } };
    expect(lnOf(UNEQUAL, [worse])).toBeGreaterThan(1e9);
    expect(lnOf(notWorseTest(2), [worse])).toBeLessThan(-1e9);
    expect(lnOf(notWorseTest(2), [{ test: worse.rest, rest: worse.test }])).toBeGreaterThan(1e9);
  });
});

function binomial(count: number, successes: number, chance: number): number {
  let ways = 1;
  for (let index = 0; index < successes; index++) ways *= (count - index) / (index + 1);
  return ways * chance ** successes * (1 - chance) ** (count - successes);
}
