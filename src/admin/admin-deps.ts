import type { Roster } from "../fleet/roster.ts";
import type { AppStore } from "../directory/app-store.ts";
import type { ReleaseService } from "../release/release-service.ts";
import type { Access } from "./access.ts";
import type { EventHub } from "./events/event-hub.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Audit } from "./audit.ts";
import type { Dashboard } from "./dashboard.ts";
import type { GatewayView } from "./gateway-view.ts";
import type { Operation } from "./operation.ts";

/** The gateways of the directory, as this one sees them. */
export interface FleetView {
  readonly roster: Roster;
  /** By which this one is known there. */
  readonly id: string;
  /** Of what is in force here, as in `GatewayReport`. */
  readonly digest: () => string;
}

/** What the admin API stands on. */
export interface AdminDeps {
  readonly store: AppStore;
  readonly access: Access;
  readonly audit: Audit;
  readonly gateway: GatewayView;
  readonly fleet: FleetView;
  readonly events: EventHub;
  /** Absent: there are no routes for releases. */
  readonly releases?: ReleaseService;
  /** Undefined: it was not built. */
  readonly dashboard?: Dashboard | undefined;
  /** Operations of whoever embeds the gateway, beside its own. */
  readonly more?: readonly Operation[];
  readonly metrics: Metrics;
  /** Version of Halftone, for the OpenAPI document. */
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
