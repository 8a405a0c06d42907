/** What the lifetime of a token must look like, for people. */
export const LIFETIME_EXPECTED = 'a time with its unit, like "12h" or "30d", up to 3650d';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST = 3650 * 86_400_000;

/** "30m", "12h", "30d" to milliseconds; undefined for anything else, for nothing at all and for more than ten years. */
export function parseLifetime(text: string): number | undefined {
  const parts = /^(\d{1,8})([mhd])$/.exec(text);
  if (parts === null) return undefined;
  const milliseconds = Number(parts[1]) * UNITS[parts[2]!]!;
  return milliseconds > 0 && milliseconds <= LONGEST ? milliseconds : undefined;
}
