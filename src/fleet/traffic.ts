import { LEASE } from "./convergence.ts";
import type { AppRecord, Roster } from "./roster.ts";

/** What every live gateway tells of the app. */
export async function liveRecords(roster: Roster, app: string): Promise<readonly AppRecord[]> {
  const live = (await roster.sightings()).filter(({ ago }) => ago <= LEASE);
  const records = await roster.records(
    live.map(({ report }) => report.id),
    app,
  );
  return records.filter((record) => record !== undefined);
}

/** Tries a second of each group, all of them together. */
export function ratesOf(records: readonly AppRecord[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { rates } of records) {
    for (const [group, rate] of Object.entries(rates)) sums[group] = (sums[group] ?? 0) + rate;
  }
  return sums;
}
