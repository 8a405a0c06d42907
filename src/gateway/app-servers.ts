import { randomInt } from "node:crypto";
import type { App, BalanceMethod, Group } from "../core/app.ts";
import { Pool, type HealthEpoch } from "../core/pool.ts";
import { Tally } from "../core/verdict/tally.ts";
import { GroupMeter } from "./group-meter.ts";
import { type AppNews, type AppTotals, sumTotals, withoutFlight } from "./group-totals.ts";
import { UpstreamServer } from "./upstream-server.ts";

const MAX_POOLS = 32;

/**
 * The servers of one app as this process knows them, and the pools made of them. They are kept across changes of the
 * document: a server keeps its health and connections, and a pool that stays the same (a new share, the switch there
 * and back) keeps the position of its balancer.
 */
export class AppServers {
  private readonly servers = new Map<string, UpstreamServer>();
  private readonly pools = new Map<string, Pool<UpstreamServer>>();
  private readonly meters = new Map<string, GroupMeter>();
  private readonly epoch: HealthEpoch;
  /** What servers did that no document names any more. */
  private retired: AppTotals = {};
  private flying = false;
  /** A request was for this app since it was last asked for its news. */
  touched = false;
  /** Of the newest document: a request may still hold an older one. */
  revision = 0;
  /** Counts requests while a release runs. */
  tally: Tally | undefined;

  constructor(epoch: HealthEpoch) {
    this.epoch = epoch;
  }

  /** Follows a newer document; servers that it no longer names retire. */
  update(app: App): void {
    this.revision = app.revision;
    this.updateTally(app);
    const named = new Set<string>();
    for (const group of app.groups) {
      for (const server of group.servers) {
        named.add(server.id);
        let known = this.servers.get(server.id);
        if (known === undefined) {
          known = new UpstreamServer(app.name, group.name, server, this.meter(group.name), this.epoch);
          this.servers.set(server.id, known);
        }
        known.group = group.name;
        known.meter = this.meter(group.name);
        known.server = server;
        known.health.slowStart = app.health.slowStart;
      }
    }
    for (const [id, server] of this.servers) {
      if (named.has(id)) continue;
      this.servers.delete(id);
      this.retired = sumTotals([this.retired, withoutFlight(totalsOf(server))]);
      server.retire();
      this.pools.clear();
    }
  }

  /** The merged pool of these groups. */
  pool(groups: readonly Group[], method: BalanceMethod): Pool<UpstreamServer> {
    const servers = groups.flatMap((group) => group.servers);
    const key = `${method} ${servers.map((server) => `${server.id}=${server.weight}`).join(" ")}`;
    const known = this.pools.get(key);
    if (known !== undefined) return known;
    const members = servers.flatMap((server) => this.servers.get(server.id) ?? []);
    const pool = new Pool(members, method, this.epoch);
    if (this.pools.size >= MAX_POOLS) this.pools.clear();
    this.pools.set(key, pool);
    return pool;
  }

  get(id: string): UpstreamServer | undefined {
    return this.servers.get(id);
  }

  all(): IterableIterator<UpstreamServer> {
    return this.servers.values();
  }

  /** What counts for a group; "": for requests for which no server could be asked. */
  meter(group: string): GroupMeter {
    let meter = this.meters.get(group);
    if (meter === undefined) {
      meter = new GroupMeter();
      this.meters.set(group, meter);
    }
    return meter;
  }

  /** Undefined if nothing happened since the last time. */
  takeNews(): AppNews | undefined {
    if (!this.touched && !this.flying) return undefined;
    this.touched = false;
    const totals = sumTotals([this.retired, ...Array.from(this.servers.values(), totalsOf)]);
    this.flying = Object.values(totals).some(({ inFlight }) => inFlight > 0);
    const counts = Array.from(this.meters, ([group, meter]) => [group, meter.take()] as const);
    return { totals, counts: Object.fromEntries(counts.filter(([, taken]) => taken.length > 0)) };
  }

  private updateTally({ tally }: App): void {
    if (tally === undefined) this.tally = undefined;
    else if (this.tally?.release === tally.release) this.tally.settings = tally;
    else this.tally = new Tally(tally, Date.now(), randomInt(2 ** 32));
  }

  retire(): void {
    for (const server of this.servers.values()) server.retire();
    this.servers.clear();
    this.pools.clear();
  }
}

function totalsOf({ group, requests, failures, errors, inFlight }: UpstreamServer): AppTotals {
  return { [group]: { requests, failures, errors, inFlight } };
}
