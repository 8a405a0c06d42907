import { describe, expect, it } from "vitest";
import type { Comparison } from "./counts.ts";
import {
  addToRiskEvidence,
  lnEvidence,
  newRiskEvidence,
  notWorseTest,
  UNEQUAL,
  worseTest,
  type RiskTest,
} from "./risk-test.ts";

/**
 * What the tests do on simulated traffic, in small: the studies with thousands of releases a row are in `bench/simulate`,
 * their figures in `docs/verdicts.md`. The same numbers at each run; the bounds leave three standard errors.
 */
const SEED = 20_261_126;

/** mulberry32: good enough for some thousand draws, and short. */
function newDice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Binomial, by the gaps between the successes. */
function draw(dice: () => number, count: number, chance: number): number {
  let successes = 0;
  for (let place = 0; ; successes++) {
    place += Math.floor(Math.log(1 - dice()) / Math.log1p(-chance)) + 1;
    if (place > count) return successes;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

/** More errors than any of the figures is about. */
const MOST_ERRORS = 5000;

/** Errors one by one until the test reaches 1/miss, where the part `part` of the traffic is under test. */
function errorsUntil(test: RiskTest, miss: number, part: number, risk: number, dice: () => number): number {
  const ofTest = (part * risk) / (1 - part + part * risk);
  let evidence = newRiskEvidence(test);
  for (let errors = 1; errors < MOST_ERRORS; errors++) {
    const bad = dice() < ofTest ? 1 : 0;
    evidence = addToRiskEvidence(test, evidence, {
      test: { total: 1e6 * part, bad },
      rest: { total: 1e6 * (1 - part), bad: 1 - bad },
    });
    if (lnEvidence(test, evidence) >= -Math.log(miss)) return errors;
  }
  return MOST_ERRORS;
}

describe("errors of both sides that it takes at the median", () => {
  const dice = newDice(SEED);
  const medianOf = (test: RiskTest, miss: number, part: number, risk: number, runs: number): number =>
    median(Array.from({ length: runs }, () => errorsUntil(test, miss, part, risk, dice)));

  it.each([
    [0.05, 1.5, 1050],
    [0.05, 2, 320],
    [0.05, 3, 92],
    [0.05, 10, 13],
    [0.2, 1.5, 348],
    [0.2, 2, 104],
    [0.2, 3, 40],
    [0.2, 10, 9],
    [0.5, 1.5, 257],
    [0.5, 2, 88],
    [0.5, 3, 36],
    [0.5, 10, 14],
  ])("to find a version worse at a share of %d that has %d times the errors: %d", (part, risk, expected) => {
    const found = medianOf(UNEQUAL, 0.01, part, risk, 400);
    // The figures are those of even stakes; more is staked on the middle here, so that it may take fewer.
    expect(found).toBeGreaterThan(expected / 1.25 - 1);
    expect(found).toBeLessThan(expected * 1.12 + 1);
  });

  it.each([
    [0.05, 2, 184],
    [0.2, 2, 61],
    [0.5, 2, 49],
    [0.05, 3, 56],
    [0.2, 3, 23],
    [0.5, 3, 18],
  ])("to show at a share of %d that it is not %d times as bad: %d", (part, margin, expected) => {
    const found = medianOf(notWorseTest(margin), 0.05, part, 1, 2000);
    // Errors come in lumps: each one under test, of which there are few at a small share, sets it back by ten.
    expect(found).toBeGreaterThan(expected / 1.12 - 1);
    expect(found).toBeLessThan(expected * 1.12 + (part < 0.1 ? 7 : 1));
  });
});

describe("releases", () => {
  /** Part of the releases of so many windows in which the tests are all passed at some window. */
  function partPassed(
    releases: number,
    windows: number,
    tests: readonly (readonly [test: RiskTest, miss: number])[],
    traffic: (dice: () => number, window: number) => Comparison,
  ): number {
    const dice = newDice(SEED);
    let passed = 0;
    for (let release = 0; release < releases; release++) {
      const evidence = tests.map(([test]) => newRiskEvidence(test));
      for (let window = 0; window < windows; window++) {
        const comparison = traffic(dice, window);
        for (const [index, [test]] of tests.entries()) {
          evidence[index] = addToRiskEvidence(test, evidence[index]!, comparison);
        }
        if (tests.every(([test, miss], index) => lnEvidence(test, evidence[index]!) >= -Math.log(miss))) {
          passed++;
          break;
        }
      }
    }
    return passed / releases;
  }

  const window = (dice: () => number, all: number, share: number, base: number, risk: number): Comparison => {
    const test = draw(dice, all, share);
    return {
      test: { total: test, bad: draw(dice, test, base * risk) },
      rest: { total: all - test, bad: draw(dice, all - test, base) },
    };
  };
  const WORSE = [
    [UNEQUAL, 0.01],
    [worseTest(1.2), 0.05],
  ] as const;

  it("that are alike are called worse in less than 1 %, though rates and shares change together", () => {
    const alarms = partPassed(1500, 180, [[UNEQUAL, 0.01]], (dice, at) => {
      const swing = Math.sin((2 * Math.PI * at) / 120);
      return window(dice, 200, 0.21 + 0.2 * swing, 0.01 * (1 + 0.8 * swing), 1);
    });
    expect(alarms).toBeLessThanOrEqual(0.01);
  });

  it("that are as bad as the margin are called worse than it in less than 1 %", () => {
    const alarms = partPassed(1500, 180, [[worseTest(1.2), 0.01]], (dice) =>
      window(dice, 200, 0.2, 0.02, 1.2),
    );
    expect(alarms).toBeLessThanOrEqual(0.01);
  });

  it("that are twice as bad are shown not to be in less than 5 %", () => {
    const passed = partPassed(1000, 180, [[notWorseTest(2), 0.05]], (dice) =>
      window(dice, 200, 0.2, 0.02, 2),
    );
    expect(passed).toBeLessThanOrEqual(0.05);
  });

  it("whose errors rise from 0.2 to 0.9 % are found on Flagger's schedule of ten minutes, at 20 requests a second", () => {
    const found = partPassed(1500, 60, WORSE, (dice, at) =>
      window(dice, 200, 0.05 * (1 + Math.floor(at / 6)), 0.002, 4.5),
    );
    expect(found).toBeGreaterThan(0.915);
    expect(found).toBeLessThan(0.96);
  });

  it("with a fault that begins late are found for what was held back", () => {
    const late =
      (begin: number) =>
      (dice: () => number, at: number): Comparison =>
        window(dice, 1000, 0.2, 0.01, at < begin ? 1 : 10);
    expect(partPassed(200, 152, [[UNEQUAL, 0.01]], late(150))).toBeGreaterThan(0.95);
    expect(partPassed(200, 152, [[{ ...UNEQUAL, held: 0 }, 0.01]], late(150))).toBeLessThan(0.1);
  });
});
