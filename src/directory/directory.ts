import type { AppDocument } from "../config/app-document.ts";
import type { Locks } from "./locks.ts";
import type { Problem } from "../config/problem.ts";

/** A document as the directory holds it. */
export interface StoredApp {
  readonly name: string;
  /** Grows by one with each change of this name, also across a deletion; the ETag of the admin API. */
  readonly revision: number;
  readonly document: AppDocument;
  /** What is kept of the app's releases, plain JSON; absent: there was none. Directories carry it unread. */
  readonly releases?: unknown;
  /** Of directories that are shared: who made this revision. */
  readonly origin?: Origin;
}

/** What a writer stores of an app. */
export type AppContent = Pick<StoredApp, "document" | "releases">;

/** Who made a change, and where, for the audits of the other gateways. */
export interface Origin {
  readonly by: string;
  /** As `AppChange` has it: "put", "deploy 1 share 25". */
  readonly what: string;
  /** The gateway that stored it. */
  readonly gateway: string;
}

/** What remains of a deleted app, so that its revisions never start over. */
export interface DeletedApp {
  readonly name: string;
  /** The revision of the deletion: one above the last document's. */
  readonly revision: number;
  readonly origin?: Origin;
}

/** What a writer has seen: a revision, no such app, or "whatever stands". */
export type Expected = number | "absent" | "any";

/** What a change comes with. */
export interface ChangeTerms {
  /** The new revision is above it, whatever the directory remembers (a backup may know more than a damaged file). */
  readonly floor?: number;
  /** Kept beside the change where the directory is shared. */
  readonly note?: { readonly by: string; readonly what: string };
  /** The lock under which it is made: refused when somebody else has had it since. */
  readonly fence?: Fence;
}

/** Proof that a lock was held: the number it was given grows with each holder. */
export interface Fence {
  readonly lock: string;
  readonly token: number;
}

/** Nothing was changed. */
export type NotWritten =
  /** Someone else was first, or there is no such app. */
  | { readonly kind: "stale"; readonly current: StoredApp | undefined }
  /** The lock of the terms was given to somebody else meanwhile. */
  | { readonly kind: "fenced"; readonly lock: string }
  /** This directory cannot carry it. */
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

export type WriteResult =
  | { readonly kind: "written"; readonly app: StoredApp; readonly before: StoredApp | undefined }
  | NotWritten;

export type DeleteResult =
  | { readonly kind: "deleted"; readonly before: StoredApp; readonly revision: number }
  | NotWritten;

/** An app that could not be read; what was there is kept, never replaced. */
export interface DamagedApp {
  readonly name: string;
  /** Where the damaged bytes now lie. */
  readonly setAside: string;
  readonly reason: string;
  /** Where it could be read in spite of the damage: what a writer has to expect. Absent: "absent". */
  readonly revision?: number;
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
  /** For people: "memory", "file /var/lib/halftone/apps", "redis 10.0.0.5:6379/0". */
  readonly description: string;
  /** Locks that hold for everyone who uses this directory; writes under one say so in their terms. */
  readonly locks: Locks;
  /**
   * Before the first read: what the backup knows. Returns the apps as this directory would give them now. Absent: as they
   * are.
   */
  recall?(apps: readonly StoredApp[]): readonly StoredApp[];
  /** `names`: only these are asked for; the content may say nothing of any other. Absent: everything. */
  read(names?: ReadonlySet<string>): Promise<DirectoryContent>;
  write(name: string, content: AppContent, expected: Expected, terms?: ChangeTerms): Promise<WriteResult>;
  delete(name: string, expected: Expected, terms?: ChangeTerms): Promise<DeleteResult>;
  /**
   * Calls back when something other than this instance's own writes may have changed the content: of these names, or
   * (absent) of any. Returns the stop function. `onError` is told, once, when changes can no longer be noticed; nothing
   * is thrown.
   */
  watch(onChange: (names?: readonly string[]) => void, onError?: (error: Error) => void): () => void;
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
