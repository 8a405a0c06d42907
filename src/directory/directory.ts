import type { AppDocument } from "../config/app-document.ts";

/** A document as the directory holds it. */
export interface StoredApp {
  readonly name: string;
  /** Grows by one with each change of this name, also across a deletion; the ETag of the admin API. */
  readonly revision: number;
  readonly document: AppDocument;
}

/** What remains of a deleted app, so that its revisions never start over. */
export interface DeletedApp {
  readonly name: string;
  /** The revision of the deletion: one above the last document's. */
  readonly revision: number;
}

/** What a writer has seen: a revision, no such app, or "whatever stands". */
export type Expected = number | "absent" | "any";

export type WriteResult =
  | { readonly kind: "written"; readonly app: StoredApp; readonly before: StoredApp | undefined }
  /** Someone else was first: nothing was written. */
  | { readonly kind: "stale"; readonly current: StoredApp | undefined };

export type DeleteResult =
  | { readonly kind: "deleted"; readonly before: StoredApp; readonly revision: number }
  /** Someone else was first, or there is no such app: nothing was changed. */
  | { readonly kind: "stale"; readonly current: StoredApp | undefined };

/** An app that could not be read; its file was set aside, never replaced. */
export interface DamagedApp {
  readonly name: string;
  /** Where the damaged bytes now lie. */
  readonly setAside: string;
  readonly reason: string;
}

export interface DirectoryContent {
  readonly apps: readonly StoredApp[];
  /** Tells an app that was deleted from one that was lost. */
  readonly deleted: readonly DeletedApp[];
  /** Reported until the name is written again. */
  readonly damaged: readonly DamagedApp[];
}

/**
 * Where app documents come from and where changes go. A write that returned is durable (as far as the kind can be)
 * and visible to `read`. Expected outcomes are values; an unreachable directory throws `DirectoryUnavailable`.
 */
export interface Directory {
  /** For people: "memory", "file /var/lib/halftone/apps". */
  readonly description: string;
  read(): Promise<DirectoryContent>;
  /** `floor`: the new revision is above it, whatever the directory remembers (a backup may know more than a damaged file). */
  write(name: string, document: AppDocument, expected: Expected, floor?: number): Promise<WriteResult>;
  delete(name: string, expected: Expected): Promise<DeleteResult>;
  /**
   * Calls back when something other than this instance's own writes may have changed the content. Returns the stop
   * function. `onError` is told, once, when changes can no longer be noticed; nothing is thrown.
   */
  watch(onChange: () => void, onError?: (error: Error) => void): () => void;
  close(): Promise<void>;
}

/** The directory cannot be read or written at all now (disk, network). What it held before is untouched. */
export class DirectoryUnavailable extends Error {
  override readonly name = "DirectoryUnavailable";
}

/** Is the app that stands the one the writer has seen? */
export function isExpected(expected: Expected, current: StoredApp | undefined): boolean {
  if (expected === "any") return true;
  return expected === "absent" ? current === undefined : current?.revision === expected;
}
