import type { Problem } from "../config/problem.ts";
import type { StoredApp } from "./directory.ts";

/** What became of a change. */
export type StoreResult =
  | { readonly kind: "stored"; readonly app: StoredApp; readonly created: boolean }
  | { readonly kind: "deleted"; readonly before: StoredApp }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] }
  /** The writer has not seen what stands now. */
  | { readonly kind: "stale"; readonly current: StoredApp | undefined }
  | { readonly kind: "missing" }
  /** A release runs that it would disturb, or the like. */
  | { readonly kind: "locked"; readonly reason: string }
  /** The lock under which it was to be made was given to somebody else. */
  | { readonly kind: "fenced"; readonly lock: string }
  /** Nothing was changed, and what was in force still is. */
  | { readonly kind: "unavailable"; readonly reason: string };

export interface SeedResult {
  readonly stored: readonly StoredApp[];
  /** Names that were there already, left as they are. */
  readonly present: readonly string[];
  /** Names that somebody deleted: they stay so until they are put. */
  readonly deleted: readonly string[];
  readonly refused: readonly { readonly name: string; readonly result: StoreResult }[];
}

export const NAME_GIVEN_TWICE: StoreResult = {
  kind: "invalid",
  problems: [{ path: "name", found: "the name of another document", expected: "each name once" }],
};

/** A switch without a position: never read as 0. */
export const NO_DEPLOY: StoreResult = {
  kind: "invalid",
  problems: [{ path: "deploy", found: "nothing", expected: "0, or the number of the group to update" }],
};
