import { lnBelowBound } from "./absolute-bound.ts";
import type { Counts } from "./counts.ts";
import type { SignalEvidence, StepEvidence } from "./evidence.ts";
import { lnMean } from "./log-space.ts";
import { meter, type Meter } from "./meter.ts";
import { riskInterval, type RiskInterval } from "./risk-interval.ts";
import { lnEvidence, notWorseTest, UNEQUAL, worseTest } from "./risk-test.ts";
import type { SignalSettings, VerdictSettings } from "./verdict-settings.ts";

/** What one signal says. Plain JSON. */
export interface SignalVerdict {
  readonly name: string;
  /** What the bad ones are called, in the plural. */
  readonly what: string;
  /** Since the step began. */
  readonly test: Counts;
  readonly rest: Counts;
  /** Estimate of the relative risk since the step began; undefined where the others had nothing bad. */
  readonly risk: number | undefined;
  /** Where the relative risk lies; the chance that it ever lies outside is at most beta on each side. */
  readonly interval: RiskInterval;
  /** Against "both sides are alike", since the release began. */
  readonly unequal: Meter;
  /** Against "the difference is within `worseThan`", since the release began. */
  readonly beyond: Meter;
  /** Against "at least `notWorseThan` times as bad", since the step began. */
  readonly notWorse: Meter;
}

/** ln E of a signal's three tests. */
export interface SignalScore {
  readonly unequal: number;
  readonly beyond: number;
  readonly notWorse: number;
}

/** Part of the capital against "not worse" that is put on the absolute bound, where there is one. */
export const BOUND_WEIGHT = 0.25;

export function scoreSignal(signal: SignalSettings, evidence: SignalEvidence): SignalScore {
  return {
    unequal: lnEvidence(UNEQUAL, evidence.unequal),
    beyond: lnEvidence(worseTest(signal.worseThan), evidence.beyond),
    notWorse: lnNotWorse(signal, evidence.step),
  };
}

export function signalVerdict(
  settings: VerdictSettings,
  signal: SignalSettings,
  { step }: SignalEvidence,
  score: SignalScore,
): SignalVerdict {
  return {
    name: signal.name,
    what: signal.what,
    test: step.test,
    rest: step.rest,
    risk: estimatedRisk(step),
    interval: riskInterval(step.profile, settings.beta),
    unequal: meter(score.unequal, settings.alpha),
    beyond: meter(score.beyond, settings.beta),
    notWorse: meter(score.notWorse, settings.beta),
  };
}

/** Mantel & Haenszel, JNCI 1959: of each window alone, so that drifting rates and changing shares do no harm. */
export function estimatedRisk({ weighed }: StepEvidence): number | undefined {
  return weighed.rest > 0 ? weighed.test / weighed.rest : undefined;
}

/**
 * The hypothesis is that the version has at least `notWorseThan` times the risk and more than what is acceptable. Either
 * half may be refuted: the mean of both bets is a bet against the whole. The bound does not help a version that is seen
 * to be worse by more than is allowed.
 */
function lnNotWorse(signal: SignalSettings, step: StepEvidence): number {
  const lnRelative = lnEvidence(notWorseTest(signal.notWorseThan), step.notWorse);
  if (signal.acceptable === null) return lnRelative;
  const { test, rest } = step;
  const seemsWorse = test.bad * rest.total > signal.notWorseThan * rest.bad * test.total;
  const lnBound = seemsWorse ? 0 : lnBelowBound(test, signal.acceptable);
  return lnMean([lnRelative, lnBound], [1 - BOUND_WEIGHT, BOUND_WEIGHT]);
}
