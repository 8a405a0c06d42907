import type { AppContent, StoredApp } from "../directory/directory.ts";
import type { LogEntry, ReleaseState } from "../core/release-state.ts";
import { readRecord, withCurrent } from "./release-record.ts";
import { quarantine, routeDocument } from "./route-document.ts";

/** The app with another state of its release: the state and the routing that follows from it, stored as one. */
export function withState(app: StoredApp, state: ReleaseState): AppContent & { readonly what: string } {
  const record = readRecord(app.releases);
  const before = record.current?.id === state.id ? record.current.quarantined.length : 0;
  const added = state.quarantined.slice(before);
  return {
    document: quarantine(routeDocument(app.document, state), added),
    releases: withCurrent(record, state),
    what: `release ${state.id}: ${newEntries(record.current, state)
      .map(({ what }) => what)
      .join("; ")}`,
  };
}

/** What the log tells since that state. */
export function newEntries(before: ReleaseState | undefined, after: ReleaseState): readonly LogEntry[] {
  if (before === undefined || before.id !== after.id) return after.log;
  const last = before.log.at(-1);
  if (last === undefined) return after.log;
  const index = after.log.findLastIndex(
    ({ at, by, what }) => at === last.at && by === last.by && what === last.what,
  );
  return after.log.slice(index + 1);
}
