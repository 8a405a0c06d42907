import { resolvePool } from "../core/fallback.ts";
import { reselect } from "../core/select.ts";
import type { Admitted } from "./admission.ts";
import type { GatewayContext } from "./gateway-context.ts";
import type { UpstreamServer } from "./upstream-server.ts";

/** Who is to be asked next, and whether that is the probe by which a server whose die time is over is judged. */
export interface Choice {
  /** Undefined: there is nobody. */
  readonly server: UpstreamServer | undefined;
  readonly probe: boolean;
  /** It is of another pool than the one that was selected, which has nobody. */
  readonly standsIn: boolean;
}

/**
 * The request by the newest document, if its own is no longer that: a try after a change must not go to a group that takes
 * nobody any more, as whoever restarts its servers was told that they are idle.
 */
export function byNewestDocument({ apps }: GatewayContext, request: Admitted): Admitted {
  const { app, servers } = request.runtime;
  if (servers.revision === app.revision) return request;
  const runtime = apps.get(app.name);
  if (runtime === undefined) return request;
  return { ...request, runtime, selection: reselect(runtime.app, request.selection) };
}

/** Chooses a server for a request, none of `tried`: of the selected pool, or of the one that stands in for it. */
export function chooseServer(
  { clock: { now }, counters }: GatewayContext,
  { runtime, selection, clientKey }: Admitted,
  tried: readonly UpstreamServer[],
): Choice {
  let name = selection.pool;
  if (name !== "all") {
    const resolved = resolvePool(
      runtime.app,
      selection,
      runtime.pool("test").hasLive(now),
      runtime.pool("rest").hasLive(now),
    );
    name = resolved.pool;
    if (resolved.because === "shareFallback") counters.shareFallbacks++;
    else if (resolved.because === "testerFallback") counters.testerFallbacks++;
    else if (resolved.because === "emergencySpill") counters.emergencySpills++;
  }
  const pool = runtime.pool(name);
  const server = pool.pick(now, clientKey, tried);
  const probe = pool.probing;
  if (pool.panicking) counters.panics++;
  if (server !== undefined || name !== "test" || selection.rule.kind !== "share") {
    return { server, probe, standsIn: name !== selection.pool };
  }
  counters.shareFallbacks++;
  const rest = runtime.pool("rest");
  return { server: rest.pick(now, clientKey, tried), probe: rest.probing, standsIn: true };
}
