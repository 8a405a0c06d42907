import type { ServerStatus } from "../gateway/server-status.ts";
import type { ServerRow } from "./schemas.ts";

/** Servers as the API shows them. `quarantine`: that of the app's document. */
export function serverRowsOf(
  quarantine: readonly string[] | undefined,
  statuses: readonly ServerStatus[],
): readonly ServerRow[] {
  return statuses.map((status) => serverRowOf(status, quarantine?.includes(status.server) === true));
}

function serverRowOf(
  { group, server, weight, inFlight, requests, failures, deadUntil, healthy, lastError }: ServerStatus,
  isQuarantined: boolean,
): ServerRow {
  return {
    group,
    server,
    weight,
    inFlight,
    requests,
    failures,
    state: isQuarantined ? "quarantined" : deadUntil === null && healthy ? "up" : "dead",
    deadUntil: deadUntil === null ? null : new Date(deadUntil).toISOString(),
    healthy,
    lastError,
  };
}
