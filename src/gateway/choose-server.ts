import { resolvePool } from "../core/fallback.ts";
import type { Admitted } from "./admission.ts";
import type { GatewayContext } from "./gateway-context.ts";
import type { UpstreamServer } from "./upstream-server.ts";

/** Who is to be asked next, and whether that is the probe by which a server whose die time is over is judged. */
export interface Choice {
  /** Undefined: there is nobody. */
  readonly server: UpstreamServer | undefined;
  readonly probe: boolean;
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
  if (server !== undefined || name !== "test" || selection.rule.kind !== "share") return { server, probe };
  counters.shareFallbacks++;
  const rest = runtime.pool("rest");
  return { server: rest.pick(now, clientKey, tried), probe: rest.probing };
}
