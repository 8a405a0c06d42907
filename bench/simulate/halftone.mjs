// @ts-check
// Halftone's verdict, looked at after every window. Only the tests themselves are kept, without the figures that a person
// is shown, so that millions of windows can be judged; test/simulate.test.ts sees that it says what `judge` says.
import {
  addToRiskEvidence,
  errorSignal,
  lnEvidence,
  lnMean,
  newRiskEvidence,
  notWorseTest,
  slowSignals,
  UNEQUAL,
  worseTest,
} from "./core.mjs";

/** @typedef {import("../../src/core/verdict/verdict-settings.ts").VerdictSettings} VerdictSettings */
/** @typedef {import("../../src/core/verdict/counts.ts").Comparison} Comparison */

/** @type {VerdictSettings} */
export const ERRORS = { alpha: 0.01, beta: 0.05, signals: [errorSignal()] };
/** @type {VerdictSettings} */
export const LATENCY = { ...ERRORS, signals: slowSignals() };
/** @type {VerdictSettings} */
export const BOTH = { ...ERRORS, signals: [...ERRORS.signals, ...LATENCY.signals] };

/**
 * Whether a version is called worse.
 * @param {VerdictSettings} settings
 * @returns {(comparisons: readonly Comparison[]) => boolean} of one window, one comparison for each signal
 */
export function watchWorse({ alpha, beta, signals }) {
  const weights = signals.map(({ weight }) => weight);
  const watched = signals.map(({ worseThan }) => {
    const beyond = worseTest(worseThan);
    return { beyond, ofUnequal: newRiskEvidence(UNEQUAL), ofBeyond: newRiskEvidence(beyond) };
  });
  return (comparisons) => {
    for (const [index, signal] of watched.entries()) {
      const comparison = /** @type {Comparison} */ (comparisons[index]);
      signal.ofUnequal = addToRiskEvidence(UNEQUAL, signal.ofUnequal, comparison);
      signal.ofBeyond = addToRiskEvidence(signal.beyond, signal.ofBeyond, comparison);
    }
    const unequal = watched.map(({ ofUnequal }) => lnEvidence(UNEQUAL, ofUnequal));
    if (lnMean(unequal, weights) < -Math.log(alpha)) return false;
    const beyond = watched.map(({ beyond, ofBeyond }) => lnEvidence(beyond, ofBeyond));
    return lnMean(beyond, weights) >= -Math.log(beta);
  };
}

/**
 * Whether a version is proven not worse by its relative risk alone, without the absolute bound.
 * @param {number} margin
 * @param {number} beta
 * @returns {(comparison: Comparison) => boolean}
 */
export function watchNotWorse(margin, beta) {
  const test = notWorseTest(margin);
  let evidence = newRiskEvidence(test);
  return (comparison) => {
    evidence = addToRiskEvidence(test, evidence, comparison);
    return lnEvidence(test, evidence) >= -Math.log(beta);
  };
}
