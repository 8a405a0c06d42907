import type { Problem } from "./problem.ts";

/** A problem before it is put into words: keys and indexes that lead to the field, and what should stand there. */
export interface Finding {
  readonly path: Path;
  readonly expected: string;
}

export type Path = readonly PropertyKey[];

/** Longest excerpt of the input that a problem shows. */
const MAX_FOUND = 80;

/** `input`: what the paths lead into. */
export function problemsOf(findings: readonly Finding[], input: unknown): Problem[] {
  return findings.map(({ path, expected }) => ({
    path: formatPath(path),
    found: describeFound(valueAt(input, path)),
    expected,
  }));
}

/** `groups.group1.servers[2]`; keys that would be misread stand in brackets: `groups["a.b"]`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (/^\w[\w-]*$/.test(String(key))) text += text === "" ? String(key) : `.${String(key)}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text;
}

/** The value as JSON, shortened; "nothing" for undefined. */
export function describeFound(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = jsonOf(value) ?? `${typeof value} that is no JSON`;
  return text.length <= MAX_FOUND ? text : `${text.slice(0, MAX_FOUND - 1)}…`;
}

function jsonOf(value: unknown): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    // Circular, or a bigint: no JSON, and refused for that.
    return undefined;
  }
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
