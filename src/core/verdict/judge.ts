import { findBadServer } from "./bad-server.ts";
import { signalEvidence, type Evidence } from "./evidence.ts";
import { lnMean } from "./log-space.ts";
import { isFull, meter, type Meter } from "./meter.ts";
import { scoreSignal, signalVerdict, type SignalVerdict } from "./signal-verdict.ts";
import type { VerdictSettings } from "./verdict-settings.ts";

/**
 * worse: roll back, or take the bad server out. notWorse: the step may end. notEnough: hold. No data never promotes and
 * never rolls back.
 */
export type Answer = "worse" | "notWorse" | "notEnough";

/** A verdict with its evidence. Plain JSON. */
export interface Verdict {
  readonly answer: Answer;
  /** With `worse` only: the one server that is broken, while the version is not. */
  readonly badServer: string | undefined;
  /** Against "the versions are alike", the mean over the signals; 1/alpha is needed. */
  readonly unequal: Meter;
  /** Against "the difference is within `worseThan`", the mean over the signals; 1/beta is needed. Worse takes both. */
  readonly beyond: Meter;
  /** Against "at least `notWorseThan` times as bad", the least of the signals; 1/beta is needed. */
  readonly notWorse: Meter;
  readonly signals: readonly SignalVerdict[];
}

/**
 * The verdict on the evidence so far: to be asked for after each window, and acted upon at once.
 *
 * Worse: the mean of several E on the same data is an E (Vovk & Wang, Ann. Stat. 2021, arXiv 1912.06116), so that many
 * signals raise no more false alarms than one. Two hypotheses have to fall: that the versions are alike, with the
 * chance alpha of a mistake, and, so that nobody is rolled back for a trifle, that the difference is within `worseThan`, with
 * the chance beta. Asking for alpha there too would miss every tenth of the fourfold rises that are found now.
 *
 * Not worse: each signal alone reaches 1/beta. As all of them have to, nothing is to be corrected for their number
 * (Berger, Technometrics 1982: intersection-union tests).
 */
export function judge(settings: VerdictSettings, evidence: Evidence): Verdict {
  const scored = settings.signals.map((signal) => {
    const ofSignal = signalEvidence(evidence, signal);
    return { signal, ofSignal, score: scoreSignal(signal, ofSignal) };
  });
  const mean = (of: "unequal" | "beyond"): number =>
    lnMean(
      scored.map(({ score }) => score[of]),
      scored.map(({ signal }) => signal.weight),
    );
  const unequal = meter(mean("unequal"), settings.alpha);
  const beyond = meter(mean("beyond"), settings.beta);
  const notWorse = meter(Math.min(...scored.map(({ score }) => score.notWorse)), settings.beta);
  const isWorse = isFull(unequal) && isFull(beyond);
  return {
    answer: isWorse ? "worse" : isFull(notWorse) ? "notWorse" : "notEnough",
    badServer: isWorse ? findBadServer(settings, evidence) : undefined,
    unequal,
    beyond,
    notWorse,
    signals: scored.map(({ signal, ofSignal, score }) => signalVerdict(settings, signal, ofSignal, score)),
  };
}
