import * as z from "zod";

import { DURATION_EXPECTED, parseDuration } from "./duration.ts";

// The pieces schemas are made of. Each says in its error what is expected, in the words of `Problem.expected`;
// `schema-findings.ts` relies on that.

/** A map with these keys and no others. */
export function closedObject<Shape extends z.ZodRawShape>(
  shape: Shape,
  expected: string,
): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? known : expected),
  });
}

/** Numbers may come as text everywhere: the original's writers quote some of them. */
export function wholeNumber(min: number, max: number): z.ZodType<number> {
  const expected = `a whole number from ${min} to ${max}`;
  return z.preprocess(numberOfText, z.int(expected).min(min, expected).max(max, expected));
}

/** A percentage with at most two decimals: the draw of clients knows 10 000 steps. */
export function percentage(): z.ZodType<number> {
  const expected = "a percentage from 0 to 100 with at most two decimals";
  return z.preprocess(
    numberOfText,
    z
      .number(expected)
      .min(0, expected)
      .max(100, expected)
      .refine((share) => Number(share.toFixed(2)) === share, expected),
  );
}

export function flag(): z.ZodType<boolean> {
  return z.boolean("true or false");
}

/** Text that passes the check. */
export function checkedText(check: (text: string) => boolean, expected: string): z.ZodType<string> {
  return z.string(expected).refine(check, expected);
}

export function patternText(pattern: RegExp, expected: string): z.ZodType<string> {
  return z.string(expected).regex(pattern, expected);
}

export function filePath(): z.ZodType<string> {
  return checkedText((text) => text !== "" && !text.includes("\0"), "the path of a file");
}

/** What stands before an "@" would end up in logs; there are files for secrets, and the path for tokens. */
export function httpUrl(): z.ZodType<string> {
  return checkedText((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, username, password } = new URL(text);
    return /^https?:$/.test(protocol) && username === "" && password === "";
  }, 'a URL, "https://…" or "http://…", without user and password');
}

/** A duration above zero, kept as written. */
export function duration(): z.ZodType<string> {
  return checkedText((text) => (parseDuration(text) ?? 0) > 0, `${DURATION_EXPECTED}, above zero`);
}

/** A duration, kept as written, where none at all makes sense too. */
export function durationOrZero(): z.ZodType<string> {
  return checkedText((text) => parseDuration(text) !== undefined, DURATION_EXPECTED);
}

export function listOf<Item>(item: z.ZodType<Item>, what: string): z.ZodType<Item[]> {
  return z.array(item, `a list of ${what}`);
}

export function nonEmptyListOf<Item>(item: z.ZodType<Item>, what: string): z.ZodType<Item[]> {
  return z.array(item, `a list of ${what}`).min(1, `at least one of ${what}`);
}

/** "10" as 10; anything that is not a number in plain decimal spelling stays what it is, and is refused later. */
export function numberOfText(value: unknown): unknown {
  return typeof value === "string" && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(value) ? Number(value) : value;
}
