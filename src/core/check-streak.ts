import type { CheckPolicy } from "./app.ts";

/** Where the active checks of one server stand. */
export interface CheckStreak {
  /** What the gateway goes by. A server is healthy until checks say otherwise. */
  healthy: boolean;
  /** Checks in a row that said the opposite. */
  against: number;
}

export function newCheckStreak(): CheckStreak {
  return { healthy: true, against: 0 };
}

/** Takes in the outcome of one check. True when the server changed sides: thresholds as in HAProxy's `rise` and `fall`. */
export function countCheck(streak: CheckStreak, good: boolean, policy: CheckPolicy): boolean {
  if (good === streak.healthy) {
    streak.against = 0;
    return false;
  }
  streak.against++;
  if (streak.against < (good ? policy.healthy : policy.unhealthy)) return false;
  streak.healthy = good;
  streak.against = 0;
  return true;
}
