import { createHash } from "node:crypto";
import { formatProblems } from "../../config/format-problems.ts";
import type { AppDocument } from "../../config/app-document.ts";
import { parseAppDocument } from "../../config/app-document.ts";
import type { AppContent, DeletedApp, Origin, StoredApp } from "../directory.ts";
import { isRecord } from "../sealed-json.ts";
import { isRevision, parseStoredApp } from "../stored-app.ts";

/** What the value of an app's key says. */
export type StoredValue =
  | { readonly kind: "absent" }
  | { readonly kind: "app"; readonly app: StoredApp }
  | { readonly kind: "deleted"; readonly deleted: DeletedApp }
  /** A document that somebody set by hand: it has no revision yet. */
  | { readonly kind: "bare"; readonly document: AppDocument }
  /** `revision`: if that much could be read. */
  | { readonly kind: "damaged"; readonly reason: string; readonly revision?: number };

export function readValue(name: string, raw: string | null): StoredValue {
  if (raw === null) return { kind: "absent" };
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (error) {
    return { kind: "damaged", reason: `its value is not JSON: ${(error as Error).message}` };
  }
  if (!isRecord(value)) return { kind: "damaged", reason: "its value is JSON, but no object" };
  if (!("revision" in value)) {
    const parsed = parseAppDocument(value, { name });
    if (parsed.ok) return { kind: "bare", document: parsed.value };
    const problems = formatProblems(parsed.problems);
    return { kind: "damaged", reason: `it has no revision and is no document: ${problems.join("; ")}` };
  }
  const { revision, deleted } = value;
  const origin = readOrigin(value);
  if (deleted === true && isRevision(revision)) {
    return { kind: "deleted", deleted: { name, revision, ...(origin && { origin }) } };
  }
  const read = parseStoredApp(name, revision, value);
  if (read.ok) return { kind: "app", app: { ...read.app, ...(origin && { origin }) } };
  return { kind: "damaged", reason: read.reason, ...(isRevision(revision) && { revision }) };
}

/** The value from behind its revision, which the script puts before it. */
export function writeValue(origin: Origin, at: string, content: AppContent | "deleted"): string {
  const kept =
    content === "deleted" ? { deleted: true } : { document: content.document, releases: content.releases };
  return JSON.stringify({ ...origin, at, ...kept }).slice(1);
}

/** As Redis's sha1hex. */
export function digest(raw: string): string {
  return createHash("sha1").update(raw).digest("hex");
}

function readOrigin({ by, what, gateway }: Readonly<Record<string, unknown>>): Origin | undefined {
  if (typeof by !== "string" || typeof what !== "string" || typeof gateway !== "string") return undefined;
  return { by, what, gateway };
}
