// @ts-check
// Chance that can be repeated: a generator of its own, and exact samples of counts at a cost that does not grow with them.

/**
 * @typedef {object} Random
 * @property {() => number} uniform 0 to less than 1
 * @property {() => number} normal mean 0, variance 1
 * @property {(mean: number) => number} poisson
 * @property {(count: number, chance: number) => number} binomial
 */

/**
 * @param {number} seed
 * @returns {Random}
 */
export function newRandom(seed) {
  const uniform = sfc32(seed);
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    poisson: (mean) => poisson(uniform, mean),
    binomial: (count, chance) => binomial(uniform, count, chance),
  };
}

/**
 * Chris Doty-Humphrey's sfc32 of PractRand.
 * @param {number} seed
 */
function sfc32(seed) {
  let [a, b, c, counter] = [seed | 0, Math.floor(seed / 2 ** 32) | 0, 0x9e3779b9 | 0, 1];
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < 15; round++) next();
  return next;
}

/** Mean from which counts are drawn by rejection instead of one by one. */
const MANY = 10;

/**
 * @param {() => number} uniform
 * @param {number} mean
 * @returns {number}
 */
function poisson(uniform, mean) {
  if (mean <= 0) return 0;
  return mean < MANY ? fewPoisson(uniform, mean) : manyPoisson(uniform, mean);
}

/**
 * @param {() => number} uniform
 * @param {number} mean
 */
function fewPoisson(uniform, mean) {
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = uniform(); product > least; product *= uniform()) count++;
  return count;
}

/**
 * Hörmann 1993, "The transformed rejection method for generating Poisson random variables", algorithm PTRS.
 * @param {() => number} uniform
 * @param {number} mean
 */
function manyPoisson(uniform, mean) {
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const accepted = 0.9277 - 3.6224 / (b - 2);
  const lnMean = Math.log(mean);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const count = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= accepted) return count;
    if (count < 0 || (us < 0.013 && v > us)) continue;
    const lnHat = Math.log((v * inverseAlpha) / (a / (us * us) + b));
    if (lnHat <= count * lnMean - mean - lnFactorial(count)) return count;
  }
}

/**
 * @param {() => number} uniform
 * @param {number} count
 * @param {number} chance
 * @returns {number}
 */
function binomial(uniform, count, chance) {
  if (count <= 0 || chance <= 0) return 0;
  if (chance >= 1) return count;
  if (chance > 0.5) return count - binomial(uniform, count, 1 - chance);
  return count * chance < MANY ? fewBinomial(uniform, count, chance) : manyBinomial(uniform, count, chance);
}

/**
 * By the gaps between successes, which are geometric (Devroye 1986, X.4, second waiting time method's sibling).
 * @param {() => number} uniform
 * @param {number} count
 * @param {number} chance
 */
function fewBinomial(uniform, count, chance) {
  const lnFailure = Math.log1p(-chance);
  let successes = 0;
  for (let place = 0; ; successes++) {
    place += Math.floor(Math.log(1 - uniform()) / lnFailure) + 1;
    if (place > count) return successes;
  }
}

/**
 * Hörmann 1993, "The generation of binomial random variates", algorithm BTRS.
 * @param {() => number} uniform
 * @param {number} count
 * @param {number} chance at most one half
 */
function manyBinomial(uniform, count, chance) {
  const spread = Math.sqrt(count * chance * (1 - chance));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * chance;
  const middle = count * chance + 0.5;
  const accepted = 0.92 - 4.2 / b;
  const alpha = (2.83 + 5.1 / b) * spread;
  const lnOdds = Math.log(chance / (1 - chance));
  const mode = Math.floor((count + 1) * chance);
  const atMode = lnFactorial(mode) + lnFactorial(count - mode);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const successes = Math.floor(((2 * a) / us + b) * u + middle);
    if (successes < 0 || successes > count) continue;
    if (us >= 0.07 && v <= accepted) return successes;
    const lnHat = Math.log((v * alpha) / (a / (us * us) + b));
    const lnTrue =
      atMode - lnFactorial(successes) - lnFactorial(count - successes) + (successes - mode) * lnOdds;
    if (lnHat <= lnTrue) return successes;
  }
}

const FACTORIALS = Array.from({ length: 64 }, () => 0);
for (let n = 2; n < FACTORIALS.length; n++) FACTORIALS[n] = (FACTORIALS[n - 1] ?? 0) + Math.log(n);

/**
 * ln n!: from a table, else by Stirling's series, whose next term is below 1e-12 there.
 * @param {number} n
 */
function lnFactorial(n) {
  const known = FACTORIALS[n];
  if (known !== undefined) return known;
  const x = n + 1;
  const inverse = 1 / x;
  return (
    (x - 0.5) * Math.log(x) -
    x +
    0.5 * Math.log(2 * Math.PI) +
    inverse / 12 -
    inverse ** 3 / 360 +
    inverse ** 5 / 1260
  );
}
