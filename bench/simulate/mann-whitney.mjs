// @ts-check
// How Kayenta's NetflixACAJudge classifies one metric.

/**
 * High: the lower end of the 98 % interval of the Hodges-Lehmann shift is above a quarter of the shift, and the mean is
 * not lower.
 * (kayenta-judge, MannWhitneyClassifier.scala, with the fraction 0.25 and the level 0.98 that NetflixACAJudge gives it.)
 * @param {readonly number[]} test
 * @param {readonly number[]} rest
 */
export function isHigh(test, rest) {
  if (test.length === 0 || rest.length === 0) return false;
  if (test.length === rest.length && test.every((value, index) => value === rest[index])) return false;
  const { low, shift } = mannWhitney(test, rest);
  // Where most points are equal both are 0, up to what finding the root leaves.
  return low > 0.25 * Math.abs(shift) + 1e-3 && mean(test) >= mean(rest);
}

/** Of the normal distribution, for 98 %. */
const QUANTILE = 2.3263478740408408;

/**
 * The asymptotic interval of R's wilcox.test, which Kayenta follows: the shift at which the standardised rank sum, with
 * corrections for continuity and ties, is a quantile.
 * @param {readonly number[]} test
 * @param {readonly number[]} rest
 */
function mannWhitney(test, rest) {
  const low = Math.min(...test) - Math.max(...rest);
  const high = Math.max(...test) - Math.min(...rest);
  const root = (/** @type {number} */ z) => {
    if (standardised(test, rest, low) - z <= 0) return low;
    if (standardised(test, rest, high) - z >= 0) return high;
    let [a, b] = [low, high];
    while (b - a > 1e-4) {
      const middle = (a + b) / 2;
      if (standardised(test, rest, middle) - z > 0) a = middle;
      else b = middle;
    }
    return (a + b) / 2;
  };
  return { low: root(QUANTILE), shift: root(0) };
}

/**
 * @param {readonly number[]} test
 * @param {readonly number[]} rest
 * @param {number} shift
 */
function standardised(test, rest, shift) {
  const moved = test.map((value) => ({ value: value - shift, mine: true }));
  const all = [...moved, ...rest.map((value) => ({ value, mine: false }))];
  all.sort((one, other) => one.value - other.value);
  const [m, n] = [test.length, rest.length];
  let ranks = 0;
  let ties = 0;
  for (let from = 0; from < all.length;) {
    let to = from;
    let mine = 0;
    while (to < all.length && all[to]?.value === all[from]?.value) if (all[to++]?.mine === true) mine++;
    const size = to - from;
    ranks += (mine * (from + 1 + to)) / 2;
    ties += size ** 3 - size;
    from = to;
  }
  const difference = ranks - (m * (m + 1)) / 2 - (m * n) / 2;
  const spread = Math.sqrt(((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1))));
  return spread === 0 ? 0 : (difference - Math.sign(difference) * 0.5) / spread;
}

/** @param {readonly number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
