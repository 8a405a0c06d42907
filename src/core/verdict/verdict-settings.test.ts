import { describe, expect, it } from "vitest";
import {
  DEFAULT_SETTINGS,
  ERROR_MARGINS,
  outsideSignal,
  SLOW_MARGINS,
  slowSignals,
} from "./verdict-settings.ts";

describe("the settings", () => {
  it("count errors three times as much as latency by default", () => {
    const { alpha, beta, signals } = DEFAULT_SETTINGS;
    expect({ alpha, beta }).toEqual({ alpha: 0.01, beta: 0.05 });
    const weight = (prefix: string): number =>
      signals.reduce((sum, { name, weight }) => sum + (name.startsWith(prefix) ? weight : 0), 0);
    expect(weight("errors") / weight("slow")).toBeCloseTo(3, 12);
    expect(signals[0]).toMatchObject({ worseThan: 1.2, notWorseThan: 2, acceptable: 0.001 });
  });

  it("take the margins of latency as odds: of half of all, twice the odds are 4/3 as many", () => {
    const [half, tenth, hundredth] = slowSignals(SLOW_MARGINS);
    expect(half).toMatchObject({ name: "slow50", notWorseThan: expect.closeTo(4 / 3, 12) as number });
    expect(tenth?.notWorseThan).toBeCloseTo(2 / 1.1, 12);
    expect(hundredth?.notWorseThan).toBeCloseTo(2 / 1.01, 12);
    for (const { worseThan } of [half!, tenth!, hundredth!]) {
      expect(worseThan).toBeGreaterThan(1.04);
      expect(worseThan).toBeLessThan(1.1);
    }
  });

  it("judge counts from elsewhere as errors are, but with no bound of their own", () => {
    expect(outsideSignal("carts")).toEqual({
      name: "carts",
      what: "carts",
      ...ERROR_MARGINS,
      acceptable: null,
      weight: 1,
    });
  });
});
