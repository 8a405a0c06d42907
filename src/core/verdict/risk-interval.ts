import { tellsApart, type Comparison } from "./counts.ts";
import { lnSum } from "./log-space.ts";
import { lnGain } from "./risk-test.ts";

/**
 * ln of the likelihood of each relative risk of a grid, against that of 1. Likelihood ratios of any two of them are
 * differences of these, so that one list of numbers is enough to test every one of them. Plain JSON.
 */
export type RiskProfile = readonly number[];

/** The relative risk lies between these; `high` is undefined where nothing is too high. */
export interface RiskInterval {
  readonly low: number;
  readonly high: number | undefined;
}

/** Points to a doubling, and doublings below and above 1: from 1/16 to 64, each 9 % above the one before. */
const TO_A_DOUBLING = 8;
const BELOW = 4;
const ABOVE = 6;
const GRID: readonly number[] = Array.from(
  { length: (BELOW + ABOVE) * TO_A_DOUBLING + 1 },
  (_, index) => 2 ** (index / TO_A_DOUBLING - BELOW),
);

/** How many points beyond the one that is tested are bet on: up to 5.7 times as much or as little. */
const REACH = 20;

export const NEW_RISK_PROFILE: RiskProfile = GRID.map(() => 0);

export function addToRiskProfile(profile: RiskProfile, comparison: Comparison): RiskProfile {
  if (!tellsApart(comparison)) return profile;
  return profile.map((lnLikelihood, index) => lnLikelihood + lnGain(comparison, GRID[index]!, 1));
}

/**
 * A confidence sequence: the chance that the relative risk is ever, in any of all the looks at it, below `low` is at
 * most `miss` (more than 0, less than 1), and the same for above `high`. In it are the relative risks that neither
 * one-sided test rejects (Howard, Ramdas, McAuliffe & Sekhon, Ann. Stat. 2021, arXiv 1810.08240); the tests are those
 * of `risk-test.ts`, with the stakes spread evenly over the next points of the grid.
 *
 * The ends are points of the grid, rounded outwards.
 */
export function riskInterval(profile: RiskProfile, miss: number): RiskInterval {
  const fromBelow = rejected(profile, miss);
  const fromAbove = rejected(profile.toReversed(), miss);
  return { low: GRID[fromBelow - 1] ?? 0, high: GRID[GRID.length - fromAbove] };
}

/** How many points are rejected, one after the other from the first one on, in favour of those behind each. */
function rejected(profile: RiskProfile, miss: number): number {
  const lnNeeded = -Math.log(miss);
  const kept = profile.findIndex((lnLikelihood, index) => {
    const behind = profile.slice(index + 1, index + 1 + REACH);
    if (behind.length === 0) return true;
    return lnSum(behind) - Math.log(behind.length) - lnLikelihood < lnNeeded;
  });
  return kept < 0 ? profile.length : kept;
}
