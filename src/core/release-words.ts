const UNITS: readonly (readonly [length: number, unit: string])[] = [
  [3_600_000, "h"],
  [60_000, "min"],
  [1000, "s"],
];

/** Longest text from outside (a hook's output, a server's error) that is kept in the state of a release. */
const MOST_CHARACTERS = 500;

/** "1 h 30 min", "45 s", "0 s": for reasons and logs; less than a second is rounded up to one. */
export function durationInWords(milliseconds: number): string {
  let rest = Math.max(0, Math.ceil(milliseconds / 1000) * 1000);
  const parts: string[] = [];
  for (const [length, unit] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.length === 0 ? "0 s" : parts.join(" ");
}

/** "group1", "group1 and group2", "group1, group2 and group3". */
export function listInWords(names: readonly string[]): string {
  if (names.length <= 1) return names[0] ?? "nothing";
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
}

/** At most two decimals, none where there are none. */
export function numberInWords(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** What somebody else wrote, cut to a length that may be stored. */
export function shortened(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS - 1)}…`;
}
