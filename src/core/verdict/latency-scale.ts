/** Steps in which a doubling of the latency is told apart: 9 % each. */
const STEPS = 8;
/** Where the scale begins, in ms. */
const FIRST = 1 / 16;
/** Up to 65 s; what takes longer is in the last step. */
export const SCALE_LENGTH: number = 20 * STEPS;

/** The step of the scale that a latency in ms belongs to: 0 to `SCALE_LENGTH` - 1. */
export function stepOf(milliseconds: number): number {
  if (!(milliseconds > FIRST)) return 0;
  return Math.min(SCALE_LENGTH - 1, Math.floor(Math.log2(milliseconds / FIRST) * STEPS));
}

/** Where a step ends, in ms. */
export function endOfStep(step: number): number {
  return FIRST * 2 ** ((step + 1) / STEPS);
}

/** The least end of a step below which at least that part (0 to 1) of all counted latencies lie; undefined of none. */
export function quantile(counts: readonly number[], part: number): number | undefined {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return undefined;
  let below = 0;
  for (const [step, count] of counts.entries()) {
    below += count;
    if (below >= part * all && count > 0) return endOfStep(step);
  }
  return endOfStep(SCALE_LENGTH - 1);
}
