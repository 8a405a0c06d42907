import type { Comparison, Counts } from "./counts.ts";

/**
 * What is remembered of counts that are told as sums since whenever, and only rise, to tell what came to them. All of them
 * are of the same servers.
 */
export interface RisingCounts {
  /** Up to here everything was given out. */
  readonly given: Comparison;
  readonly latest: Comparison;
  /** The most that the totals ever were. */
  readonly highest: { readonly test: number; readonly rest: number };
  /** Readings since `given`, of which nothing was given out. */
  readonly held: number;
}

export type Added =
  | { readonly kind: "counted"; readonly comparison: Comparison }
  /** Not yet, or the first reading. */
  | { readonly kind: "nothing" }
  /** `why`: what the numbers did, for people. */
  | { readonly kind: "unsure"; readonly why: string };

/**
 * Readings after which something is given out though one side stands still. Of servers that are asked once a minute, as
 * Prometheus does by default, in every sixth window of ten seconds something is new: at other times on either side.
 */
const MOST_HELD = 12;

/**
 * What came to the counts since something was given out. Numbers that go down, as after a restart, are a new beginning. So
 * are totals that rise past where they once were: a server that was away for a moment brings its whole past with it. (Of
 * the bad ones this is not asked: what is left out must not depend on the outcomes.)
 */
export function addReading(
  before: RisingCounts | undefined,
  now: Comparison,
): { readonly next: RisingCounts; readonly added: Added } {
  const begun = { given: now, latest: now, highest: { test: now.test.total, rest: now.rest.total }, held: 0 };
  if (before === undefined) return { next: begun, added: { kind: "nothing" } };
  const highest = {
    test: Math.max(before.highest.test, now.test.total),
    rest: Math.max(before.highest.rest, now.rest.total),
  };
  const why = jumpOf(before, now);
  if (why !== undefined) return { next: { ...begun, highest }, added: { kind: "unsure", why } };
  const comparison = {
    test: increment(before.given.test, now.test),
    rest: increment(before.given.rest, now.rest),
  };
  const held = before.held + 1;
  // One side alone tells nothing apart: what it has is kept until there is something of the other.
  if ((comparison.test.total === 0 || comparison.rest.total === 0) && held < MOST_HELD) {
    return { next: { given: before.given, latest: now, highest, held }, added: { kind: "nothing" } };
  }
  return { next: { ...begun, highest }, added: { kind: "counted", comparison } };
}

function jumpOf({ latest, highest }: RisingCounts, now: Comparison): string | undefined {
  for (const side of ["test", "rest"] as const) {
    for (const kind of ["total", "bad"] as const) {
      const [from, to] = [latest[side][kind], now[side][kind]];
      if (to < from) return `${side}.${kind} went down from ${from} to ${to}`;
    }
    const [from, to, most] = [latest[side].total, now[side].total, highest[side]];
    if (from < most && to >= most) return `${side}.total, once ${most}, came back from ${from} to ${to}`;
  }
  return undefined;
}

/** Asked for at slightly different moments, more may be bad than there were. */
function increment(from: Counts, to: Counts): Counts {
  const total = to.total - from.total;
  return { total, bad: Math.min(to.bad - from.bad, total) };
}
