/** What a duration must look like, for people. */
export const DURATION_EXPECTED = 'a duration with its unit, like "250ms", "10s", "5m" or "1h"';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Longest time a Node.js timer can wait, about 24 days: a longer one would fire at once. */
const MAX_DURATION = 2 ** 31 - 1;

/**
 * "250ms", "10s", "1.5s", "5m", "1h" to whole milliseconds; undefined for anything else. A number without unit is
 * refused: nginx reads it as seconds, Node.js as milliseconds.
 */
export function parseDuration(text: string): number | undefined {
  const parts = /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  if (parts === null) return undefined;
  const milliseconds = Math.round(Number(parts[1]) * UNITS[parts[2]!]!);
  return milliseconds <= MAX_DURATION ? milliseconds : undefined;
}
