import type * as z from "zod";

import type { Finding, Path } from "./finding.ts";
import { nearestOf } from "./nearest-of.ts";

type Issue = z.core.$ZodIssue;

/** What a schema of `schema-fields.ts` has to say, its unions resolved to the choice that was meant. */
export function findingsOf(issues: readonly Issue[], under: Path = []): Finding[] {
  return issues.flatMap((issue) => {
    const path = [...under, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      // `closedObject` gives the keys it knows as its message.
      return issue.keys.map((key) => unknownKey([...path, key], key, issue.message.split(", ")));
    }
    if (issue.code === "invalid_key") return issue.issues.map(({ message }) => ({ path, expected: message }));
    const finding = { path, expected: issue.message };
    return issue.code === "invalid_union" ? unionFindings(issue.errors, finding) : [finding];
  });
}

/** A key nobody knows, with the known one that was probably meant. */
export function unknownKey(path: Path, key: string, known: readonly string[]): Finding {
  const near = nearestOf(key, known);
  const hint = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
  return { path, expected: `one of the keys ${known.join(", ")}${hint}` };
}

/** Of the choices that take this kind of value at all (text, map), the one with the least to complain about. */
function unionFindings(choices: readonly (readonly Issue[])[], whole: Finding): Finding[] {
  const candidates = choices
    .filter((issues) => !issues.some(isOtherKind))
    .map((issues) => findingsOf(issues, whole.path))
    .filter((findings) => findings.length > 0)
    .sort((a, b) => a.length - b.length);
  return candidates[0] ?? [whole];
}

/** Does the choice not take this kind of value: a map where text stands, another text than the only one? */
function isOtherKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === "invalid_union") return issue.errors.every((choice) => choice.some(isOtherKind));
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}
