import { expect, it } from "vitest";
import { endOfStep, stepOf } from "../core/verdict/latency-scale.ts";
import { groupTraffic } from "./group-traffic.ts";
import type { AppRecord } from "./roster.ts";

function record(rate: number, latencies?: AppRecord["latencies"]): AppRecord {
  return {
    revision: 1,
    groups: {
      blue: { requests: 10, failures: 1, errors: 0, inFlight: 2 },
      gone: { requests: 5, failures: 0, errors: 0, inFlight: 0 },
    },
    rates: { blue: rate, green: 1 },
    failureRates: { blue: 0.25 },
    ...(latencies !== undefined && { latencies }),
  };
}

it("adds up what all gateways do, in the order of the document", () => {
  const rows = groupTraffic(["blue", "green"], [record(2), record(4)]);
  const none = { p50: null, p90: null, p99: null };
  const blue = {
    requests: 20,
    failures: 2,
    errors: 0,
    inFlight: 4,
    perSecond: 6,
    failuresPerSecond: 0.5,
    share: 75,
  };
  const green = {
    requests: 0,
    failures: 0,
    errors: 0,
    inFlight: 0,
    perSecond: 2,
    failuresPerSecond: 0,
    share: 25,
  };
  expect(rows).toEqual([
    { group: "blue", ...blue, ...none },
    { group: "green", ...green, ...none },
  ]);
  expect(groupTraffic(["constructor"], [])).toMatchObject([{ requests: 0, share: null, p50: null }]);
});

it("makes quantiles of all latencies together, not of the gateways' quantiles", () => {
  // 98 fast ones at two gateways, five slow ones at a third: nine in ten are fast, one in a hundred is slow.
  const [fast, slow] = [stepOf(2), stepOf(900)];
  const [blue] = groupTraffic(
    ["blue"],
    [record(60, { blue: [fast, 60] }), record(38, { blue: [fast, 38] }), record(5, { blue: [slow, 5] })],
  );
  const end = (step: number): number => Math.round(endOfStep(step) * 100) / 100;
  expect(blue).toMatchObject({ p50: end(fast), p90: end(fast), p99: end(slow) });
  expect(blue!.p99).toBeGreaterThan(900);
  expect(blue!.p99! / 900).toBeLessThan(1.1);
});
