import type { App } from "./app.ts";
import type { PoolName, Selection } from "./select.ts";

/** Which pool serves the request, and why it is not the selected one, if so. */
export interface Resolution {
  readonly pool: PoolName;
  readonly because: "selected" | "shareFallback" | "testerFallback" | "emergencySpill";
}

const SELECTED: Readonly<Record<PoolName, Resolution>> = {
  all: { pool: "all", because: "selected" },
  test: { pool: "test", because: "selected" },
  rest: { pool: "rest", because: "selected" },
};
const SHARE_FALLBACK: Resolution = { pool: "rest", because: "shareFallback" };
const TESTER_FALLBACK: Resolution = { pool: "rest", because: "testerFallback" };
const EMERGENCY_SPILL: Resolution = { pool: "test", because: "emergencySpill" };

/**
 * Where a request goes when the pool selected for it has no live server.
 *
 * - Clients there by share never suffer for a test: they go to the rest, even if that is dead too, as it is the
 *   version known to work.
 * - Testers get the plain truth: they stay, unless `testersFallBack` is on and somebody lives elsewhere.
 * - The public stays away from the group under test, unless `emergencySpill` is on and it lives. A closed group
 *   (drained, updated) takes nobody even then: whoever restarts its servers was told that they are idle.
 *
 * `testLives`, `restLives`: whether that pool has a server that may be chosen now. One that has none and is kept all
 * the same is used whole (see `Pool`).
 */
export function resolvePool(
  app: Pick<App, "testersFallBack" | "emergencySpill" | "testing">,
  selection: Selection,
  testLives: boolean,
  restLives: boolean,
): Resolution {
  if (selection.pool === "all") return SELECTED.all;
  if (selection.pool === "rest") {
    if (app.emergencySpill && app.testing && !restLives && testLives) return EMERGENCY_SPILL;
    return SELECTED.rest;
  }
  if (testLives) return SELECTED.test;
  if (selection.rule.kind !== "tester") return SHARE_FALLBACK;
  return app.testersFallBack && restLives ? TESTER_FALLBACK : SELECTED.test;
}
