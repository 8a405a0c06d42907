import { describe, expect, it } from "vitest";

import { DEFAULT_PLAN } from "../core/release-plan.ts";
import type { VerdictPlan } from "../core/verdict/verdict-settings.ts";
import { parseAppDocument, type ReleaseDocument } from "./app-document.ts";
import { formatProblems } from "./format-problems.ts";
import { compilePlan, parseSteps } from "./release-schema.ts";

/** Every kind of step, as DESIGN names them. */
const STEPS = [
  { testers: "wait" },
  { share: 1, for: "2m" },
  { share: "10", until: "verdict", atMost: "30m" },
  { share: 50, until: "continue" },
  { share: 100, for: "5m" },
  { hold: "10m" },
];

const PLAN_STEPS = [
  { kind: "testers", wait: { until: "continue" } },
  { kind: "share", share: 1, wait: { until: "time", for: 120_000 } },
  { kind: "share", share: 10, wait: { until: "verdict", atMost: 1_800_000 } },
  { kind: "share", share: 50, wait: { until: "continue" } },
  { kind: "share", share: 100, wait: { until: "time", for: 300_000 } },
  { kind: "hold", wait: { until: "time", for: 600_000 } },
];

function stepRefusal(steps: unknown): string[] {
  const parsed = parseSteps(steps);
  return parsed.ok ? [] : formatProblems(parsed.problems);
}

function release(written: unknown): ReleaseDocument | undefined {
  const groups = { a: { servers: ["10.0.0.1"] }, b: { servers: ["10.0.0.2"] } };
  const parsed = parseAppDocument({ name: "shop", groups, release: written });
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems).join("\n"));
  return parsed.value.release;
}

describe("parseSteps", () => {
  it("reads every kind of step", () => {
    expect(parseSteps(STEPS)).toEqual({ ok: true, value: PLAN_STEPS });
    expect(parseSteps([{ testers: "5m" }, { share: 100, until: "continue" }, { hold: "wait" }])).toEqual({
      ok: true,
      value: [
        { kind: "testers", wait: { until: "time", for: 300_000 } },
        { kind: "share", share: 100, wait: { until: "continue" } },
        { kind: "hold", wait: { until: "continue" } },
      ],
    });
  });

  it.each([
    [undefined, "steps: found nothing, expected a list of steps"],
    [[], "steps: found [], expected at least one of steps"],
    ["wait", 'steps: found "wait", expected a list of steps'],
    [["wait"], 'steps[0]: found "wait", expected a step, {testers: "wait"}, {share: 10, for: "2m"}'],
    [[{ share: 100 }], "steps[0].for: found nothing, expected a duration with its unit"],
    [[{ share: 100, for: "soon" }], 'steps[0].for: found "soon", expected a duration with its unit'],
    [[{ share: 100, for: "0s" }], 'steps[0].for: found "0s"'],
    [[{ share: 101, for: "1s" }], "steps[0].share: found 101, expected a percentage from 0 to 100"],
    [[{ share: 100, until: "verdict" }], "steps[0].atMost: found nothing, expected a duration"],
    [
      [{ share: 100, until: "verdct", atMost: "1m" }],
      'steps[0].until: found "verdct", expected "continue", or "verdict" together with atMost',
    ],
    [[{ share: 100, until: "continue", for: "1m" }], "steps[0].until: found"],
    [[{ shre: 100, for: "1m" }], 'did you mean "share"?'],
    [[{ testers: "forever" }], 'steps[0].testers: found "forever", expected "wait", or a duration'],
    [[{ hold: 5 }], 'steps[0].hold: found 5, expected "wait", or a duration'],
    [[{ testers: "wait", hold: "wait" }], "expected one of the keys testers"],
  ])("refuses %j", (steps, expected) => {
    expect(stepRefusal(steps).join("\n")).toContain(expected);
  });

  it("refuses steps in another order, and says where", () => {
    const refusal = stepRefusal([{ share: 50, for: "1m" }, { testers: "wait" }]);
    expect(refusal.map((line) => line.slice(line.indexOf("expected")))).toEqual([
      "expected at most one such step, the first (step 2 is for testers)",
      "expected that shares end at 100 (the last share is 50 %)",
    ]);
  });
});

describe("release of an app document", () => {
  it("is kept as written, and compiled with its defaults", () => {
    expect(compilePlan(undefined)).toEqual(DEFAULT_PLAN);
    expect(compilePlan(release({}))).toEqual(DEFAULT_PLAN);
    const written = {
      steps: STEPS,
      checks: "5",
      drain: "0s",
      slowStart: "1m",
      minCapacity: 33.5,
      update: "deploy",
      restore: "undo",
    };
    expect(release(written)).toEqual({
      ...written,
      checks: 5,
      steps: [...STEPS.slice(0, 2), { ...STEPS[2], share: 10 }, ...STEPS.slice(3)],
    });
    expect(compilePlan(release(written))).toEqual({
      steps: PLAN_STEPS,
      checks: 5,
      drainTimeout: 0,
      slowStart: 60_000,
      minCapacity: 33.5,
      verdict: DEFAULT_PLAN.verdict,
    });
  });

  it("gives way to what one release is begun with", () => {
    const steps = [{ kind: "share", share: 100, wait: { until: "continue" } }] as const;
    expect(compilePlan(release({ checks: 7 }), { steps })).toEqual({ ...DEFAULT_PLAN, checks: 7, steps });
  });

  it("is refused with the path of what is wrong", () => {
    const groups = { a: { servers: ["10.0.0.1"] } };
    const parsed = parseAppDocument({
      name: "shop",
      groups,
      release: {
        steps: [{ share: 10, for: "1m" }],
        checks: 0,
        drain: "-1s",
        minCapacity: 101,
        update: "a b",
        slowstart: "1s",
      },
    });
    const lines = parsed.ok ? [] : formatProblems(parsed.problems);
    expect(lines.map((line) => line.slice(0, line.indexOf(", expected")))).toEqual([
      "release.checks: found 0",
      'release.drain: found "-1s"',
      "release.minCapacity: found 101",
      'release.update: found "a b"',
      'release.slowstart: found "1s"',
      'release.steps: found [{"share":10,"for":"1m"}]',
    ]);
    expect(lines[4]).toContain('did you mean "slowStart"?');
    expect(lines[5]).toContain("expected that shares end at 100 (the last share is 10 %)");
  });
});

describe("how a release is judged", () => {
  const planOf = (verdict: object): VerdictPlan => compilePlan(release({ verdict })).verdict;
  const names = ({ settings }: VerdictPlan): readonly string[] => settings.signals.map(({ name }) => name);

  it("is by errors and latency, if nothing else is said", () => {
    expect(planOf({})).toEqual(DEFAULT_PLAN.verdict);
    expect(planOf({ signals: ["errors", "latency"] })).toEqual(DEFAULT_PLAN.verdict);
    expect(names(DEFAULT_PLAN.verdict)).toEqual(["errors", "slow50", "slow90", "slow99"]);
  });

  it("is by what is asked for, as surely as is asked for", () => {
    const plan = planOf({
      signals: ["carts", "errors"],
      worseThan: "1.5",
      notWorseThan: 3,
      alpha: 0.05,
      beta: 0.1,
      acceptable: 0.5,
      warmUp: "0s",
      window: "2500ms",
    });
    const margins = { worseThan: 1.5, notWorseThan: 3 };
    expect(plan).toMatchObject({ window: 2500, warmUp: 0, settings: { alpha: 0.05, beta: 0.1 } });
    expect(plan.settings.signals).toMatchObject([
      { name: "carts", acceptable: null, ...margins },
      { name: "errors", acceptable: 0.005, ...margins },
    ]);
    expect(names(planOf({ signals: [] }))).toEqual([]);
  });

  it("is plain JSON, which a release keeps", () => {
    const plan = planOf({ signals: ["errors", "latency", "carts"], worseThan: 1 });
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it("judges nothing for sure that is within what is a trifle", () => {
    for (const [worseThan, notWorseThan] of [
      [1, 1.01],
      [1.9, 2],
      [99, 100],
    ]) {
      for (const signal of planOf({ worseThan, notWorseThan }).settings.signals) {
        expect(signal.worseThan).toBeGreaterThanOrEqual(1);
        expect(signal.notWorseThan).toBeGreaterThan(signal.worseThan);
      }
    }
  });

  it("has signals where a step waits for it", () => {
    const steps = [
      { share: 10, until: "verdict", atMost: "1h" },
      { share: 100, for: "1m" },
    ];
    expect(() => release({ steps, verdict: { signals: [] } })).toThrow(
      "expected signals to judge by (step 1 waits for a verdict)",
    );
    expect(() => release({ steps: [{ ...steps[0], share: 100 }] })).toThrow("nobody is left to compare with");
    expect(release({ steps, verdict: { signals: ["errors"] } })).toBeDefined();
  });

  it.each([
    [{ signals: ["slow50"] }, 'signals[0]: found "slow50", expected errors, latency (which is slow50'],
    [{ signals: ["errors", "errors"] }, 'signals: found ["errors","errors"], expected each signal once'],
    [{ signals: ["a b"] }, 'signals[0]: found "a b"'],
    [{ signals: "errors" }, 'signals: found "errors", expected a list'],
    [{ worseThan: 0.9 }, "worseThan: found 0.9, expected a number from 1 to 100"],
    [{ worseThan: "much" }, 'worseThan: found "much"'],
    [{ notWorseThan: 1 }, "notWorseThan: found 1, expected a number above 1 to 100"],
    [{ notWorseThan: 1.2 }, "notWorseThan: found 1.2, expected more than worseThan"],
    [{ worseThan: 2 }, "notWorseThan: found nothing, expected more than worseThan"],
    [{ alpha: 0 }, "alpha: found 0, expected a chance, more than 0 to 0.5"],
    [{ beta: 0.51 }, "beta: found 0.51, expected a chance"],
    [{ acceptable: 0 }, "acceptable: found 0, expected a percentage, more than 0 to 50"],
    [{ warmUp: "-1s" }, 'warmUp: found "-1s"'],
    [{ window: "999ms" }, 'window: found "999ms", expected a duration with its unit'],
    [{ windows: "1s" }, 'did you mean "window"?'],
  ])("is refused by %j", (verdict, problem) => {
    expect(() => release({ verdict })).toThrow(problem);
  });
});
