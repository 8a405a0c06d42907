import { tellsApart, type Comparison } from "./counts.ts";
import { lnSum, lnSumOfTwo } from "./log-space.ts";

/**
 * Tests of the relative risk: how many times as often something bad happens in the group under test as in the groups
 * serving beside it.
 *
 * A test is a bet against its hypothesis ("the relative risk is at most 1.2"). It begins with a capital of 1. If the
 * hypothesis holds, the capital is expected to stay or to shrink, however one plays, so that by Ville's inequality (1939) the
 * chance that it ever reaches 1/a is at most a. The capital, E, may therefore be looked at after every window and the
 * release stopped at any time, which significance tests made for one look do not allow.
 *
 * In a window with n requests, the part p of them in the group under test, and k bad ones, k_t of them there, the stake on
 * the alternative r against the margin m is multiplied by
 *
 *     (r/m)^k_t * ((1-p+p*r) / (1-p+p*m))^-k
 *
 * which is the likelihood ratio of r to m for the side that each bad one fell on: Lindon & Malek, NeurIPS 2022 (arXiv
 * 2011.03567), with a grid of alternatives in place of their Dirichlet prior. Why the expectation is at most 1: let c be
 * the second fraction (before the exponent). A request that is bad with the probability q multiplies the stake by 1+q*(x-1),
 * where x is r/(m*c) in the group under test and 1/c in the rest, and 1+y <= exp(y). So the window multiplies it by at
 * most exp(n*(p*q_t*(r/(m*c)-1) + (1-p)*q_r*(1/c-1))), and that is 1 where the mean probabilities are q_t = m*q_r, and
 * less where q_t lies farther from r. Neither must the errors be rare, nor must all requests be equally likely to fail,
 * nor may the rate not change from window to window: only that the outcomes within a window are independent is needed.
 * (For m = 1 the same follows from Hoeffding, JASA 1963, section 6: sampling without replacement.)
 */
export interface RiskTest {
  /** The hypothesis to be refuted is that the relative risk is this, or lies on the far side of it. */
  readonly margin: number;
  /** Relative risks that are bet on: all above the margin, or all below it. At least one. */
  readonly bets: readonly Bet[];
  /**
   * Part of the capital (0 to less than 1) that is not staked at once, but bit by bit as bad ones are seen. Without it
   * a fault that begins late has to make good first what the bets lost before it began.
   */
  readonly held: number;
}

export interface Bet {
  readonly risk: number;
  /** Part of the stakes; those of a test add up to 1. */
  readonly weight: number;
}

/** How a test stands. Plain JSON. */
export interface RiskEvidence {
  /** ln of what the stake on each bet has become. */
  readonly lnStakes: readonly number[];
  /** Bad ones seen so far, on both sides. */
  readonly bad: number;
}

/**
 * What a version that is worse may be, as multiples of the margin. Most is staked in the middle: less needs so many bad ones
 * that a little more makes no difference, and what is far more is found whatever is staked on it.
 */
const WORSE: readonly Bet[] = [
  { risk: 1.25, weight: 0.05 },
  { risk: 1.5, weight: 0.15 },
  { risk: 2, weight: 0.2 },
  { risk: 3, weight: 0.25 },
  { risk: 5, weight: 0.2 },
  { risk: 10, weight: 0.1 },
  { risk: 30, weight: 0.05 },
];
/** What a version that is not worse may be. */
const NOT_WORSE: readonly number[] = [0.5, 0.8, 1, 1.25, 1.5];
/** A server that is broken is by far worse than its siblings. */
const BROKEN: readonly number[] = [4, 10, 30];
/** Held back for faults that begin late. It costs those that are there from the start ln(4/3): a twentieth more bad ones. */
const HELD = 0.25;
/** Bad ones after which half of what was held back is staked. */
const HALF_STAKED = 20;

/** Refutes that the group under test has at most `margin` (1 or more) times the risk: it is worse than that. */
export function worseTest(margin: number): RiskTest {
  return { margin, bets: WORSE.map(({ risk, weight }) => ({ risk: risk * margin, weight })), held: HELD };
}

/** Refutes that both sides are alike, or that the group under test has less. */
export const UNEQUAL: RiskTest = worseTest(1);

/** Refutes that the group under test has at least `margin` (more than 1) times the risk: it is not worse by that much. */
export function notWorseTest(margin: number): RiskTest {
  return { margin, bets: evenly(NOT_WORSE.filter((risk) => risk < margin)), held: 0 };
}

/** Refutes that a server is like the others of its group, by bets that it is by far worse. */
export const BROKEN_TEST: RiskTest = { margin: 1, bets: evenly(BROKEN), held: 0 };

function evenly(risks: readonly number[]): readonly Bet[] {
  return risks.map((risk) => ({ risk, weight: 1 / risks.length }));
}

export function newRiskEvidence({ bets, held }: RiskTest): RiskEvidence {
  return { lnStakes: bets.map(({ weight }) => Math.log(weight * (1 - held))), bad: 0 };
}

/** The evidence with one more window. One without traffic on both sides, or without anything bad, changes nothing. */
export function addToRiskEvidence(
  test: RiskTest,
  evidence: RiskEvidence,
  comparison: Comparison,
): RiskEvidence {
  if (!tellsApart(comparison)) return evidence;
  const bad = evidence.bad + comparison.test.bad + comparison.rest.bad;
  // Staked after the window, for the next one: what a window wins must not decide what is staked on it.
  const lnStaked = Math.log(heldBack(test, evidence.bad) - heldBack(test, bad));
  const lnStakes = test.bets.map(({ risk, weight }, index) => {
    const lnStake = evidence.lnStakes[index]! + lnGain(comparison, risk, test.margin);
    return lnSumOfTwo(lnStake, lnStaked + Math.log(weight));
  });
  return { lnStakes, bad };
}

/** ln E: the capital, at first 1. */
export function lnEvidence(test: RiskTest, evidence: RiskEvidence): number {
  return lnSum([...evidence.lnStakes, Math.log(heldBack(test, evidence.bad))]);
}

/** ln of what a window multiplies the stake on `risk` against `margin` by. */
export function lnGain({ test, rest }: Comparison, risk: number, margin: number): number {
  const part = test.total / (test.total + rest.total);
  const lnBoth = Math.log1p((part * (risk - margin)) / (1 + part * (margin - 1)));
  return test.bad * Math.log(risk / margin) - (test.bad + rest.bad) * lnBoth;
}

/** What of the capital is not staked yet. */
function heldBack({ held }: RiskTest, bad: number): number {
  return (held * HALF_STAKED) / (HALF_STAKED + bad);
}
