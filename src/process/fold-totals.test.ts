import { expect, it } from "vitest";
import type { AppNews } from "../gateway/group-totals.ts";
import { FoldedTotals } from "./fold-totals.ts";

function news(requests: number, inFlight: number, increments: readonly number[]): Map<string, AppNews> {
  const totals = { blue: { requests, failures: 0, errors: 0, inFlight } };
  return new Map([["shop", { totals, counts: { blue: increments } }]]);
}

it("adds up what processes tell, and keeps what those did that are gone", () => {
  const folded = new FoldedTotals();
  folded.take(1, news(10, 1, [2, 10]));
  folded.take(2, news(5, 2, [2, 4, 3, 1]));
  folded.take(1, news(12, 3, [2, 2]));
  expect(folded.of("shop")).toEqual({ blue: { requests: 17, failures: 0, errors: 0, inFlight: 5 } });
  expect(Array.from(folded.counts("shop").get("blue")!.subarray(2, 4))).toEqual([16, 1]);
  expect(folded.end(1)).toEqual(["shop"]);
  expect(folded.of("shop")).toEqual({ blue: { requests: 17, failures: 0, errors: 0, inFlight: 2 } });
  // Another process that begins anew.
  folded.take(3, news(1, 0, [2, 1]));
  expect(folded.of("shop")["blue"]).toMatchObject({ requests: 18 });
  expect(folded.counts("shop").get("blue")![2]).toBe(17);
});

it("forgets an app that is gone", () => {
  const folded = new FoldedTotals();
  folded.take(1, news(10, 0, [2, 10]));
  folded.forget("shop");
  expect(folded.of("shop")).toEqual({});
  expect(folded.counts("shop").size).toBe(0);
});
