import { expect, it } from "vitest";
import type { AppTotals } from "../gateway/group-totals.ts";
import { TrafficRates } from "./rates.ts";

/** Of those that went wrong one was answered 5xx, the others are failed tries. */
function totals(requests: number, wrong: number = 0): AppTotals {
  const errors = Math.min(1, wrong);
  return { blue: { requests, failures: wrong - errors, errors, inFlight: 0 } };
}

it("tells tries and failures a second", () => {
  const rates = new TrafficRates();
  expect(rates.measure("shop", totals(100, 10), 0, 0)).toEqual({
    rates: { blue: 0 },
    failureRates: { blue: 0 },
  });
  expect(rates.measure("shop", totals(150, 15), 1000, 0)).toEqual({
    rates: { blue: 50 },
    failureRates: { blue: 5 },
  });
  expect([...rates.moving()]).toEqual(["shop"]);
  // Too soon to say anything else.
  expect(rates.measure("shop", totals(151, 15), 1100, 1000).rates).toEqual({ blue: 50 });
  expect(rates.measure("shop", totals(190, 15), 3000, 2000).rates).toEqual({ blue: 20 });
  expect(rates.measure("shop", totals(190, 15), 4000, 3000).rates).toEqual({ blue: 0 });
  expect([...rates.moving()]).toEqual([]);
});

it("tells of the first traffic after a long silence as what it is, and of a group's very first", () => {
  const rates = new TrafficRates();
  rates.measure("shop", {}, 0, 0);
  expect(rates.measure("shop", totals(30), 60_000, 59_000).rates).toEqual({ blue: 30 });
  rates.measure("shop", totals(30), 61_000, 60_000);
  expect(rates.measure("shop", totals(80), 121_000, 120_000).rates).toEqual({ blue: 50 });
});

it("loses nothing when it is asked twice within a moment", () => {
  const rates = new TrafficRates();
  rates.measure("shop", totals(1), 0, 0);
  const soon = rates.measure("shop", totals(10), 20, 10);
  expect(soon.rates).toEqual({ blue: 10 });
  expect(rates.measure("shop", totals(10), 1020, 1000).rates).toEqual({ blue: 0 });
});
