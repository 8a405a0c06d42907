import { expect, it } from "vitest";
import { stepOf } from "../core/verdict/latency-scale.ts";
import { gatewayErrors } from "./gateway-error.ts";
import {
  DEATHS_SLOT,
  FAILURE_SLOT,
  FAILURES,
  GroupMeter,
  LATENCY_SLOT,
  LATENCY_SUM_SLOT,
  OUTCOME_SLOT,
  OUTCOMES,
} from "./group-meter.ts";

it("tells what was counted once", () => {
  const meter = new GroupMeter();
  expect(meter.take()).toEqual([]);
  meter.answered(200, 2, 1);
  meter.answered(302, 2, 3);
  meter.answered(503, Number.NaN, 0);
  meter.unanswered();
  meter.failed("status");
  meter.died();
  const outcome = (name: (typeof OUTCOMES)[number]): number => OUTCOME_SLOT + OUTCOMES.indexOf(name);
  const increments = [
    [outcome("none"), 1],
    [outcome("2xx"), 1],
    [outcome("3xx"), 1],
    [outcome("5xx"), 1],
    [FAILURE_SLOT + FAILURES.indexOf("status"), 1],
    [DEATHS_SLOT, 1],
    [LATENCY_SUM_SLOT, 8],
    [LATENCY_SLOT + stepOf(2), 4],
  ];
  expect(meter.take()).toEqual(increments.flat());
  expect(meter.take()).toEqual([]);
});

it("has a place for every way in which a try can fail", () => {
  // Of these the first two are no failed tries; the third is by no server's fault.
  const others = new Set(["not_upgraded", "request_timeout", "no_descriptor"]);
  const codes = gatewayErrors.flatMap(({ code, status }) =>
    (status === 502 || status === 504) && !others.has(code) ? [code] : [],
  );
  expect(FAILURES.filter((code) => code !== "status").sort()).toEqual(codes.sort());
});
