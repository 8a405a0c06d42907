import { DEFAULT_VERDICT_PLAN, type VerdictPlan } from "./verdict/verdict-settings.ts";

/** What ends a step of which nothing is measured: a person who says `continue`, or so many ms. */
export type PlainWait = { readonly until: "continue" } | { readonly until: "time"; readonly for: number };

/** A step with a share may also wait for the proof that the new version is not worse, at most so many ms. */
export type Wait = PlainWait | { readonly until: "verdict"; readonly atMost: number };

/** One step of a plan, compiled: durations are in ms, defaults filled in. */
export type PlanStep =
  /** Testers alone reach the group that was updated. Holds for every group, not only for the first. */
  | { readonly kind: "testers"; readonly wait: PlainWait }
  /** That percentage of the other clients is sent to the first group too. */
  | { readonly kind: "share"; readonly share: number; readonly wait: Wait }
  /** Everybody is on the first group, the others stand by untouched: the last point of cheap return. */
  | { readonly kind: "hold"; readonly wait: PlainWait };

/** How a release goes. Fixed when it begins; no edit of a configuration changes one that runs. */
export interface ReleasePlan {
  /** Testers at most once and first, shares that rise to 100, a hold at most once and last. */
  readonly steps: readonly PlanStep[];
  /** Health checks in a row that every server passes before anyone is sent to an updated group. */
  readonly checks: number;
  /** Milliseconds that requests under way have to end in; after that a person decides. */
  readonly drainTimeout: number;
  /** Milliseconds over which the weight of a group that joins others rises. */
  readonly slowStart: number;
  /** Percentage of an app's whole weight that has to live in the groups that carry everybody. */
  readonly minCapacity: number;
  /** By what the new version is judged; without signals it is not. */
  readonly verdict: VerdictPlan;
}

const UNTIL_CONTINUE: PlainWait = { until: "continue" };
const TWO_MINUTES: PlainWait = { until: "time", for: 120_000 };

const DEFAULT_STEPS: readonly PlanStep[] = [
  { kind: "testers", wait: UNTIL_CONTINUE },
  ...[1, 5, 25, 50, 100].map((share): PlanStep => ({ kind: "share", share, wait: TWO_MINUTES })),
  { kind: "hold", wait: UNTIL_CONTINUE },
];

export const DEFAULT_PLAN: ReleasePlan = {
  steps: DEFAULT_STEPS,
  checks: 3,
  drainTimeout: 30_000,
  slowStart: 30_000,
  minCapacity: 40,
  verdict: DEFAULT_VERDICT_PLAN,
};

/** Everything that is wrong with a plan: what was found, and what is expected. */
export function planProblems(plan: ReleasePlan): readonly string[] {
  return [
    ...orderProblems(plan.steps),
    ...shareProblems(plan.steps),
    ...verdictProblems(plan),
    ...numberProblems(plan),
  ];
}

/** How long testers alone reach an updated group; undefined: the plan leaves that out. */
export function testersWait(plan: ReleasePlan): PlainWait | undefined {
  return plan.steps.find((step) => step.kind === "testers")?.wait;
}

function orderProblems(steps: readonly PlanStep[]): readonly string[] {
  const problems: string[] = [];
  steps.forEach((step, index) => {
    if (step.kind === "testers" && index !== 0) {
      problems.push(`step ${index + 1} is for testers; expected at most one such step, the first`);
    }
    if (step.kind === "hold" && index !== steps.length - 1) {
      problems.push(`step ${index + 1} holds; expected at most one such step, the last`);
    }
  });
  return problems;
}

function shareProblems(steps: readonly PlanStep[]): readonly string[] {
  const problems: string[] = [];
  let last = 0;
  for (const step of steps) {
    if (step.kind !== "share") continue;
    if (!(step.share > last && step.share <= 100)) {
      problems.push(`a share of ${step.share} % follows ${last} %; expected more than that, at most 100`);
    } else if (Math.abs(step.share * 100 - Math.round(step.share * 100)) > 1e-6) {
      problems.push(`a share of ${step.share} %; expected two decimals at most`);
    }
    last = step.share;
  }
  if (last !== 100) problems.push(`the last share is ${last} %; expected that shares end at 100`);
  return problems;
}

function verdictProblems({ steps, verdict }: ReleasePlan): readonly string[] {
  return steps.flatMap((step, index) => {
    if (step.kind !== "share" || step.wait.until !== "verdict") return [];
    if (step.share === 100) {
      return [
        `step ${index + 1} waits for a verdict at 100 %; expected a duration or continue, as nobody is left to compare with`,
      ];
    }
    return verdict.settings.signals.length > 0
      ? []
      : [`step ${index + 1} waits for a verdict; expected signals to judge by`];
  });
}

function numberProblems(plan: ReleasePlan): readonly string[] {
  const problems: string[] = [];
  for (const { wait } of plan.steps) {
    if (wait.until === "time" && !isDuration(wait.for)) problems.push(notDuration("a step lasts", wait.for));
    if (wait.until === "verdict" && !isDuration(wait.atMost)) {
      problems.push(notDuration("a step waits at most", wait.atMost));
    }
  }
  if (!isDuration(plan.drainTimeout)) problems.push(notDuration("drainTimeout is", plan.drainTimeout));
  if (!isDuration(plan.slowStart)) problems.push(notDuration("slowStart is", plan.slowStart));
  if (!(Number.isSafeInteger(plan.checks) && plan.checks >= 1)) {
    problems.push(`checks is ${plan.checks}; expected a whole number from 1`);
  }
  if (!(plan.minCapacity >= 0 && plan.minCapacity <= 100)) {
    problems.push(`minCapacity is ${plan.minCapacity}; expected a percentage from 0 to 100`);
  }
  return problems;
}

function isDuration(milliseconds: number): boolean {
  return Number.isFinite(milliseconds) && milliseconds >= 0;
}

function notDuration(what: string, found: number): string {
  return `${what} ${found} ms; expected a finite number from 0`;
}
