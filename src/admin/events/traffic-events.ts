import type { AppStore } from "../../directory/app-store.ts";
import { groupTraffic } from "../../fleet/group-traffic.ts";
import type { Roster } from "../../fleet/roster.ts";
import { liveRecordsOf } from "../../fleet/traffic.ts";
import type { EventHub } from "./event-hub.ts";

export interface TrafficDeps {
  readonly store: AppStore;
  readonly roster: Roster;
  /** Ms since the epoch. */
  readonly now: () => number;
}

/** Tells once a second what the gateways do for each app that has traffic, and once more when it has none any more. */
export class TrafficEvents {
  readonly #hub: EventHub;
  readonly #deps: TrafficDeps;
  #moving: ReadonlySet<string> = new Set();

  constructor(hub: EventHub, deps: TrafficDeps) {
    this.#hub = hub;
    this.#deps = deps;
  }

  /** Throws `DirectoryUnavailable`. */
  async turn(): Promise<void> {
    const { store, roster, now } = this.#deps;
    const apps = store.list().filter(({ name }) => this.#hub.isRead("traffic", name));
    if (apps.length === 0) return;
    const names = apps.map(({ name }) => name);
    const told = await liveRecordsOf(roster, await roster.sightings(), names);
    const at = new Date(now()).toISOString();
    const moving = new Set<string>();
    for (const { name, document } of apps) {
      const groups = groupTraffic(Object.keys(document.groups), told.get(name) ?? []);
      const hasTraffic = groups.some(
        ({ perSecond, failuresPerSecond, inFlight }) => perSecond + failuresPerSecond + inFlight > 0,
      );
      if (hasTraffic) moving.add(name);
      if (hasTraffic || this.#moving.has(name)) this.#hub.publish("traffic", name, { app: name, at, groups });
    }
    this.#moving = moving;
  }
}
