import { describe } from "../core/release-view.ts";
import { DirectoryUnavailable, type StoredApp } from "../directory/directory.ts";
import type { Roster } from "../fleet/roster.ts";
import { readCase } from "../release/case.ts";
import { readRecord, UnreadableRecord } from "../release/release-record.ts";
import type { EvidenceFacts, ReleaseFacts } from "./app-facts.ts";

/** Undefined: the app never had a release, or it cannot be read, as another version of this program wrote it. */
export function releaseFactsOf({ releases }: StoredApp, now: number): ReleaseFacts | undefined {
  if (releases === undefined) return undefined;
  try {
    const { current } = readRecord(releases);
    return current === undefined ? undefined : describe(current, now);
  } catch (error) {
    if (error instanceof UnreadableRecord) return undefined;
    throw error;
  }
}

/** The evidence as the gateway that runs the release knows it; undefined: none yet, or it is out of reach. */
export async function evidenceOf(roster: Roster, { name }: StoredApp): Promise<EvidenceFacts | undefined> {
  try {
    const kept = await roster.verdict(name);
    return readCase(kept?.state)?.report ?? undefined;
  } catch (error) {
    if (error instanceof DirectoryUnavailable) return undefined;
    throw error;
  }
}
