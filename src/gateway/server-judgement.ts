import type { HealthPolicy } from "../core/app.ts";
import { recordFailure, recordSuccess } from "../core/health.ts";
import type { GatewayContext } from "./gateway-context.ts";
import type { Failure } from "./group-meter.ts";
import type { UpstreamServer } from "./upstream-server.ts";

/** A try that began at `sentAt` failed by this server's fault. `detail`: for people, shown as its last error. */
export function blameServer(
  context: GatewayContext,
  server: UpstreamServer,
  policy: HealthPolicy,
  sentAt: number,
  why: Failure,
  detail: string,
): void {
  server.failures++;
  server.meter.failed(why);
  server.lastError = detail;
  if (recordFailure(server.health, policy, context.clock.now, Math.random(), sentAt)) {
    context.onServerDied(server, detail);
  }
}

/** A try went well. */
export function praiseServer(context: GatewayContext, server: UpstreamServer): void {
  if (recordSuccess(server.health, context.clock.now)) context.onServerRevived(server);
}

/** The gateway does not connect to it. Its health is not touched: the operator's mistake is no illness. */
export function noteRefusal(context: GatewayContext, server: UpstreamServer, detail: string): void {
  server.failures++;
  server.meter.failed("server_refused");
  server.lastError = detail;
  if (server.refusalTold) return;
  server.refusalTold = true;
  context.onServerRefused(server, detail);
}
