import { expect, it } from "vitest";
import type { StepDocument } from "../../../src/config/app-document.ts";
import { compilePlan } from "../../../src/config/release-schema.ts";
import { DEFAULT_PLAN } from "../../../src/core/release-plan.ts";
import { DEFAULT_ROWS, rowsOf, stepsOf } from "./step-rows.ts";

it("the rows of a plan are its steps, and back", () => {
  const steps: readonly StepDocument[] = [
    { testers: "wait" },
    { share: 1, for: "2m" },
    { share: 12.5, until: "verdict", atMost: "30m" },
    { share: 50, until: "continue" },
    { share: 100, for: "1m" },
    { hold: "5m" },
  ];
  expect(stepsOf(rowsOf(steps))).toEqual(steps);
});

it("the rows shown by default are the default plan", () => {
  const plan = compilePlan({ steps: stepsOf(DEFAULT_ROWS) as readonly StepDocument[] });
  expect(plan.steps).toEqual(DEFAULT_PLAN.steps);
});

it("what is no number is left for the gateway to refuse", () => {
  const row = { kind: "share", until: "time", length: "2m" } as const;
  expect(
    stepsOf([
      { ...row, share: "ten" },
      { ...row, share: "" },
    ]),
  ).toEqual([
    { share: "ten", for: "2m" },
    { share: "", for: "2m" },
  ]);
});
