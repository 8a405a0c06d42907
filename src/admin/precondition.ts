import type { Expected } from "../directory/directory.ts";

/** What the request says it has seen. */
export type Precondition =
  | { readonly kind: "expected"; readonly expected: Expected }
  | { readonly kind: "none" }
  | { readonly kind: "malformed"; readonly detail: string };

/**
 * `If-Match: "7"` (or bare 7): revision 7. `If-Match: *`: whatever stands, also nothing (RFC 9110 13.1.1 would refuse
 * that last case; a PUT that means "make it so" is the use of it here). `If-None-Match: *`: there must be no such app.
 */
export function readPrecondition(ifMatch: string | undefined, ifNoneMatch: string | undefined): Precondition {
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    return malformed("found both If-Match and If-None-Match, expected one of them");
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === "*") return { kind: "expected", expected: "absent" };
    return malformed(`found If-None-Match: ${ifNoneMatch}, expected * (the app must not exist yet)`);
  }
  if (ifMatch === undefined) return { kind: "none" };
  const text = ifMatch.trim();
  if (text === "*") return { kind: "expected", expected: "any" };
  // Revisions are counted one by one: fifteen digits never come, and stay exact as a number.
  const revision = /^(?:"(\d{1,15})"|(\d{1,15}))$/.exec(text);
  if (revision === null) {
    return malformed(
      `found If-Match: ${ifMatch}, expected one revision like "7" (the ETag of the document) or *`,
    );
  }
  return { kind: "expected", expected: Number(revision[1] ?? revision[2]) };
}

export function etag(revision: number): string {
  return `"${revision}"`;
}

function malformed(detail: string): Precondition {
  return { kind: "malformed", detail };
}
