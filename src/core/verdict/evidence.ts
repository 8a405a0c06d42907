import { addCounts, NO_COUNTS, soundCounts, type Comparison, type Counts } from "./counts.ts";
import { addToRiskProfile, NEW_RISK_PROFILE, type RiskProfile } from "./risk-interval.ts";
import {
  addToRiskEvidence,
  newRiskEvidence,
  notWorseTest,
  UNEQUAL,
  worseTest,
  type RiskEvidence,
} from "./risk-test.ts";
import { addToServersEvidence, type ServersEvidence } from "./server-evidence.ts";
import type { SignalSettings, VerdictSettings } from "./verdict-settings.ts";

/**
 * One signal's counts of a window: some seconds that end when the share changes, so that each window has one share.
 * Both sides count the same requests of the same seconds; testers, who are no random draw, belong in evidence of their own.
 */
export interface SignalWindow extends Comparison {
  /** What of `test` was each server's; absent where it cannot be told. */
  readonly servers?: Readonly<Record<string, Counts>>;
}

/** By the signals' names. A signal that is absent had no traffic. */
export type VerdictWindow = Readonly<Record<string, SignalWindow>>;

/**
 * All that is known so far about a group under test. Plain JSON of some kilobytes (and half a kilobyte for each server and
 * signal), to be stored after each window and read back after a crash: a window that was lost costs evidence, nothing else.
 */
export interface Evidence {
  /** By the signals' names. */
  readonly signals: Readonly<Record<string, SignalEvidence>>;
}

export interface SignalEvidence {
  /** Since the release began: the shares of its steps are one test, whose false alarms are those of one. */
  readonly unequal: RiskEvidence;
  readonly beyond: RiskEvidence;
  readonly servers: ServersEvidence;
  /** Since the step began: that a version is not worse has to be shown at each share anew. */
  readonly step: StepEvidence;
}

export interface StepEvidence {
  readonly notWorse: RiskEvidence;
  readonly profile: RiskProfile;
  readonly test: Counts;
  readonly rest: Counts;
  /** The two sums whose quotient is the Mantel-Haenszel estimate of the relative risk. */
  readonly weighed: { readonly test: number; readonly rest: number };
  readonly windows: number;
  /** Outcomes in a window, a mean in which the last ten windows or so count. */
  readonly pace: { readonly test: number; readonly rest: number };
}

/** Windows of which the pace is the mean. */
const PACE_WINDOWS = 10;
const NOTHING: Comparison = { test: NO_COUNTS, rest: NO_COUNTS };

export function newEvidence(settings: VerdictSettings): Evidence {
  return ofSignals(settings, newSignal);
}

/** What is known by one signal; one that is not there yet begins. */
export function signalEvidence(evidence: Evidence, signal: SignalSettings): SignalEvidence {
  return evidence.signals[signal.name] ?? newSignal(signal);
}

/**
 * The evidence at the beginning of another step: what speaks for worse stays, what speaks for not worse begins anew.
 * After a server was taken out of the group everything begins anew, by `newEvidence`.
 */
export function beginStep(settings: VerdictSettings, evidence: Evidence): Evidence {
  return ofSignals(settings, (signal) => ({ ...signalEvidence(evidence, signal), step: newStep(signal) }));
}

/** The evidence with one more window. */
export function addWindow(settings: VerdictSettings, evidence: Evidence, window: VerdictWindow): Evidence {
  return ofSignals(settings, (signal) =>
    addToSignal(signal, signalEvidence(evidence, signal), window[signal.name] ?? NOTHING),
  );
}

function ofSignals(settings: VerdictSettings, make: (signal: SignalSettings) => SignalEvidence): Evidence {
  return { signals: Object.fromEntries(settings.signals.map((signal) => [signal.name, make(signal)])) };
}

function newSignal(signal: SignalSettings): SignalEvidence {
  return {
    unequal: newRiskEvidence(UNEQUAL),
    beyond: newRiskEvidence(worseTest(signal.worseThan)),
    servers: {},
    step: newStep(signal),
  };
}

function addToSignal(signal: SignalSettings, evidence: SignalEvidence, window: SignalWindow): SignalEvidence {
  const comparison = { test: soundCounts(window.test), rest: soundCounts(window.rest) };
  return {
    unequal: addToRiskEvidence(UNEQUAL, evidence.unequal, comparison),
    beyond: addToRiskEvidence(worseTest(signal.worseThan), evidence.beyond, comparison),
    servers: addToServersEvidence(evidence.servers, evidence.unequal, comparison, window.servers ?? {}),
    step: addToStep(signal, evidence.step, comparison),
  };
}

function newStep(signal: SignalSettings): StepEvidence {
  return {
    notWorse: newRiskEvidence(notWorseTest(signal.notWorseThan)),
    profile: NEW_RISK_PROFILE,
    test: NO_COUNTS,
    rest: NO_COUNTS,
    weighed: { test: 0, rest: 0 },
    windows: 0,
    pace: { test: 0, rest: 0 },
  };
}

function addToStep(signal: SignalSettings, step: StepEvidence, comparison: Comparison): StepEvidence {
  const { test, rest } = comparison;
  const windows = step.windows + 1;
  const newest = 1 / Math.min(windows, PACE_WINDOWS);
  const both = test.total + rest.total;
  const perOutcome = both === 0 ? 0 : 1 / both;
  return {
    notWorse: addToRiskEvidence(notWorseTest(signal.notWorseThan), step.notWorse, comparison),
    profile: addToRiskProfile(step.profile, comparison),
    test: addCounts(step.test, test),
    rest: addCounts(step.rest, rest),
    weighed: {
      test: step.weighed.test + test.bad * (rest.total * perOutcome),
      rest: step.weighed.rest + rest.bad * (test.total * perOutcome),
    },
    windows,
    pace: {
      test: step.pace.test + newest * (test.total - step.pace.test),
      rest: step.pace.rest + newest * (rest.total - step.pace.rest),
    },
  };
}
