import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeadlineTurns } from "./deadline-turns.ts";

function counts(turns: DeadlineTurns, positions: number, steps: number): number[] {
  const counts = Array.from({ length: positions }, () => 0);
  for (let step = 0; step < steps; step++) counts[turns.next()]!++;
  return counts;
}

const weights = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 30 });

describe("DeadlineTurns", () => {
  it("gives each position its very share in every cycle", () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 7 }), (weights, factor) => {
        const turns = new DeadlineTurns(weights.map((weight) => weight * factor));
        const total = weights.reduce((a, b) => a + b);
        for (let cycle = 0; cycle < 3; cycle++) {
          expect(counts(turns, weights.length, total)).toEqual(weights);
        }
      }),
    );
  });

  it("spreads the turns of each position over the cycle", () => {
    fc.assert(
      fc.property(weights, (weights) => {
        const turns = new DeadlineTurns(weights);
        const total = weights.reduce((a, b) => a + b);
        const taken = Array.from({ length: weights.length }, () => 0);
        for (let step = 1; step <= total; step++) {
          const position = turns.next();
          taken[position]!++;
          // No turn is late by more than the others that are due at the same time.
          const due = Math.floor((step * weights[position]!) / total);
          expect(taken[position]).toBeGreaterThanOrEqual(due);
        }
      }),
    );
  });

  it("takes the heaviest first and equals in list order", () => {
    const turns = new DeadlineTurns([1, 3, 3]);
    expect(Array.from({ length: 7 }, () => turns.next())).toEqual([1, 2, 1, 2, 0, 1, 2]);
  });

  it("has no turn for nobody", () => {
    expect(new DeadlineTurns([]).next()).toBe(-1);
  });
});
