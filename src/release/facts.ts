import type { AppDocument } from "../config/app-document.ts";
import { compileApp } from "../config/compile-app.ts";
import type { Facts, GroupCapacity } from "../core/release-event.ts";
import type { ServerStatus } from "../gateway/server-status.ts";
import type { StoredFreeze } from "./release-record.ts";

export interface FactSources {
  /** Every server of the app as this gateway sees it. */
  readonly servers: (app: string) => Promise<readonly ServerStatus[]>;
  /** Requests a second that the app gets, over all gateways; undefined: not known now. */
  readonly rate: (app: string) => Promise<number | undefined>;
}

/** What the guards have to know: who lives, what that is worth, and whether somebody has stopped steps forward. */
export async function gatherFacts(
  sources: FactSources,
  document: AppDocument,
  freeze: StoredFreeze | undefined,
  now: number,
): Promise<Facts> {
  const { name } = document;
  const [statuses, currentRate] = await Promise.all([sources.servers(name), sources.rate(name)]);
  // As for requests: who was dead may be asked again when its time is over. In a group that is out nobody asks, so that a
  // death from before the update would never end.
  const dead = new Set(
    statuses
      .filter(({ deadUntil, healthy }) => (deadUntil !== null && deadUntil > now) || !healthy)
      .map(({ server }) => server),
  );
  for (const server of document.quarantine ?? []) dead.add(server);
  // Weights as they are written: a group that warms up counts whole, and one whose server is in quarantine lacks that.
  const { ramp: _, quarantine: __, ...whole } = document;
  const groups: Record<string, GroupCapacity> = {};
  for (const group of compileApp(whole, 0).groups) {
    const capacity = { weight: 0, liveWeight: 0, servers: 0, live: 0 };
    for (const { id, weight } of group.servers) {
      capacity.weight += weight;
      capacity.servers += 1;
      if (dead.has(id)) continue;
      capacity.liveWeight += weight;
      capacity.live += 1;
    }
    groups[group.name] = capacity;
  }
  return { groups, peakPerServer: document.release?.serverCapacity, currentRate, freeze };
}
