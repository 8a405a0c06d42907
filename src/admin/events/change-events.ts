import { isDeepStrictEqual } from "node:util";
import { describe } from "../../core/release-view.ts";
import type { ReleaseState } from "../../core/release-state.ts";
import type { AppChange } from "../../directory/app-store.ts";
import { readRecord, UnreadableRecord } from "../../release/release-record.ts";
import { releaseJson } from "../release-schemas.ts";
import type { EventHub } from "./event-hub.ts";

/** What a change of an app says: that there was one, and where its release is if that moved. `now`: ms since the epoch. */
export function publishChange(hub: EventHub, change: AppChange, now: () => number): void {
  const { name, before, after, by, what, at } = change;
  hub.publish("app", name, { app: name, revision: after?.revision ?? null, by, what, at });
  if (after?.releases === before?.releases || !hub.isAwaited("release", name)) return;
  const state = releaseOf(after?.releases);
  if (state === undefined || isDeepStrictEqual(state, releaseOf(before?.releases))) return;
  hub.publish("release", name, releaseJson(describe(state, now())));
}

/** Undefined: there is none, or another version of this program wrote it. */
function releaseOf(releases: unknown): ReleaseState | undefined {
  try {
    return readRecord(releases).current;
  } catch (error) {
    if (error instanceof UnreadableRecord) return undefined;
    throw error;
  }
}
