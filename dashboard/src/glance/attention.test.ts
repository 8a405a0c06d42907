import { expect, it } from "vitest";
import type { AppSummary } from "../../../src/admin/schemas.ts";
import { type AttentionFacts, attentionOf, urgency } from "./attention.ts";

const RELEASE: NonNullable<AppSummary["release"]> = {
  id: "r1",
  version: "2",
  status: "running",
  phase: "shifting",
  group: "group1",
  share: 5,
  waitingFor: "time",
};

function facts(
  release: Partial<typeof RELEASE> | null,
  more: Partial<AttentionFacts> = {},
  deploy = 0,
): AttentionFacts {
  return {
    summary: { deploy, release: release && { ...RELEASE, ...release } },
    failing: 0,
    down: 0,
    ...more,
  };
}

it.each([
  ["goingBack", facts({ status: "rollingBack", waitingFor: "continue" }, { failing: 1 })],
  ["waiting", facts({ status: "paused", waitingFor: null })],
  ["waiting", facts({ waitingFor: "continue" }, { down: 1 })],
  ["failing", facts({}, { failing: 0.01 })],
  ["failing", facts(null, { down: 1 })],
  ["running", facts({}, { failing: 0.0099 }, 1)],
  ["byHand", facts({ status: "done" }, {}, 1)],
  ["quiet", facts({ status: "rolledBack" })],
  ["quiet", facts(null)],
] as const)("%s", (expected, found) => {
  expect(attentionOf(found)).toBe(expected);
});

it("puts first what cannot wait", () => {
  expect(urgency("goingBack")).toBeGreaterThan(urgency("waiting"));
  expect(urgency("waiting")).toBeGreaterThan(urgency("failing"));
  expect(urgency("running")).toBeGreaterThan(urgency("quiet"));
});
