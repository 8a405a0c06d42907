import { formatProblems } from "../config/format-problems.ts";
import { parseAppDocument } from "../config/app-document.ts";
import type { AppContent, StoredApp } from "./directory.ts";

export type ReadStoredApp =
  | { readonly ok: true; readonly app: StoredApp }
  | { readonly ok: false; readonly reason: string };

/** A stored app read back: checked again, as an earlier version of this program may have accepted what this one refuses. */
export function parseStoredApp(
  name: string,
  revision: unknown,
  { document, releases }: { readonly document?: unknown; readonly releases?: unknown },
): ReadStoredApp {
  if (!isRevision(revision)) {
    return {
      ok: false,
      reason: `revision: found ${JSON.stringify(revision) ?? "nothing"}, expected a whole number from 1`,
    };
  }
  const parsed = parseAppDocument(document, { name });
  if (!parsed.ok) {
    const problems = formatProblems(parsed.problems);
    return { ok: false, reason: `its document is not valid: ${problems.join("; ")}` };
  }
  return {
    ok: true,
    app: { name, revision, document: parsed.value, ...(releases !== undefined && { releases }) },
  };
}

export function isRevision(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

/** The app's next version, above everything known of its name. */
export function nextVersion(
  name: string,
  content: AppContent,
  known: number,
  floor: number | undefined,
): StoredApp {
  return { name, revision: Math.max(known, floor ?? 0) + 1, ...content };
}
