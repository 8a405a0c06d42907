import { totalNeeded } from "./absolute-bound.ts";
import { signalEvidence, type Evidence, type SignalEvidence, type StepEvidence } from "./evidence.ts";
import { findableRisk, windowsToReach, type Search, type Traffic } from "./power.ts";
import { notWorseTest, UNEQUAL, worseTest } from "./risk-test.ts";
import { BOUND_WEIGHT, estimatedRisk } from "./signal-verdict.ts";
import type { SignalSettings, VerdictSettings } from "./verdict-settings.ts";

/** What is to be expected of one signal if the traffic goes on as in the last windows. Plain JSON. */
export interface SignalForecast {
  readonly name: string;
  /** Outcomes a second, both sides together. */
  readonly rate: number;
  /** Until it is found worse, if the relative risk is as it is estimated; undefined if that is within `worseThan`. */
  readonly worse: Expectation | undefined;
  /** Until it is proven not worse, if both sides are alike; undefined if there is no traffic. */
  readonly notWorse: Expectation | undefined;
  /** The least relative risk that would be found in half of the cases until the step ends; undefined if none would. */
  readonly findable: number | undefined;
  /** In nine of ten cases. */
  readonly surelyFindable: number | undefined;
}

export interface Expectation {
  /** Further bad ones on both sides. */
  readonly bad: number;
  /** Further outcomes in the group under test. */
  readonly total: number;
  readonly seconds: number;
}

/** How the step goes on. */
export interface Outlook {
  readonly windowSeconds: number;
  /** Until the step ends. */
  readonly secondsLeft: number;
}

/** An estimate above this (or none, as the others have nothing bad) is reckoned with as this. */
const MOST_RISK = 100;
/** The absolute bound is reckoned with if the others have less than this part of what is acceptable. */
const ALMOST_ABSENT = 1 / 3;

export function forecast(
  settings: VerdictSettings,
  evidence: Evidence,
  outlook: Outlook,
): readonly SignalForecast[] {
  const weights = settings.signals.reduce((sum, { weight }) => sum + weight, 0);
  return settings.signals.map((signal) => {
    const ofSignal = signalEvidence(evidence, signal);
    const { step } = ofSignal;
    const traffic = trafficOf(step);
    const part = signal.weight / weights;
    const search: Search = { ...settings, worseThan: signal.worseThan, part };
    const after = (windows: number, risk: number): Expectation | undefined =>
      expectation(traffic, outlook, windows, risk);
    const risk = Math.min(MOST_RISK, estimatedRisk(step) ?? (step.test.bad > 0 ? MOST_RISK : 1));
    const windows = outlook.secondsLeft / outlook.windowSeconds;
    return {
      name: signal.name,
      rate: (traffic.test + traffic.rest) / outlook.windowSeconds,
      worse: after(windowsUntilWorse(search, ofSignal, traffic, risk), risk),
      notWorse: after(windowsUntilNotWorse(settings, signal, step, traffic), 1),
      findable: findableRisk(search, traffic, windows, 0.5),
      surelyFindable: findableRisk(search, traffic, windows, 0.9),
    };
  });
}

function trafficOf({ pace, rest }: StepEvidence): Traffic {
  // Half a bad one more than was seen: where none was seen yet, the next may come at any time.
  return { ...pace, badPart: (rest.bad + 0.5) / (rest.total + 1) };
}

function windowsUntilWorse(
  { alpha, beta, worseThan, part }: Search,
  { unequal, beyond }: SignalEvidence,
  traffic: Traffic,
  risk: number,
): number {
  if (risk <= worseThan) return Infinity;
  return Math.max(
    windowsToReach(UNEQUAL, unequal, -Math.log(alpha * part), traffic, risk),
    windowsToReach(worseTest(worseThan), beyond, -Math.log(beta * part), traffic, risk),
  );
}

function windowsUntilNotWorse(
  { beta }: VerdictSettings,
  { notWorseThan, acceptable }: SignalSettings,
  { notWorse, test }: StepEvidence,
  traffic: Traffic,
): number {
  const ofRelative = acceptable === null ? 1 : 1 - BOUND_WEIGHT;
  const lnNeeded = -Math.log(beta * ofRelative);
  const relative = windowsToReach(notWorseTest(notWorseThan), notWorse, lnNeeded, traffic, 1);
  if (acceptable === null || traffic.badPart > acceptable * ALMOST_ABSENT) return relative;
  const missing = totalNeeded(test.bad, acceptable, beta * BOUND_WEIGHT) - test.total;
  return Math.min(relative, Math.max(0, missing) / traffic.test);
}

function expectation(
  { test, rest, badPart }: Traffic,
  { windowSeconds }: Outlook,
  windows: number,
  risk: number,
): Expectation | undefined {
  if (!Number.isFinite(windows)) return undefined;
  const whole = Math.ceil(windows);
  return {
    bad: Math.ceil(windows * (test * Math.min(1, badPart * risk) + rest * badPart)),
    total: Math.ceil(windows * test),
    seconds: whole * windowSeconds,
  };
}
