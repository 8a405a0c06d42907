import type { ServerStatus } from "../gateway/server-status.ts";
import type { ServerRow } from "./schemas.ts";

/** A server as the API shows it. */
export function serverRowOf(status: ServerStatus): ServerRow {
  const { group, server, weight, inFlight, requests, failures, deadUntil, healthy, lastError } = status;
  return {
    group,
    server,
    weight,
    inFlight,
    requests,
    failures,
    state: deadUntil === null && healthy ? "up" : "dead",
    deadUntil: deadUntil === null ? null : new Date(deadUntil).toISOString(),
    healthy,
    lastError,
  };
}
