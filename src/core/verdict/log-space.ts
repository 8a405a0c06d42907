/** ln of the sum, of the logarithms of its terms: never overflows, and a term of -Infinity (zero) adds nothing. */
export function lnSum(logarithms: readonly number[]): number {
  let most = -Infinity;
  for (const value of logarithms) if (value > most) most = value;
  if (most === -Infinity) return -Infinity;
  let sum = 0;
  for (const value of logarithms) sum += Math.exp(value - most);
  return most + Math.log(sum);
}

/** The same of two terms. */
export function lnSumOfTwo(one: number, other: number): number {
  const most = Math.max(one, other);
  return most === -Infinity ? most : most + Math.log1p(Math.exp(-Math.abs(one - other)));
}

/** ln of the weighted mean of what has these logarithms. The weights need not add up to 1. */
export function lnMean(logarithms: readonly number[], weights: readonly number[]): number {
  const sum = weights.reduce((sum, weight) => sum + weight, 0);
  return lnSum(logarithms.map((value, index) => value + Math.log(weights[index]! / sum)));
}
