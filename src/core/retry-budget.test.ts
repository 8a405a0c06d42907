import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

const request = (budget: RetryBudget, now: number, count: number): void => {
  for (let n = 0; n < count; n++) budget.onRequest(now);
};

/** Retries granted out of `wanted`. */
const retry = (budget: RetryBudget, now: number, wanted: number): number => {
  let granted = 0;
  for (let n = 0; n < wanted; n++) if (budget.tryRetry(now)) granted++;
  return granted;
};

describe("RetryBudget", () => {
  it("allows the floor of the window when there is no traffic", () => {
    const budget = new RetryBudget({ budget: 20, budgetFloor: 3 });
    expect(retry(budget, 0, 100)).toBe(30);
    expect(retry(budget, 9999, 100)).toBe(0);
    expect(retry(budget, 10_000, 100)).toBe(30);
  });

  it("allows the percentage of the requests, exactly", () => {
    const budget = new RetryBudget({ budget: 20, budgetFloor: 0 });
    request(budget, 0, 4);
    expect(retry(budget, 0, 9)).toBe(0);
    request(budget, 0, 1);
    expect(retry(budget, 0, 9)).toBe(1);
    request(budget, 500, 995);
    expect(retry(budget, 999, 1000)).toBe(199);
  });

  it("forgets requests and retries ten seconds later", () => {
    const budget = new RetryBudget({ budget: 10, budgetFloor: 0 });
    request(budget, 5000, 100);
    expect(retry(budget, 6000, 5)).toBe(5);
    expect(retry(budget, 14_999, 99)).toBe(5);
    expect(retry(budget, 15_000, 99)).toBe(0);
    request(budget, 1e9, 100);
    expect(retry(budget, 1e9, 99)).toBe(10);
  });

  it("forgets every second of the window over a longer silence", () => {
    for (let silence = 10; silence < 25; silence++) {
      const budget = new RetryBudget({ budget: 100, budgetFloor: 0 });
      for (let second = 0; second < 10; second++) request(budget, second * 1000, 1);
      expect(retry(budget, (9 + silence) * 1000, 1)).toBe(0);
    }
  });

  it("agrees with a count over the whole history", () => {
    const step = fc.record({ wait: fc.nat(4000), requests: fc.nat(20), retries: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(100), fc.nat(2), (steps, percent, floor) => {
        const budget = new RetryBudget({ budget: percent, budgetFloor: floor });
        const requests: number[] = [];
        const retries: number[] = [];
        let now = 0;
        const recent = (seconds: readonly number[]): number =>
          seconds.filter((second) => second > Math.floor(now / 1000) - 10).length;
        for (const { wait, requests: more, retries: wanted } of steps) {
          now += wait;
          const second = Math.floor(now / 1000);
          for (let n = 0; n < more; n++) {
            budget.onRequest(now);
            requests.push(second);
          }
          for (let n = 0; n < wanted; n++) {
            // In whole hundredths: no rounding to argue about.
            const allowed = (recent(retries) + 1) * 100 <= floor * 1000 + recent(requests) * percent;
            expect(budget.tryRetry(now)).toBe(allowed);
            if (allowed) retries.push(second);
          }
        }
      }),
    );
  });
});
