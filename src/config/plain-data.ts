import type { Finding, Path } from "./finding.ts";

export type PlainObject = { [key: string]: unknown };

/** Deeper than any document goes; what is deeper is circular or an attack on recursive readers. */
const MAX_DEPTH = 16;

/**
 * A copy that holds only what JSON can hold, so that everything after it may take text, numbers, lists and maps for
 * granted. Keys set to undefined are left out. Keys named `__proto__` are refused: assigned, they would change an
 * object's prototype instead of being a key.
 */
export function plainCopy(input: unknown, findings: Finding[], path: Path = []): unknown {
  if (path.length > MAX_DEPTH) {
    findings.push({ path: path.slice(0, 1), expected: `data at most ${MAX_DEPTH} levels deep` });
    return undefined;
  }
  if (input === null || typeof input === "string" || typeof input === "boolean") return input;
  if (typeof input === "number" && Number.isFinite(input)) return input;
  if (Array.isArray(input)) return input.map((entry, index) => plainCopy(entry, findings, [...path, index]));
  if (!isPlainObject(input)) {
    findings.push({ path, expected: "text, a number, true, false, a list or a map" });
    return undefined;
  }
  const copy: PlainObject = {};
  for (const [key, value] of Object.entries(input)) {
    if (key === "__proto__") findings.push({ path: [...path, key], expected: "another key" });
    else if (value !== undefined) copy[key] = plainCopy(value, findings, [...path, key]);
  }
  return copy;
}

export function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
