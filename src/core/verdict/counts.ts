/** Outcomes on one side: how many there were, and how many of them were bad (errors, or answers that were slow). */
export interface Counts {
  readonly total: number;
  readonly bad: number;
}

/** What the group under test and the groups serving beside it saw in the same window of time. */
export interface Comparison {
  readonly test: Counts;
  readonly rest: Counts;
}

export const NO_COUNTS: Counts = { total: 0, bad: 0 };

/**
 * Counts that can be reckoned with, whatever came: not a number, or less than nothing, is nothing; more than can be
 * counted is the most that can; what was bad took place, so the total is at least that.
 */
export function soundCounts({ total, bad }: Counts): Counts {
  const soundBad = soundCount(bad);
  return { total: Math.max(soundCount(total), soundBad), bad: soundBad };
}

function soundCount(count: number): number {
  return count > 0 ? Math.min(count, Number.MAX_SAFE_INTEGER) : 0;
}

export function addCounts(one: Counts, other: Counts): Counts {
  return soundCounts({ total: one.total + other.total, bad: one.bad + other.bad });
}

/** The same without a part of it. */
export function subtractCounts(whole: Counts, part: Counts): Counts {
  return soundCounts({ total: whole.total - part.total, bad: whole.bad - part.bad });
}

/** A window tells something about a difference only if both sides had traffic and something bad happened. */
export function tellsApart({ test, rest }: Comparison): boolean {
  return test.total > 0 && rest.total > 0 && test.bad + rest.bad > 0;
}
