import type { Increments } from "./group-meter.ts";

/** What one app's group has done since the process, the gateway or the fleet began. */
export interface GroupTotals {
  /** Tries sent to its servers. */
  readonly requests: number;
  readonly failures: number;
  /** Answers 5xx of its servers that are no failed tries. */
  readonly errors: number;
  /** Requests and tunnels that are there now. */
  readonly inFlight: number;
}

/** By the groups' names. */
export type AppTotals = Readonly<Record<string, GroupTotals>>;

/** Rows of counts as of `group-meter.ts`, by the groups' names; "": requests for which no server could be asked. */
export type AppCounts = ReadonlyMap<string, Float64Array>;

/** What a process tells of an app for which anything happened since it was last asked. */
export interface AppNews {
  readonly totals: AppTotals;
  /** What was added to its counts. */
  readonly counts: Readonly<Record<string, Increments>>;
}

const NOTHING: GroupTotals = { requests: 0, failures: 0, errors: 0, inFlight: 0 };

/** Adds up, group by group. */
export function sumTotals(parts: Iterable<AppTotals>): AppTotals {
  const sums = new Map<string, GroupTotals>();
  for (const part of parts) {
    for (const [group, one] of Object.entries(part)) {
      const sum = sums.get(group) ?? NOTHING;
      sums.set(group, {
        requests: sum.requests + one.requests,
        failures: sum.failures + one.failures,
        errors: sum.errors + one.errors,
        inFlight: sum.inFlight + one.inFlight,
      });
    }
  }
  return Object.fromEntries(sums);
}

/** Of a process that is gone: what it did stays, nothing is there any more. */
export function withoutFlight(totals: AppTotals): AppTotals {
  return Object.fromEntries(Object.entries(totals).map(([group, one]) => [group, { ...one, inFlight: 0 }]));
}
