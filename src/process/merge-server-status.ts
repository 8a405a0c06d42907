import type { ServerStatus } from "../gateway/server-status.ts";

/** What several processes know of the same servers, as one: numbers added up, the longest death, the last error told. */
export function mergeServerStatus(reports: readonly (readonly ServerStatus[])[]): ServerStatus[] {
  const merged = new Map<string, ServerStatus>();
  for (const status of reports.flat()) {
    const known = merged.get(status.server);
    merged.set(
      status.server,
      known === undefined
        ? status
        : {
            ...known,
            inFlight: known.inFlight + status.inFlight,
            requests: known.requests + status.requests,
            failures: known.failures + status.failures,
            deadUntil:
              known.deadUntil === null && status.deadUntil === null
                ? null
                : Math.max(known.deadUntil ?? 0, status.deadUntil ?? 0),
            lastError: known.lastError ?? status.lastError,
            healthy: known.healthy && status.healthy,
          },
    );
  }
  return [...merged.values()];
}
