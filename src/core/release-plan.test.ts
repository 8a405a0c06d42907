import { describe, expect, it } from "vitest";
import { DEFAULT_PLAN, planProblems, testersWait, type PlanStep } from "./release-plan.ts";

const testers: PlanStep = { kind: "testers", wait: { until: "continue" } };
const hold: PlanStep = { kind: "hold", wait: { until: "continue" } };
const share = (percent: number): PlanStep => ({
  kind: "share",
  share: percent,
  wait: { until: "time", for: 1 },
});

const problemsOf = (...steps: PlanStep[]): readonly string[] => planProblems({ ...DEFAULT_PLAN, steps });

describe("a plan", () => {
  it("by default is testers, 1, 5, 25, 50 and 100 % for two minutes each, and a hold", () => {
    expect(planProblems(DEFAULT_PLAN)).toEqual([]);
    expect(testersWait(DEFAULT_PLAN)).toEqual({ until: "continue" });
    expect(DEFAULT_PLAN.steps.map((step) => (step.kind === "share" ? step.share : step.kind))).toEqual([
      "testers",
      1,
      5,
      25,
      50,
      100,
      "hold",
    ]);
    expect(DEFAULT_PLAN.steps[1]!.wait).toEqual({ until: "time", for: 120_000 });
    expect(DEFAULT_PLAN.minCapacity).toBe(40);
  });

  it("may be nothing but a share of 100", () => {
    expect(problemsOf(share(100))).toEqual([]);
    expect(testersWait({ ...DEFAULT_PLAN, steps: [share(100)] })).toBeUndefined();
  });

  it("has shares that rise and end at 100", () => {
    expect(problemsOf(share(5), share(5), share(100))).toEqual([
      "a share of 5 % follows 5 %; expected more than that, at most 100",
    ]);
    expect(problemsOf(share(50), share(25), share(100))).toHaveLength(1);
    expect(problemsOf(share(0), share(100))).toHaveLength(1);
    expect(problemsOf(share(Number.NaN), share(100))).toHaveLength(2);
    expect(problemsOf(share(50))).toEqual(["the last share is 50 %; expected that shares end at 100"]);
    expect(problemsOf(share(100), share(101))).toHaveLength(2);
    expect(problemsOf(testers, hold)).toHaveLength(1);
    expect(problemsOf(share(0.125), share(100))).toEqual([
      "a share of 0.125 %; expected two decimals at most",
    ]);
    expect(problemsOf(share(0.29), share(33.33), share(100))).toEqual([]);
  });

  it("has testers first and a hold last, each once at most", () => {
    expect(problemsOf(share(10), testers, share(100))).toEqual([
      "step 2 is for testers; expected at most one such step, the first",
    ]);
    expect(problemsOf(testers, testers, share(100))).toHaveLength(1);
    expect(problemsOf(hold, share(100))).toEqual(["step 1 holds; expected at most one such step, the last"]);
  });

  it("waits for a verdict where there is somebody to compare with, and something to judge by", () => {
    const judged = (percent: number): PlanStep => ({
      kind: "share",
      share: percent,
      wait: { until: "verdict", atMost: 1 },
    });
    expect(problemsOf(judged(10), share(100))).toEqual([]);
    expect(problemsOf(judged(10), judged(100))).toEqual([
      "step 2 waits for a verdict at 100 %; expected a duration or continue, as nobody is left to compare with",
    ]);
    const { verdict } = DEFAULT_PLAN;
    const blind = {
      ...DEFAULT_PLAN,
      verdict: { ...verdict, settings: { ...verdict.settings, signals: [] } },
    };
    expect(planProblems({ ...blind, steps: [judged(10), share(100)] })).toEqual([
      "step 1 waits for a verdict; expected signals to judge by",
    ]);
    expect(planProblems({ ...blind, steps: [share(10), share(100)] })).toEqual([]);
  });

  it("has numbers that mean something", () => {
    const broken = {
      steps: [{ kind: "share", share: 100, wait: { until: "time", for: Number.NaN } }],
      checks: 0,
      drainTimeout: -1,
      slowStart: Infinity,
      minCapacity: 101,
      verdict: DEFAULT_PLAN.verdict,
    } as const;
    expect(planProblems(broken)).toEqual([
      "a step lasts NaN ms; expected a finite number from 0",
      "drainTimeout is -1 ms; expected a finite number from 0",
      "slowStart is Infinity ms; expected a finite number from 0",
      "checks is 0; expected a whole number from 1",
      "minCapacity is 101; expected a percentage from 0 to 100",
    ]);
    const verdict: PlanStep = { kind: "share", share: 10, wait: { until: "verdict", atMost: -5 } };
    const all: PlanStep = { kind: "share", share: 100, wait: { until: "continue" } };
    expect(problemsOf(verdict, all)).toEqual(["a step waits at most -5 ms; expected a finite number from 0"]);
  });
});
