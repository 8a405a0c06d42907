import { isDeepStrictEqual } from "node:util";
import { type AppDocument, parseAppDocument } from "../../config/app-document.ts";
import { APP_KEYS } from "../../config/app-schema.ts";
import { describeFound } from "../../config/finding.ts";
import { toOriginal } from "../../config/original-form.ts";
import type { Parsed, Problem } from "../../config/problem.ts";
import type { Origin } from "../directory.ts";
import { isRecord } from "../sealed-json.ts";
import { isRevision } from "../stored-app.ts";
import { digest } from "./stored-value.ts";

/** What the original's value carries. */
const IN_VALUE = ["groups", "testers", "deploy"] as const;
/** What lies beside it, as the original has no place for it. */
const BESIDE = ["share", "testing", "standby", "ramp", "quarantine", "draw", "tally"] as const;

type Beside = Pick<AppDocument, (typeof BESIDE)[number]>;

/** What lies under the `halftone:` key of an app of the original layout. */
export interface BesideValue extends Partial<Origin> {
  readonly revision: number;
  /** Of the content of the value that has this revision; a value with another one was set by somebody else. */
  readonly content: string;
  readonly more: Beside;
  readonly releases?: unknown;
  readonly deleted?: true;
}

/** Undefined: there is none, or it cannot be read, which loses a share and a count, and nothing that serves. */
export function readBeside(raw: string | null): BesideValue | undefined {
  if (raw === null) return undefined;
  try {
    const value: unknown = JSON.parse(raw);
    const isBeside =
      isRecord(value) &&
      isRevision(value["revision"]) &&
      typeof value["content"] === "string" &&
      isRecord(value["more"]);
    return isBeside ? (value as unknown as BesideValue) : undefined;
  } catch {
    return undefined;
  }
}

/** The whole document: what the value says, what lies beside it, and the rest from the file. */
export function joinDocument(base: AppDocument, raw: string, more: Beside): Parsed<AppDocument> {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (error) {
    const found = `no JSON: ${(error as Error).message}`;
    return { ok: false, problems: [{ path: "", found, expected: "the original's converted form" }] };
  }
  if (!isRecord(value)) {
    const found = describeFound(value);
    return { ok: false, problems: [{ path: "", found, expected: "the original's converted form" }] };
  }
  const { name } = base;
  const port = base.port === undefined ? {} : { port: base.port };
  const read = parseAppDocument({ ...value, ...port }, { name });
  if (!read.ok) return read;
  const { groups, testers = [], deploy = 0 } = read.value;
  const joined: Record<string, unknown> = { ...base, groups, testers, deploy };
  for (const key of BESIDE) replace(joined, key, more[key]);
  return parseAppDocument(joined, { name });
}

/** What of a document goes into the value, as text, and what beside it; and how it reads when it is joined again. */
export function splitDocument(
  base: AppDocument,
  document: AppDocument,
): Parsed<{ readonly value: string; readonly more: Beside; readonly joined: AppDocument }> {
  const elsewhere = new Set<string>(["name", ...IN_VALUE, ...BESIDE]);
  const problems: Problem[] = [];
  for (const key of APP_KEYS) {
    if (elsewhere.has(key)) continue;
    const field = key as keyof AppDocument;
    if (isDeepStrictEqual(document[field], base[field])) continue;
    const expected = `${describeFound(base[field])}, as the file says: in the original layout it is changed there`;
    problems.push({ path: key, found: describeFound(document[field]), expected });
  }
  const value = toOriginal(document);
  if (!value.ok) problems.push(...value.problems);
  if (problems.length > 0 || !value.ok) return { ok: false, problems };
  const more: Record<string, unknown> = {};
  for (const key of BESIDE) replace(more, key, document[key]);
  const text = JSON.stringify(value.value);
  const joined = joinDocument(base, text, more);
  return joined.ok ? { ok: true, value: { value: text, more, joined: joined.value } } : joined;
}

/**
 * Of what counts in a value: where the original's round robin stands (`current_weight`) does not, nor which numbers are
 * text. Not of the document it means: how that is written depends on the writer and on the file of each gateway.
 */
export function contentDigest(raw: string): string {
  return digest(JSON.stringify(whatCounts(JSON.parse(raw))));
}

function whatCounts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(whatCounts);
  if (!isRecord(value)) return String(value);
  const counting = Object.entries(value).filter(([key]) => key !== "current_weight");
  return counting
    .map(([key, one]) => [key, whatCounts(one)] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

/** A document of before the files were changed, as it is by now. */
export function rebase(base: AppDocument, document: AppDocument): AppDocument {
  const joined: Record<string, unknown> = { ...base };
  for (const key of [...IN_VALUE, ...BESIDE]) replace(joined, key, document[key]);
  const read = parseAppDocument(joined, { name: base.name });
  return read.ok ? read.value : document;
}

function replace(target: Record<string, unknown>, key: string, value: unknown): void {
  if (value === undefined) delete target[key];
  else target[key] = value;
}
