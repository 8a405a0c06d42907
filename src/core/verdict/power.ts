import { tellsApart, type Comparison } from "./counts.ts";
import { lnSum } from "./log-space.ts";
import { normalBelow } from "./normal-distribution.ts";
import { lnEvidence, lnGain, UNEQUAL, worseTest, type RiskEvidence, type RiskTest } from "./risk-test.ts";

/** Traffic of a signal, as it is or as it is planned. */
export interface Traffic {
  /** Outcomes in a window. */
  readonly test: number;
  readonly rest: number;
  /** Part of those of the rest that are bad, 0 to 1. */
  readonly badPart: number;
}

/** What finding a regression needs. */
export interface Search {
  readonly alpha: number;
  readonly beta: number;
  readonly worseThan: number;
  /** The signal's part in the mean of the evidence, more than 0 to 1. */
  readonly part: number;
}

/**
 * What the bets cost beyond the likelihood ratio of the best one of them, in ln E: not all is staked on that one, while
 * its neighbours help, and the highest point counts, not the last. Fitted to simulations (`docs/verdicts.md`).
 */
const SPREAD = 0.9;
/** Relative risks are looked for up to this one, in steps of 5 %. */
const MOST = 100;
const STEP = 1.05;
/** What takes longer than some years is not expected at all. */
const MOST_WINDOWS = 1e7;

/**
 * Chance that a version with the relative risk `risk` is found worse within so many windows: by the normal approximation
 * to the logarithm of the likelihood ratio. Good to about a tenth (see `docs/verdicts.md`).
 */
export function chanceToFind(search: Search, traffic: Traffic, windows: number, risk: number): number {
  const { alpha, beta, worseThan, part } = search;
  return Math.min(
    chanceToPass(UNEQUAL, -Math.log(alpha * part), traffic, windows, risk),
    chanceToPass(worseTest(worseThan), -Math.log(beta * part), traffic, windows, risk),
  );
}

/** The least relative risk that is found within so many windows with this chance; undefined if it is above 100. */
export function findableRisk(
  search: Search,
  traffic: Traffic,
  windows: number,
  chance: number,
): number | undefined {
  for (let risk = STEP; risk <= MOST; risk *= STEP) {
    if (chanceToFind(search, traffic, windows, risk) >= chance) return risk;
  }
  return undefined;
}

/**
 * After how many windows the evidence is expected to reach ln E = `lnNeeded` if the relative risk is `risk`: each bet
 * goes on with what it gains on average. Infinity if it is not expected to.
 */
export function windowsToReach(
  test: RiskTest,
  evidence: RiskEvidence,
  lnNeeded: number,
  traffic: Traffic,
  risk: number,
): number {
  const comparison = expected(traffic, risk);
  if (lnEvidence(test, evidence) >= lnNeeded) return 0;
  if (!tellsApart(comparison)) return Infinity;
  const gains = test.bets.map((bet) => lnGain(comparison, bet.risk, test.margin));
  const isThere = (windows: number): boolean =>
    lnSum(evidence.lnStakes.map((lnStake, index) => lnStake + windows * gains[index]!)) >= lnNeeded;
  let high = 1;
  while (!isThere(high)) {
    if (high > MOST_WINDOWS) return Infinity;
    high *= 2;
  }
  let low = 0;
  // To a tenth of a window.
  for (let step = high / 2; step > 0.05; step /= 2) {
    if (isThere(low + step)) high = low + step;
    else low += step;
  }
  return high;
}

function chanceToPass(
  test: RiskTest,
  lnNeeded: number,
  traffic: Traffic,
  windows: number,
  risk: number,
): number {
  const comparison = expected(traffic, risk);
  if (!tellsApart(comparison)) return 0;
  let best = { gain: 0, variance: 1 };
  for (const bet of test.bets) {
    const gain = lnGain(comparison, bet.risk, test.margin);
    if (gain <= best.gain) continue;
    // What one bad one on either side adds; their numbers are Poisson's.
    const one = { test: { ...comparison.test, bad: 1 }, rest: { ...comparison.rest, bad: 0 } };
    const other = { test: { ...comparison.test, bad: 0 }, rest: { ...comparison.rest, bad: 1 } };
    const variance =
      comparison.test.bad * lnGain(one, bet.risk, test.margin) ** 2 +
      comparison.rest.bad * lnGain(other, bet.risk, test.margin) ** 2;
    best = { gain, variance };
  }
  if (best.gain === 0) return 0;
  return normalBelow((best.gain * windows - lnNeeded - SPREAD) / Math.sqrt(best.variance * windows));
}

function expected({ test, rest, badPart }: Traffic, risk: number): Comparison {
  return {
    test: { total: test, bad: test * Math.min(1, badPart * risk) },
    rest: { total: rest, bad: rest * badPart },
  };
}
