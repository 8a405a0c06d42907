import type { Counts } from "./counts.ts";
import { lnSum } from "./log-space.ts";

/** Error rates that are bet on, as parts of the bound, and how the capital is spread over them. */
const BETS = [
  { part: 0, weight: 1 / 2 },
  { part: 1 / 8, weight: 1 / 4 },
  { part: 1 / 3, weight: 1 / 4 },
] as const;

/**
 * ln E against "at least `bound` (more than 0, less than 1) of the outcomes are bad", from the group under test alone.
 * It is what is left where errors are almost absent: the relative risk of what does not happen cannot be told.
 *
 * A bet on the rate q multiplies its stake by q/bound for each bad one and by (1-q)/(1-bound) for each good one: Wald's
 * sequential likelihood ratio (1945), an e-process by Ville's inequality; it holds for rates that change, too. The bet on
 * no error at all is the "rule of three": it alone would need ln(1/b) / -ln(1-bound) requests without an error,
 * 3/bound for b = 5 %. The two others, which keep a few errors from ruining everything, cost a tenth more.
 */
export function lnBelowBound({ total, bad }: Counts, bound: number): number {
  const lnGood = Math.log1p(-bound);
  return lnSum(
    BETS.map(({ part, weight }) => {
      // 0 * ln 0 is to be 0: without anything bad that factor is 1.
      const lnOfBad = bad === 0 ? 0 : bad * Math.log(part);
      return Math.log(weight) + lnOfBad + (total - bad) * (Math.log1p(-part * bound) - lnGood);
    }),
  );
}

/** How many outcomes in all, with no further bad one, show at level `miss` that fewer than `bound` are bad. */
export function totalNeeded(bad: number, bound: number, miss: number): number {
  const lnNeeded = -Math.log(miss);
  let low = bad;
  let high = Math.max(1, bad);
  while (lnBelowBound({ total: high, bad }, bound) < lnNeeded) {
    low = high;
    high *= 2;
  }
  for (;;) {
    const middle = Math.floor((low + high) / 2);
    // Beyond 2^53 there may be no number between that differs from both.
    if (middle <= low || middle >= high) return high;
    if (lnBelowBound({ total: middle, bad }, bound) < lnNeeded) low = middle;
    else high = middle;
  }
}
