import type { AppChange } from "../directory/app-store.ts";
import type { Notice } from "./notify-forms.ts";
import { newEntries } from "./release-changes.ts";
import { readRecord } from "./release-record.ts";

/** What people are told of a change that was made here; undefined: it says nothing new of a release. */
export function noticeOfChange({ name, before, after, elsewhere }: AppChange): Notice | undefined {
  if (after === undefined || elsewhere === true || after.releases === before?.releases) return undefined;
  const { current } = readRecord(after.releases);
  if (current === undefined) return undefined;
  const entries = newEntries(readRecord(before?.releases).current, current);
  if (entries.length === 0) return undefined;
  const told = entries.map(({ by, what }) => `${what} (${by})`).join("; ");
  const text = `${name} ${current.version}: ${told}`;
  return { text, app: name, release: current.id, version: current.version };
}
