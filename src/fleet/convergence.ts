import type { AppRecord, Sighting } from "./roster.ts";

/** How long a gateway that no longer tells of itself is waited for, in ms. */
export const LEASE = 10_000;

/** How long convergence can be waited for by one request, in ms. */
export const LONGEST_WAIT = 60_000;

/** One gateway, asked whether a revision of an app is in force there. */
export interface GatewayConvergence {
  readonly name: string;
  /** It has told of itself within the lease; others are not waited for. */
  readonly live: boolean;
  /** Ms since it told of itself. */
  readonly ago: number;
  /** What it has in force; null: no such app. */
  readonly revision: number | null;
  readonly reached: boolean;
}

export interface Convergence {
  /** Every live gateway has the revision or a later one in force, and there is one at all. */
  readonly converged: boolean;
  readonly gateways: readonly GatewayConvergence[];
}

/**
 * `records`: of the sightings, in their order. `revision`: null asks whether the app is gone. `here`: what is in force at
 * the gateway that asks; null: no such app. A gateway that has a later revision than that may be on the way that the
 * directory has lost, where this revision was never seen: it is waited for until this one has followed, or is told of.
 */
export function convergenceOf(
  revision: number | null,
  here: number | null,
  sightings: readonly Sighting[],
  records: readonly (AppRecord | undefined)[],
  lease: number = LEASE,
): Convergence {
  const gateways = sightings.map(({ report, ago }, index) => {
    const record = records[index];
    const current = record?.revision ?? null;
    const has =
      current !== null &&
      current >= (revision ?? 0) &&
      current <= (here ?? current) &&
      record?.differs !== true;
    const reached = revision === null ? current === null : has;
    return { name: report.name, live: ago <= lease, ago, revision: current, reached };
  });
  const live = gateways.filter((gateway) => gateway.live);
  return { converged: live.length > 0 && live.every(({ reached }) => reached), gateways };
}
