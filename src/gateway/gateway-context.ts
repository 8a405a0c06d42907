import type { AddressSet } from "../core/app.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import type { Admission } from "./admission.ts";
import type { AddressGuard } from "./address-guard.ts";
import type { AccessLog } from "./access-log.ts";
import type { AppTable } from "./app-table.ts";
import type { Clock } from "./clock.ts";
import type { GatewaySettings } from "../config/gateway-settings.ts";
import type { GatewayCounters } from "./gateway-counters.ts";
import type { RequestIds } from "./request-ids.ts";
import type { Tracer } from "./request-trace.ts";
import type { ServerTlsTable } from "./tls-servers.ts";
import type { UpstreamServer } from "./upstream-server.ts";

/** What all connections of one gateway process share. */
export interface GatewayContext {
  readonly clock: Clock;
  /** Swapped as a whole by a reload. */
  settings: GatewaySettings;
  trustedProxies: AddressSet;
  /** Ways to speak TLS to servers; swapped as a whole by a reload and by new files. */
  serverTls: ServerTlsTable;
  /** Where this gateway does not connect to; swapped when its listeners change. */
  guard: AddressGuard;
  /** Absent: none is written; swapped as a whole by a reload. */
  accessLog: AccessLog | undefined;
  /** Absent: nobody collects traces; swapped as a whole by a reload. */
  tracer: Tracer | undefined;
  readonly apps: AppTable;
  readonly counters: GatewayCounters;
  readonly requestIds: RequestIds;
  /** With the parser of all requests; its result is read before anything else is parsed. */
  readonly admission: Admission;
  /** The parser of all responses, likewise. */
  responseHead: ResponseHead;
  /** True from the moment the gateway is told to stop: answers then close their connection. */
  draining: boolean;
  onServerDied(server: UpstreamServer, error: string): void;
  onServerRevived(server: UpstreamServer): void;
  /** The gateway does not connect to it, `why`: told once for each server. */
  onServerRefused(server: UpstreamServer, why: string): void;
}
