import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addWindow, beginStep, newEvidence, type Evidence, type VerdictWindow } from "./evidence.ts";
import { forecast } from "./forecast.ts";
import { judge, type Verdict } from "./judge.ts";
import { errorSignal, outsideSignal, slowSignals, type VerdictSettings } from "./verdict-settings.ts";
import { verdictInWords } from "./verdict-words.ts";

const ERRORS: VerdictSettings = { alpha: 0.01, beta: 0.05, signals: [errorSignal()] };
const ALL: VerdictSettings = {
  ...ERRORS,
  signals: [errorSignal(), ...slowSignals(), outsideSignal("carts")],
};

const NONE = expect.closeTo(0, 9) as number;

/** One window of 40 requests to the group under test and 160 to the rest. */
const errors = (test: number, rest: number): VerdictWindow => ({
  errors: { test: { total: 40, bad: test }, rest: { total: 160, bad: rest } },
});

function gather(settings: VerdictSettings, windows: readonly VerdictWindow[]): Evidence {
  return windows.reduce((evidence, window) => addWindow(settings, evidence, window), newEvidence(settings));
}
const judged = (settings: VerdictSettings, windows: readonly VerdictWindow[]): Verdict =>
  judge(settings, gather(settings, windows));
const times = (count: number, window: VerdictWindow): readonly VerdictWindow[] =>
  Array.from({ length: count }, () => window);

describe("a verdict", () => {
  it("is not enough without data, whatever kind of no data", () => {
    const silent = { test: { total: 0, bad: 0 }, rest: { total: 1000, bad: 7 } };
    const alone = { test: { total: 1000, bad: 900 }, rest: { total: 0, bad: 0 } };
    for (const window of [{}, { errors: silent }, { unknown: alone }]) {
      expect(judged(ERRORS, times(500, window))).toMatchObject({
        answer: "notEnough",
        badServer: undefined,
        unequal: { part: NONE },
        beyond: { part: NONE },
        notWorse: { part: NONE },
      });
    }
    expect(judged(ERRORS, times(500, { errors: alone })).answer).toBe("notEnough");
  });

  it("is worse when errors are more in the group under test", () => {
    const verdict = judged(ERRORS, times(5, errors(3, 1)));
    expect(verdict).toMatchObject({ answer: "worse", badServer: undefined });
    expect(verdict.unequal.evidence).toBeGreaterThan(100);
    expect(verdict.beyond.evidence).toBeGreaterThan(20);
    expect(verdict.signals[0]).toMatchObject({
      test: { total: 200, bad: 15 },
      rest: { total: 800, bad: 5 },
      risk: expect.closeTo(12, 9) as number,
    });
  });

  it("is not worse when they are as many for long enough", () => {
    expect(judged(ERRORS, times(10, errors(1, 4))).answer).toBe("notEnough");
    expect(judged(ERRORS, times(20, errors(1, 4))).answer).toBe("notWorse");
  });

  it("is not worse without any error after 4,700 requests, which show that fewer than one in a thousand fail", () => {
    expect(judged(ERRORS, times(115, errors(0, 0))).answer).toBe("notEnough");
    expect(judged(ERRORS, times(119, errors(0, 0))).answer).toBe("notWorse");
    const unbounded = { ...ERRORS, signals: [{ ...errorSignal(), acceptable: null }] };
    expect(judged(unbounded, times(10_000, errors(0, 0))).answer).toBe("notEnough");
  });

  it("does not let pass by the bound what is seen to be worse by more than is allowed", () => {
    const few = [...times(300, errors(0, 0)), errors(1, 0)];
    expect(judged(ERRORS, few)).toMatchObject({ answer: "notEnough" });
    expect(judged(ERRORS, [...few, errors(0, 2)])).toMatchObject({ answer: "notWorse" });
  });

  it("is not worse only if every signal is", () => {
    const good = { test: { total: 40, bad: 20 }, rest: { total: 160, bad: 80 } };
    const window = { ...errors(1, 4), slow50: good, slow90: good, slow99: good, carts: good };
    expect(judged(ALL, times(25, window)).answer).toBe("notWorse");
    const { carts: _, ...without } = window;
    expect(judged(ALL, times(25, without)).answer).toBe("notEnough");
  });

  it("is worse if one signal is, at the price of the others", () => {
    const slow = { test: { total: 40, bad: 4 }, rest: { total: 160, bad: 2 } };
    const windows = times(5, { ...errors(0, 0), slow99: slow });
    const verdict = judged(ALL, windows);
    expect(verdict.answer).toBe("worse");
    const alone = verdict.signals.find(({ name }) => name === "slow99");
    // Weights 3, three times 1/3, and 1: a fifteenth of the capital was on it; what was on the others is nearly still there.
    expect(verdict.unequal.evidence).toBeCloseTo(alone!.unequal.evidence / 15 + 14 / 15, 6);
  });

  it("keeps what speaks for worse over the steps, and shows anew that it is not", () => {
    const proven = gather(ERRORS, times(20, errors(1, 4)));
    const next = beginStep(ERRORS, proven);
    expect(judge(ERRORS, next)).toMatchObject({
      answer: "notEnough",
      notWorse: { part: NONE },
      unequal: judge(ERRORS, proven).unequal,
    });
    expect(next.signals["errors"]).toMatchObject({
      unequal: proven.signals["errors"]!.unequal,
      step: newEvidence(ERRORS).signals["errors"]!.step,
    });
  });

  it("takes in a signal that begins to count later", () => {
    const later = addWindow(ALL, gather(ERRORS, times(4, errors(3, 1))), errors(3, 1));
    expect(later.signals["errors"]).toEqual(gather(ERRORS, times(5, errors(3, 1))).signals["errors"]);
    expect(judge(ALL, gather(ERRORS, [])).answer).toBe("notEnough");
  });

  it("asks of a difference that it is more than a trifle", () => {
    const trifle = times(200, {
      errors: { test: { total: 4000, bad: 118 }, rest: { total: 16_000, bad: 400 } },
    });
    const verdict = judged(ERRORS, trifle);
    expect(verdict.unequal.part).toBe(1);
    expect(verdict.beyond.part).toBe(0);
    expect(verdict.answer).toBe("notWorse");
    const all = { ...ERRORS, signals: [errorSignal({ worseThan: 1, notWorseThan: 2 })] };
    expect(judged(all, trifle).answer).toBe("worse");
  });

  const anything = fc.oneof(fc.nat(9), fc.maxSafeNat(), fc.constantFrom(-1, Infinity, -Infinity, NaN, 0.5));
  const counts = fc.record({ total: anything, bad: anything });
  const signal = fc.record({
    test: counts,
    rest: counts,
    servers: fc.dictionary(fc.constantFrom("a", "b", "c"), counts),
  });
  const windows = fc.array(fc.dictionary(fc.constantFrom(...ALL.signals.map(({ name }) => name)), signal), {
    maxLength: 8,
  });

  it("is made of numbers whatever comes, and evidence survives being written and read after any window", () => {
    fc.assert(
      fc.property(windows, (windows) => {
        let evidence = newEvidence(ALL);
        for (const window of windows) {
          evidence = addWindow(ALL, evidence, window);
          const stored = JSON.stringify(evidence);
          expect(stored).not.toContain("null");
          expect(JSON.parse(stored)).toEqual(evidence);
          evidence = JSON.parse(stored) as Evidence;
        }
        const verdict = judge(ALL, evidence);
        expect(JSON.stringify(verdict)).not.toContain("null");
        const outlook = { windowSeconds: 10, secondsLeft: 600 };
        const forecasts = forecast(ALL, evidence, outlook);
        expect(JSON.stringify(forecasts)).not.toContain("null");
        expect(verdictInWords(ALL, verdict, forecasts, outlook).join(" ")).not.toMatch(
          /NaN|Infinity|undefined|e[+-]/,
        );
      }),
    );
  });

  it("does not change what it was given", () => {
    const evidence = gather(ALL, times(3, errors(1, 2)));
    const before = JSON.stringify(evidence);
    addWindow(ALL, evidence, errors(3, 3));
    beginStep(ALL, evidence);
    judge(ALL, evidence);
    expect(JSON.stringify(evidence)).toBe(before);
  });
});

describe("the server that is to blame", () => {
  /** Errors of four servers with 10 requests each, beside 160 requests of the rest. */
  const ofServers = (bad: readonly number[], rest: number): VerdictWindow => {
    const servers = Object.fromEntries(bad.map((bad, index) => [`s${index}`, { total: 10, bad }]));
    const sum = bad.reduce((sum, one) => sum + one, 0);
    return {
      errors: { test: { total: 10 * bad.length, bad: sum }, rest: { total: 160, bad: rest }, servers },
    };
  };

  it("is named when the others are as good as the rest", () => {
    const verdict = judged(ERRORS, times(4, ofServers([0, 0, 3, 0], 1)));
    expect(verdict).toMatchObject({ answer: "worse", badServer: "s2" });
  });

  it("is nobody when all are as bad, when the group has but one, or when it is not known whose errors they were", () => {
    expect(judged(ERRORS, times(4, ofServers([1, 1, 1, 1], 0)))).toMatchObject({
      answer: "worse",
      badServer: undefined,
    });
    expect(judged(ERRORS, times(4, ofServers([4], 0)))).toMatchObject({
      answer: "worse",
      badServer: undefined,
    });
    expect(judged(ERRORS, times(5, errors(4, 1)))).toMatchObject({ answer: "worse", badServer: undefined });
  });

  it("is nobody when the worst is not the only bad one", () => {
    const verdict = judged(ERRORS, times(12, ofServers([1, 1, 8, 1], 1)));
    expect(verdict).toMatchObject({ answer: "worse", badServer: undefined });
  });

  it("is found though it came late: what was seen before counts as found without it", () => {
    const before = times(8, ofServers([0, 1], 2));
    const after = times(6, ofServers([0, 0, 4], 1));
    const { servers, unequal } = gather(ERRORS, before).signals["errors"]!;
    expect(Object.keys(servers)).toEqual(["s0", "s1"]);
    const joined = gather(ERRORS, [...before, ofServers([0, 0, 0], 0)]).signals["errors"]!;
    expect(joined.servers["s2"]?.without).toEqual(unequal);
    expect(judged(ERRORS, [...before, ...after])).toMatchObject({ answer: "worse", badServer: "s2" });
  });
});
