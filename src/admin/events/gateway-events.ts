import { type FleetDeps, listGateways } from "../list-gateways.ts";
import type { GatewayRow } from "../schemas.ts";
import type { EventHub } from "./event-hub.ts";

/** Tells when a gateway comes, goes, falls behind, catches up or is another one than before. */
export class GatewayEvents {
  readonly #hub: EventHub;
  readonly #deps: FleetDeps;
  #told = "";

  constructor(hub: EventHub, deps: FleetDeps) {
    this.#hub = hub;
    this.#deps = deps;
  }

  /** Throws `DirectoryUnavailable`. */
  async turn(): Promise<void> {
    if (!this.#hub.isRead("gateway", undefined)) return;
    const rows = await listGateways(this.#deps);
    const state = JSON.stringify(rows.map(stateOf));
    if (state === this.#told) return;
    this.#told = state;
    this.#hub.publish("gateway", undefined, rows);
  }
}

/** All of it but what moves all the time. */
function stateOf(row: GatewayRow): unknown {
  const { seen: _, inFlight: __, ...state } = row;
  return state;
}
