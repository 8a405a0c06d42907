import { describe, expect, it } from "vitest";
import { addWindow, newEvidence } from "../src/core/verdict/evidence.ts";
import { judge } from "../src/core/verdict/judge.ts";
import type { Comparison, Counts } from "../src/core/verdict/counts.ts";
import type { VerdictSettings } from "../src/core/verdict/verdict-settings.ts";
import { ROOT } from "./markdown.ts";

interface Random {
  uniform(): number;
  normal(): number;
  poisson(mean: number): number;
  binomial(count: number, chance: number): number;
}
interface Study {
  readonly id: string;
  run(run: { readonly seed: number; readonly releases: number }): {
    readonly head: readonly string[];
    readonly rows: readonly (readonly string[])[];
    readonly picture?: string;
  };
}
type Traffic = (window: number, share?: number) => Comparison;
type Outcome = "promoted" | "rolledBack";

const { newRandom } = await simulate<{ newRandom: (seed: number) => Random }>("random.mjs");
const { errorTraffic, slowTraffic } = await simulate<{
  errorTraffic: (random: Random, scenario: object) => Traffic;
  slowTraffic: (random: Random, scenario: object) => (window: number) => readonly Comparison[];
}>("traffic.mjs");
const { BOTH, watchWorse } = await simulate<{
  BOTH: VerdictSettings;
  watchWorse: (settings: VerdictSettings) => (comparisons: readonly Comparison[]) => boolean;
}>("halftone.mjs");
const { flagger, argo } = await simulate<{
  flagger: (traffic: Traffic, rule: object) => Outcome;
  argo: (traffic: Traffic, rule: object) => Outcome;
}>("peers.mjs");
const { isHigh } = await simulate<{ isHigh: (test: readonly number[], rest: readonly number[]) => boolean }>(
  "mann-whitney.mjs",
);
const { STUDIES } = await simulate<{ STUDIES: readonly Study[] }>("studies/catalogue.mjs");

describe("simulated chance", () => {
  const DRAWS = 40_000;
  const moments = (draw: () => number): { readonly mean: number; readonly variance: number } => {
    let [sum, squares] = [0, 0];
    for (let index = 0; index < DRAWS; index++) {
      const value = draw();
      sum += value;
      squares += value * value;
    }
    return { mean: sum / DRAWS, variance: squares / DRAWS - (sum / DRAWS) ** 2 };
  };

  it.each([
    [20, 0.1],
    [1000, 0.004],
    [60, 0.3],
    [5000, 0.02],
    [300, 0.7],
  ])("draws binomials of %d with %d", (count, chance) => {
    const random = newRandom(1);
    const { mean, variance } = moments(() => random.binomial(count, chance));
    expect(mean / (count * chance)).toBeCloseTo(1, 1.5);
    expect(variance / (count * chance * (1 - chance))).toBeCloseTo(1, 1);
  });

  it.each([0.3, 9, 11, 400])("draws Poisson's numbers around %d", (expected) => {
    const random = newRandom(2);
    const { mean, variance } = moments(() => random.poisson(expected));
    expect(mean / expected).toBeCloseTo(1, 1.5);
    expect(variance / expected).toBeCloseTo(1, 1);
  });

  it("draws the same with the same seed, and normal values that are normal", () => {
    const [one, same, other] = [newRandom(7), newRandom(7), newRandom(8)];
    const drawn = Array.from({ length: 9 }, () => one.uniform());
    expect(Array.from({ length: 9 }, () => same.uniform())).toEqual(drawn);
    expect(Array.from({ length: 9 }, () => other.uniform())).not.toEqual(drawn);
    const { mean, variance } = moments(() => one.normal());
    expect(mean).toBeCloseTo(0, 1);
    expect(variance).toBeCloseTo(1, 1);
  });
});

describe("the simulated verdict", () => {
  it("is the product's, window by window", () => {
    for (const risk of [1, 2, 6]) {
      const random = newRandom(risk);
      const errors = errorTraffic(random, { rate: 20, base: () => 0.01, risk: () => risk, share: () => 0.2 });
      const slow = slowTraffic(random, {
        rate: 20,
        share: 0.2,
        shift: (above: (z: number) => number, z: number) => above(z - 0.2),
      });
      const isWorse = watchWorse(BOTH);
      let evidence = newEvidence(BOTH);
      const seen: boolean[] = [];
      const judged: boolean[] = [];
      for (let window = 0; window < 60; window++) {
        const comparisons = [errors(window), ...slow(window)];
        seen.push(isWorse(comparisons));
        const named = BOTH.signals.map(({ name }, index) => [name, comparisons[index]!] as const);
        evidence = addWindow(BOTH, evidence, Object.fromEntries(named));
        judged.push(judge(BOTH, evidence).answer === "worse");
      }
      expect(seen).toEqual(judged);
    }
  });
});

describe("the rules of others", () => {
  const always =
    (test: Counts): Traffic =>
    () => ({ test, rest: { total: 100, bad: 1 } });
  const shares = [0.1, 0.2, 0.3, 0.4];

  it("are Flagger's: failed checks add up, hold the weight, and no data is one", () => {
    const rule = { shares, least: 0.99, threshold: 3 };
    expect(flagger(always({ total: 100, bad: 1 }), rule)).toBe("promoted");
    expect(flagger(always({ total: 100, bad: 2 }), rule)).toBe("rolledBack");
    expect(flagger(always({ total: 0, bad: 0 }), rule)).toBe("rolledBack");
    // Every other minute is bad: two checks fail before the fourth that is good, three do with one share more.
    const alternating: Traffic = (window) => ({
      test: { total: 100, bad: Math.floor(window / 6) % 2 === 1 ? 9 : 0 },
      rest: { total: 100, bad: 0 },
    });
    expect(flagger(alternating, { ...rule, threshold: 4 })).toBe("promoted");
    expect(flagger(alternating, { ...rule, threshold: 3 })).toBe("rolledBack");
  });

  it("are Argo's: more than failureLimit, NaN is a failure, and too short a run has none", () => {
    const rule = { shares, least: 0.99, interval: 1, failureLimit: 3 };
    expect(argo(always({ total: 100, bad: 2 }), rule)).toBe("rolledBack");
    expect(argo(always({ total: 100, bad: 2 }), { ...rule, failureLimit: 4 })).toBe("promoted");
    expect(argo(always({ total: 0, bad: 0 }), rule)).toBe("rolledBack");
    expect(argo(always({ total: 100, bad: 90 }), { ...rule, interval: 5 })).toBe("promoted");
  });

  it("are Kayenta's: a shift that is sure, of more than a quarter of itself", () => {
    const points = Array.from({ length: 60 }, (_, index) => (index * 7) % 60);
    expect(isHigh(points, points)).toBe(false);
    expect(isHigh(points, points.toReversed())).toBe(false);
    expect(
      isHigh(
        points.map((value) => value + 30),
        points.toReversed(),
      ),
    ).toBe(true);
    expect(
      isHigh(
        points.map((value) => value - 30),
        points.toReversed(),
      ),
    ).toBe(false);
    expect(isHigh([], points)).toBe(false);
    expect(isHigh([0, 0, 5, 0], [0, 0, 0, 0, 0])).toBe(false);
  });
});

describe("the studies", () => {
  it.each(STUDIES)("$id gives a table of whole rows, the same with the same seed", (study) => {
    const once = study.run({ seed: 3, releases: 3 });
    expect(once.rows.length).toBeGreaterThan(2);
    for (const row of once.rows) {
      expect(row).toHaveLength(once.head.length);
      expect(row.join(" ")).not.toMatch(/NaN|undefined|Infinity/);
    }
    expect(study.run({ seed: 3, releases: 3 })).toEqual(once);
  });
});

async function simulate<T>(file: string): Promise<T> {
  return (await import(`${ROOT}bench/simulate/${file}`)) as T;
}
