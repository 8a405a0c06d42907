import { LEASE } from "./convergence.ts";
import type { AppRecord, Sighting } from "./roster.ts";

/** A live gateway that keeps a group from being idle. */
export interface Occupied {
  readonly gateway: string;
  /** The revision in force there; null: no such app. */
  readonly revision: number | null;
  /** It is not the one asked for, or has other content. */
  readonly late: boolean;
  /** Requests and tunnels that are with the group's servers. */
  readonly inFlight: number;
}

/**
 * The gateways that may still have something with a group that the revision takes out of service; empty: its servers may be
 * restarted. Counters beside a revision were read after it was in force, and nobody is sent there any more since: what is
 * zero stays zero. `undefined` when no gateway has told of itself, which proves nothing.
 *
 * `records`: of the sightings, in their order.
 */
export function occupiedBy(
  group: string,
  revision: number,
  sightings: readonly Sighting[],
  records: readonly (AppRecord | undefined)[],
  lease: number = LEASE,
): readonly Occupied[] | undefined {
  const live = sightings.flatMap(({ report, ago }, index) =>
    ago <= lease ? [{ gateway: report.name, record: records[index] }] : [],
  );
  if (live.length === 0) return undefined;
  return live.flatMap(({ gateway, record }) => {
    const current = record?.revision ?? null;
    // A later one may have put the group back, or be on a way that the directory has lost.
    const late = current !== revision || record?.differs === true;
    const inFlight = record?.groups[group]?.inFlight ?? 0;
    return late || inFlight > 0 ? [{ gateway, revision: current, late, inFlight }] : [];
  });
}

/** "gateway-2 has revision 6; gateway-3: 2 in flight" */
export function occupiedText(occupied: readonly Occupied[]): string {
  return occupied
    .map(({ gateway, revision, late, inFlight }) =>
      late
        ? `${gateway} has ${revision === null ? "no such app" : `revision ${revision}`}`
        : `${gateway}: ${inFlight} in flight`,
    )
    .join("; ");
}
