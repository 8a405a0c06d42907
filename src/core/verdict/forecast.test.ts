import { describe, expect, it } from "vitest";
import { addWindow, newEvidence, type Evidence, type VerdictWindow } from "./evidence.ts";
import { forecast, type Outlook, type SignalForecast } from "./forecast.ts";
import { judge } from "./judge.ts";
import { chanceToFind, findableRisk } from "./power.ts";
import { errorSignal, type VerdictSettings } from "./verdict-settings.ts";
import { verdictInWords } from "./verdict-words.ts";

const SETTINGS: VerdictSettings = { alpha: 0.01, beta: 0.05, signals: [errorSignal()] };
const HOUR: Outlook = { windowSeconds: 10, secondsLeft: 3600 };
const SEARCH = { alpha: 0.01, beta: 0.05, worseThan: 1.2, part: 1 };

function after(count: number, test: [number, number], rest: [number, number]): Evidence {
  const window: VerdictWindow = {
    errors: { test: { total: test[0], bad: test[1] }, rest: { total: rest[0], bad: rest[1] } },
  };
  let evidence = newEvidence(SETTINGS);
  for (let index = 0; index < count; index++) evidence = addWindow(SETTINGS, evidence, window);
  return evidence;
}
const of = (evidence: Evidence): SignalForecast => forecast(SETTINGS, evidence, HOUR)[0]!;
const words = (evidence: Evidence, outlook = HOUR): string =>
  verdictInWords(SETTINGS, judge(SETTINGS, evidence), forecast(SETTINGS, evidence, outlook), outlook).join(
    " ",
  );

describe("the forecast", () => {
  it("comes true when the traffic goes on as it was", () => {
    const evidence = after(4, [40, 1], [160, 1]);
    const { worse } = of(evidence);
    const windows = worse!.seconds / 10;
    expect(windows).toBeGreaterThan(2);
    expect(judge(SETTINGS, after(4 + windows - 2, [40, 1], [160, 1])).answer).toBe("notEnough");
    expect(judge(SETTINGS, after(4 + windows + 2, [40, 1], [160, 1])).answer).toBe("worse");
    expect(worse!.bad / windows).toBeCloseTo(2, 0);
    expect(worse!.total / windows).toBeCloseTo(40, -1);
  });

  it("says when it will be shown that it is not worse, by the others' errors or by the bound", () => {
    const alike = of(after(5, [40, 1], [160, 4])).notWorse!;
    const windows = alike.seconds / 10;
    expect(judge(SETTINGS, after(5 + windows + 1, [40, 1], [160, 4])).answer).toBe("notWorse");
    expect(judge(SETTINGS, after(5 + windows - 2, [40, 1], [160, 4])).answer).toBe("notEnough");
    const clean = of(after(100, [40, 0], [160, 0])).notWorse!;
    expect(judge(SETTINGS, after(100 + clean.seconds / 10, [40, 0], [160, 0])).answer).toBe("notWorse");
    expect(judge(SETTINGS, after(97 + clean.seconds / 10, [40, 0], [160, 0])).answer).toBe("notEnough");
  });

  it("expects nothing without traffic", () => {
    expect(of(newEvidence(SETTINGS))).toEqual({
      name: "errors",
      rate: 0,
      worse: undefined,
      notWorse: undefined,
      findable: undefined,
      surelyFindable: undefined,
    });
    expect(of(after(20, [0, 0], [100, 1]))).toMatchObject({
      rate: 10,
      notWorse: undefined,
      findable: undefined,
    });
  });

  it("goes by the traffic of the last windows", () => {
    let evidence = after(50, [400, 1], [1600, 4]);
    const quiet = { errors: { test: { total: 4, bad: 0 }, rest: { total: 16, bad: 0 } } };
    for (let index = 0; index < 60; index++) evidence = addWindow(SETTINGS, evidence, quiet);
    expect(of(evidence).rate).toBeCloseTo(2, 0);
  });
});

describe("what could be found", () => {
  it("is less the more traffic there is, and more the surer it has to be", () => {
    const at = (rate: number, chance: number): number =>
      findableRisk(SEARCH, { test: 2 * rate, rest: 8 * rate, badPart: 0.005 }, 360, chance)!;
    expect(at(20, 0.5)).toBeLessThan(at(2, 0.5));
    expect(at(2, 0.5)).toBeLessThan(at(2, 0.9));
    expect(at(1000, 0.9)).toBeGreaterThan(1.2);
    expect(chanceToFind(SEARCH, { test: 0, rest: 0, badPart: 0.5 }, 360, 3)).toBeLessThan(0.01);
  });
});

describe("a verdict in words", () => {
  it("says what was found, on what, and how sure it is", () => {
    expect(words(after(5, [40, 3], [160, 1]))).toBe(
      "The new version is worse. 15 errors in 200 requests (7.5 %) against 5 in 800 requests (0.63 %): 12 times as many" +
        " (3.4 to 64). A version like the old one would look like this in at most 1 of 100 releases.",
    );
    expect(words(after(20, [40, 1], [160, 4]))).toBe(
      "The new version is not worse. 20 errors in 800 requests (2.5 %) against 80 in 3,200 requests (2.5 %): as many" +
        " (0.46 to 2): less than 2 times as many. A version that is worse by more than that would pass in at most 1 of 20 cases.",
    );
    expect(words(after(120, [40, 0], [160, 0]))).toMatch(
      /less than 2 times as many, or less than 0.1 % in any case/,
    );
  });

  it("says what is missing and what could be found", () => {
    expect(words(after(30, [4, 0], [16, 0.1]))).toMatch(
      /^There is not enough evidence yet\. 0 errors in 120 requests .* If both versions are alike, about [\d,]+ more requests to the new one \(\d+ minutes at the present traffic\) will show that it has less than 2 times as many\. At 2 requests a second a rise to [\d.]+ times as many would be found within the 60 minutes left in about half of the cases, one to [\d.]+ times in nine of ten\.$/,
    );
    expect(words(newEvidence(SETTINGS))).toMatch(/Without traffic on both sides nothing can be shown/);
    expect(words(after(4, [40, 1], [160, 1]))).toMatch(/If it goes on like this, about \d+ more errors/);
  });

  it("names the server that is broken", () => {
    let evidence = newEvidence(SETTINGS);
    const bad = { total: 20, bad: 4 };
    const good = { total: 20, bad: 0 };
    const window = {
      test: { total: 40, bad: 4 },
      rest: { total: 160, bad: 1 },
      servers: { a: good, b: bad },
    };
    for (let index = 0; index < 5; index++) evidence = addWindow(SETTINGS, evidence, { errors: window });
    expect(words(evidence)).toMatch(/^The server b is broken, not the new version/);
  });
});
