import { LEASE } from "./convergence.ts";
import type { AppRecord, Roster, Sighting } from "./roster.ts";

/** Every gateway that has told of itself, and what each has told of the app, in the same order. */
export interface Heard {
  readonly sightings: readonly Sighting[];
  readonly records: readonly (AppRecord | undefined)[];
}

/** Throws `DirectoryUnavailable`. */
export async function hearOf(roster: Roster, app: string): Promise<Heard> {
  const sightings = await roster.sightings();
  const ids = sightings.map(({ report }) => report.id);
  return { sightings, records: await roster.records(ids, app) };
}

/** What every live gateway tells of the app. Throws `DirectoryUnavailable`. */
export async function liveRecords(roster: Roster, app: string): Promise<readonly AppRecord[]> {
  const { sightings, records } = await hearOf(roster, app);
  return records.filter(
    (record, index) => record !== undefined && sightings[index]!.ago <= LEASE,
  ) as AppRecord[];
}

/** The same of several apps, at the gateways of these sightings that are live. Throws `DirectoryUnavailable`. */
export async function liveRecordsOf(
  roster: Roster,
  sightings: readonly Sighting[],
  apps: readonly string[],
): Promise<ReadonlyMap<string, readonly AppRecord[]>> {
  const live = sightings.filter(({ ago }) => ago <= LEASE).map(({ report }) => report.id);
  const told = await roster.recordsOf(live, apps);
  return new Map(apps.map((app) => [app, told.flatMap((records) => records.get(app) ?? [])]));
}

/** Tries a second of each group, all of them together. A map: a group may have any name, "constructor" too. */
export function ratesOf(records: readonly AppRecord[]): ReadonlyMap<string, number> {
  return sumByGroup(records.map(({ rates }) => rates));
}

/** Those that failed. */
export function failureRatesOf(records: readonly AppRecord[]): ReadonlyMap<string, number> {
  return sumByGroup(records.map(({ failureRates }) => failureRates));
}

function sumByGroup(parts: readonly Readonly<Record<string, number>>[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const part of parts) {
    for (const [group, rate] of Object.entries(part)) sums.set(group, (sums.get(group) ?? 0) + rate);
  }
  return sums;
}
