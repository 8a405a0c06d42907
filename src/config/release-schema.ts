import * as z from "zod";

import { DEFAULT_PLAN, planProblems, type PlanStep, type ReleasePlan } from "../core/release-plan.ts";
import {
  DEFAULT_SETTINGS,
  DEFAULT_VERDICT_PLAN,
  ERROR_MARGINS,
  errorSignal,
  outsideSignal,
  OWN_SIGNALS,
  SLOW_MARGINS,
  slowSignals,
  type SignalSettings,
  type VerdictPlan,
} from "../core/verdict/verdict-settings.ts";
import type { ReleaseDocument, StepDocument, VerdictDocument } from "./app-document.ts";
import { DURATION_EXPECTED, parseDuration } from "./duration.ts";
import { type Finding, type Path, problemsOf } from "./finding.ts";
import { NAME, NAME_EXPECTED } from "./names.ts";
import { plainCopy } from "./plain-data.ts";
import type { Parsed } from "./problem.ts";
import {
  checkedText,
  closedObject,
  duration,
  durationOrZero,
  listOf,
  nonEmptyListOf,
  numberOfText,
  patternText,
  percentage,
  wholeNumber,
} from "./schema-fields.ts";
import { findingsOf } from "./schema-findings.ts";

const waitOrDuration = checkedText(
  (text) => text === "wait" || (parseDuration(text) ?? 0) > 0,
  `"wait", or ${DURATION_EXPECTED}`,
);

const UNTIL_EXPECTED = '"continue", or "verdict" together with atMost';

const share = percentage().meta({
  description: "Percentage of the other clients sent to the updated group; rises from step to step to 100.",
});

const STEP_EXPECTED =
  'a step, {testers: "wait"}, {share: 10, for: "2m"}, {share: 10, until: "continue"}, {share: 10, until: "verdict", atMost: "30m"} or {hold: "wait"}';

// The order matters where a step may be meant as two of them: the one named first is explained.
const stepSchema = z.union(
  [
    closedObject(
      {
        share,
        for: z
          .string(`${DURATION_EXPECTED}; or until: ${UNTIL_EXPECTED}`)
          .refine((text) => (parseDuration(text) ?? 0) > 0, `${DURATION_EXPECTED}, above zero`)
          .meta({ description: "Duration of the step." }),
      },
      STEP_EXPECTED,
    ),
    closedObject(
      {
        share,
        until: z.literal("verdict", UNTIL_EXPECTED),
        atMost: duration().meta({ description: "Duration after which a person is asked." }),
      },
      STEP_EXPECTED,
    ),
    closedObject({ share, until: z.literal("continue", UNTIL_EXPECTED) }, STEP_EXPECTED),
    closedObject(
      {
        testers: waitOrDuration.meta({
          description: "Testers alone reach the updated group: wait for `continue`, or a duration.",
        }),
      },
      STEP_EXPECTED,
    ),
    closedObject(
      {
        hold: waitOrDuration.meta({
          description: "The old groups stand by: wait for `continue`, or a duration.",
        }),
      },
      STEP_EXPECTED,
    ),
  ],
  STEP_EXPECTED,
);

const stepsSchema: z.ZodType<StepDocument[]> = nonEmptyListOf(stepSchema, "steps");

const hookName = patternText(NAME, NAME_EXPECTED);

/** More than `min`, at most `max`. */
function numberAbove(min: number, max: number, expected: string): z.ZodType<number> {
  return z.preprocess(numberOfText, z.number(expected).gt(min, expected).max(max, expected));
}

const CHANCE_EXPECTED = "a chance, more than 0 to 0.5";
const TRIFLE_EXPECTED = "a number from 1 to 100";
const chance = numberAbove(0, 0.5, CHANCE_EXPECTED);
const SHORTEST_WINDOW = 1000;

const signalName = patternText(NAME, NAME_EXPECTED).refine(
  (name) => name === "errors" || !OWN_SIGNALS.includes(name),
  "errors, latency (which is slow50, slow90 and slow99 together) or a name of signals in halftone.yaml",
);

const verdictSchema: z.ZodType<VerdictDocument> = closedObject(
  {
    signals: listOf(signalName, "names of signals")
      .refine((names) => new Set(names).size === names.length, "each signal once")
      .meta({
        description:
          'What counts: "errors", "latency", names of signals in halftone.yaml; empty: nothing is judged. Default ["errors", "latency"].',
      })
      .exactOptional(),
    worseThan: z
      .preprocess(numberOfText, z.number(TRIFLE_EXPECTED).min(1, TRIFLE_EXPECTED).max(100, TRIFLE_EXPECTED))
      .meta({ description: "So many times as bad is a trifle. Default 1.2 for errors, 1.1 for latency." })
      .exactOptional(),
    notWorseThan: numberAbove(1, 100, "a number above 1 to 100")
      .meta({ description: "So many times as bad has to be ruled out. Default 2." })
      .exactOptional(),
    alpha: chance
      .meta({ description: "Chance that a version like the old one is called worse. Default 0.01." })
      .exactOptional(),
    beta: chance
      .meta({ description: "Chance that a version is called not worse that is. Default 0.05." })
      .exactOptional(),
    acceptable: numberAbove(0, 50, "a percentage, more than 0 to 50")
      .meta({
        description: "Percentage of errors that is accepted whatever the others have. Default 0.1.",
      })
      .exactOptional(),
    warmUp: durationOrZero()
      .meta({ description: 'Duration at the begin of each step that does not count. Default "10s".' })
      .exactOptional(),
    window: checkedText(
      (text) => (parseDuration(text) ?? 0) >= SHORTEST_WINDOW,
      `${DURATION_EXPECTED}, at least 1s`,
    )
      .meta({ description: 'Duration of a window. Default "10s".' })
      .exactOptional(),
  },
  "by what versions are judged, {signals, worseThan, notWorseThan, alpha, beta, acceptable, warmUp, window}",
).refine(({ worseThan, notWorseThan }) => (notWorseThan ?? 2) > (worseThan ?? ERROR_MARGINS.worseThan), {
  path: ["notWorseThan"],
  error: "more than worseThan (1.2, where nothing else is said)",
});

/** `release` of an app document; `planFindings` checks what its fields owe each other. */
export const releaseSchema: z.ZodType<ReleaseDocument> = closedObject(
  {
    steps: stepsSchema
      .meta({
        description:
          "How a release goes on. Default: testers (wait), 1, 5, 25, 50, 100 % for 2 minutes each, hold (wait).",
      })
      .exactOptional(),
    checks: wholeNumber(1, 1000)
      .meta({
        description:
          "Checks in a row that every updated server passes before anyone is sent there. Default 3.",
      })
      .exactOptional(),
    drain: durationOrZero()
      .meta({ description: 'Duration for requests under way; then a person decides. Default "30s".' })
      .exactOptional(),
    slowStart: durationOrZero()
      .meta({ description: 'Duration over which the weight of a joining group rises. Default "30s".' })
      .exactOptional(),
    minCapacity: percentage()
      .meta({
        description:
          "Percentage of the whole weight that has to live in the groups that carry everybody. Default 40.",
      })
      .exactOptional(),
    serverCapacity: wholeNumber(1, 10_000_000)
      .meta({
        description:
          "Requests a second that one server is known to carry: no step leaves more to each that serves. Default: not asked.",
      })
      .exactOptional(),
    verdict: verdictSchema
      .meta({ description: "By what the new version is judged, and how surely." })
      .exactOptional(),
    update: hookName
      .meta({ description: "Hook of halftone.yaml that updates a group. Default: a person does it." })
      .exactOptional(),
    restore: hookName
      .meta({
        description:
          "Hook of halftone.yaml that brings the old version back to a group. Default: a person does it.",
      })
      .exactOptional(),
  },
  "how releases go, {steps, checks, drain, slowStart, minCapacity, serverCapacity, verdict, update, restore}",
);

/**
 * What is wrong with the order of the steps; nothing while one of them is wrong by itself. `path`: where they stand.
 * `verdict`: as written beside them, if it is.
 */
export function planFindings(steps: unknown, path: Path, verdict?: unknown): readonly Finding[] {
  const checked = stepsSchema.safeParse(steps);
  if (!checked.success) return [];
  const judged = verdictSchema.safeParse(verdict);
  const plan = compilePlan({ steps: checked.data, ...(judged.success && { verdict: judged.data }) });
  return planProblems(plan).map((problem) => {
    const [found, expected] = problem.split("; expected ");
    return { path, expected: `${expected} (${found})` };
  });
}

/** Steps as they are written, in a document or in the API: `[{testers: "wait"}, {share: 1, for: "2m"}, …]`. */
export function parseSteps(input: unknown): Parsed<readonly PlanStep[]> {
  const unfit: Finding[] = [];
  const copy = input === undefined ? undefined : plainCopy(input, unfit);
  if (unfit.length > 0) return { ok: false, problems: problemsOf(unfit, input).map(underSteps) };
  const checked = stepsSchema.safeParse(copy);
  const findings = checked.success ? planFindings(copy, []) : findingsOf(checked.error.issues);
  if (!checked.success || findings.length > 0) {
    return { ok: false, problems: problemsOf(findings, copy).map(underSteps) };
  }
  return { ok: true, value: checked.data.map(compileStep) };
}

function underSteps<P extends { readonly path: string }>(problem: P): P {
  return { ...problem, path: `steps${problem.path}` };
}

/**
 * The plan of a release that begins now: what is said for this one, then what the app's document says, then defaults.
 * Throws only for a document that `parseAppDocument` would have refused.
 */
export function compilePlan(
  release: ReleaseDocument = {},
  overrides: Partial<ReleasePlan> = {},
): ReleasePlan {
  const { steps, checks, drain, slowStart, minCapacity, verdict } = release;
  return {
    steps: steps?.map(compileStep) ?? DEFAULT_PLAN.steps,
    checks: checks ?? DEFAULT_PLAN.checks,
    drainTimeout: drain === undefined ? DEFAULT_PLAN.drainTimeout : milliseconds(drain),
    slowStart: slowStart === undefined ? DEFAULT_PLAN.slowStart : milliseconds(slowStart),
    minCapacity: minCapacity ?? DEFAULT_PLAN.minCapacity,
    verdict: compileVerdict(verdict),
    ...overrides,
  };
}

function compileVerdict(verdict: VerdictDocument = {}): VerdictPlan {
  const { signals = ["errors", "latency"], alpha, beta, warmUp, window } = verdict;
  return {
    settings: {
      alpha: alpha ?? DEFAULT_SETTINGS.alpha,
      beta: beta ?? DEFAULT_SETTINGS.beta,
      signals: signals.flatMap((name) => compileSignal(name, verdict)),
    },
    window: window === undefined ? DEFAULT_VERDICT_PLAN.window : milliseconds(window),
    warmUp: warmUp === undefined ? DEFAULT_VERDICT_PLAN.warmUp : milliseconds(warmUp),
  };
}

function compileSignal(
  name: string,
  { worseThan, notWorseThan, acceptable }: VerdictDocument,
): readonly SignalSettings[] {
  const margins = (defaults: typeof ERROR_MARGINS): typeof ERROR_MARGINS => ({
    worseThan: worseThan ?? defaults.worseThan,
    notWorseThan: notWorseThan ?? defaults.notWorseThan,
  });
  switch (name) {
    case "errors":
      return [errorSignal(margins(ERROR_MARGINS), acceptable === undefined ? undefined : acceptable / 100)];
    case "latency":
      return slowSignals(margins(SLOW_MARGINS));
    default:
      return [outsideSignal(name, margins(ERROR_MARGINS))];
  }
}

function compileStep(step: StepDocument): PlanStep {
  if ("testers" in step) return { kind: "testers", wait: plainWait(step.testers) };
  if ("hold" in step) return { kind: "hold", wait: plainWait(step.hold) };
  const { share } = step;
  if ("for" in step) return { kind: "share", share, wait: { until: "time", for: milliseconds(step.for) } };
  if (step.until === "continue") return { kind: "share", share, wait: { until: "continue" } };
  return { kind: "share", share, wait: { until: "verdict", atMost: milliseconds(step.atMost) } };
}

function plainWait(written: string): PlanStep["wait"] & { readonly until: "continue" | "time" } {
  return written === "wait" ? { until: "continue" } : { until: "time", for: milliseconds(written) };
}

function milliseconds(text: string): number {
  const parsed = parseDuration(text);
  if (parsed === undefined) throw new Error(`not a duration: ${text}`);
  return parsed;
}
