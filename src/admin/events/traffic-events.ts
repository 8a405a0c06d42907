import type { AppStore } from "../../directory/app-store.ts";
import { type AppRecord, type Roster } from "../../fleet/roster.ts";
import { failureRatesOf, liveRecordsOf, ratesOf } from "../../fleet/traffic.ts";
import { sumTotals } from "../../gateway/group-totals.ts";
import type { EventHub } from "./event-hub.ts";
import type { GroupTraffic } from "./event-types.ts";

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
      const groups = trafficOf(Object.keys(document.groups), told.get(name) ?? []);
      const hasTraffic = groups.some(
        ({ perSecond, failuresPerSecond, inFlight }) => perSecond + failuresPerSecond + inFlight > 0,
      );
      if (hasTraffic) moving.add(name);
      if (hasTraffic || this.#moving.has(name)) this.#hub.publish("traffic", name, { app: name, at, groups });
    }
    this.#moving = moving;
  }
}

function trafficOf(groups: readonly string[], records: readonly AppRecord[]): readonly GroupTraffic[] {
  if (records.length === 0) return [];
  const [rates, failures] = [ratesOf(records), failureRatesOf(records)];
  const totals = new Map(Object.entries(sumTotals(records.map((record) => record.groups))));
  return groups.map((group) => ({
    group,
    perSecond: toTenth(rates.get(group) ?? 0),
    failuresPerSecond: toTenth(failures.get(group) ?? 0),
    inFlight: totals.get(group)?.inFlight ?? 0,
  }));
}

function toTenth(rate: number): number {
  return Math.round(rate * 10) / 10;
}
