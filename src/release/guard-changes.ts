import { isDeepStrictEqual } from "node:util";
import type { AppDocument } from "../config/app-document.ts";
import { isOver, type ReleaseState, stageInWords } from "../core/release-state.ts";
import type { StoredApp } from "../directory/directory.ts";
import { readRecord, UnreadableRecord } from "./release-record.ts";
import { ROUTED_KEYS } from "./route-document.ts";

/** What a release stands on: nobody else may change it meanwhile. Everything else of a document may be edited. */
const LOCKED_KEYS = ["groups", "port", ...ROUTED_KEYS] as const;

/** Why a change of the app by hand is refused; undefined: it is not. `after` undefined: its deletion. */
export function refuseUnderRelease(before: StoredApp, after: AppDocument | undefined): string | undefined {
  let state: ReleaseState | undefined;
  try {
    state = readRecord(before.releases).current;
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error;
    return `${error.message}; change the app with the version that runs its release`;
  }
  if (state === undefined || isOver(state)) return undefined;
  const running = `release ${state.id} (version ${state.version}) is at ${stageInWords(state)}`;
  if (after === undefined) return `${running}: the app cannot be deleted; roll the release back first`;
  const changed = LOCKED_KEYS.filter((key) => !isDeepStrictEqual(before.document[key], after[key]));
  if (changed.length === 0) return undefined;
  return `${running}: ${changed.join(", ")} cannot be changed by hand; expected them as they stand, or a rollback first`;
}
