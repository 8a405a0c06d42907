import type { BalanceMethod, Server } from "./app.ts";
import type { Balancer } from "./balancer.ts";
import { HashRing } from "./hash-ring.ts";
import { isAvailable, startProbe, takesInSlowStart, type Health, type HealthEpoch } from "./health.ts";
import { LeastConnections } from "./least-connections.ts";
import { RoundRobin } from "./round-robin.ts";

export type { HealthEpoch } from "./health.ts";

/** A server as a pool sees it. Several pools may share one. */
export interface Member {
  readonly server: Server;
  readonly health: Health;
  /** Requests and tunnels that are on this server now. */
  readonly inFlight: number;
}

const NONE: readonly number[] = [];

/**
 * The servers a request may go to. Three things are kept apart: who exists (`members`, fixed for the life of the pool),
 * who is alive (looked through only when the epoch says that something changed, or when a die time ends), and who is
 * next (the balancer, which is told only when the set of the living is another one). A pick costs the same however many
 * servers there are.
 *
 * Weights are those at the construction; a member of weight 0 is never chosen.
 */
export class Pool<M extends Member> {
  readonly members: readonly M[];
  private readonly epoch: HealthEpoch;
  private readonly balancer: Balancer;
  /** Indices of the members with a weight. */
  private readonly usable: readonly number[];
  private offered: readonly number[] = NONE;
  private anyLive = false;
  private seenEpoch = -1;
  /** When the first die time ends that is not over yet. */
  private recheckAt = 0;
  /** Until when a member of those alive has only a part of its requests. */
  private warmUntil = 0;
  private lastPanicked = false;
  private lastProbed = false;

  /** `epoch` is the one the members' health counts in. */
  constructor(members: readonly M[], method: BalanceMethod, epoch: HealthEpoch) {
    this.members = members;
    this.epoch = epoch;
    this.balancer = makeBalancer(method, members);
    this.usable = [...members.keys()].filter((index) => members[index]!.server.weight > 0);
  }

  /** Whether a member may be chosen without panic. */
  hasLive(now: number): boolean {
    this.refresh(now);
    return this.anyLive;
  }

  /**
   * The member whose turn it is, of those alive and not `tried`. If there is none: any not tried, as if all were alive
   * (panic), since die time must never make an outage worse. Undefined when all were tried, or none has a weight.
   *
   * `key` is what the client is told apart by (method `hash`). `now` is in ms and never goes back. A member whose die
   * time is over is chosen once, as its probe, and then not again until that request has an outcome: `recordSuccess`,
   * `recordFailure` or `abandonProbe`.
   */
  pick(now: number, key: string, tried: readonly M[]): M | undefined {
    this.refresh(now);
    this.lastProbed = false;
    this.lastPanicked = !this.anyLive;
    const skip = tried.length === 0 ? NONE : this.indicesOf(tried);
    let index = this.balancer.next(key, skip);
    if (this.warmUntil > now) index = this.passSlowStarters(index, key, skip, now);
    const member = this.members[index];
    if (member === undefined) return this.pickLastResort(tried);
    if (member.health.deadUntil !== 0 && this.anyLive) {
      this.lastProbed = true;
      startProbe(member.health);
    }
    return member;
  }

  /** The last pick found nobody alive who was not tried, and took any. */
  get panicking(): boolean {
    return this.lastPanicked;
  }

  /** The last pick is the probe of a server whose die time was over. */
  get probing(): boolean {
    return this.lastProbed;
  }

  /** Another index in place of one whose server, just back, does not take this request; the first again if none does. */
  private passSlowStarters(first: number, key: string, skip: readonly number[], now: number): number {
    const passed = [...skip];
    let index = first;
    for (;;) {
      const member = this.members[index];
      if (member === undefined) return first;
      if (takesInSlowStart(member.health, now)) return index;
      passed.push(index);
      index = this.balancer.next(key, passed);
    }
  }

  private pickLastResort(tried: readonly M[]): M | undefined {
    const index = this.usable.find((index) => !tried.includes(this.members[index]!));
    this.lastPanicked = index !== undefined;
    return index === undefined ? undefined : this.members[index];
  }

  private indicesOf(tried: readonly M[]): readonly number[] {
    return tried.map((member) => this.members.indexOf(member));
  }

  private refresh(now: number): void {
    if (this.seenEpoch === this.epoch.value && now < this.recheckAt) return;
    this.seenEpoch = this.epoch.value;
    this.recheckAt = Infinity;
    this.warmUntil = 0;
    const live: number[] = [];
    for (const index of this.usable) {
      const { health } = this.members[index]!;
      if (isAvailable(health, now)) {
        live.push(index);
        this.warmUntil = Math.max(this.warmUntil, health.warmUntil);
      } else if (health.deadUntil > now) this.recheckAt = Math.min(this.recheckAt, health.deadUntil);
    }
    this.anyLive = live.length > 0;
    this.offer(this.anyLive ? live : this.usable);
  }

  /** The same set keeps its balancer's position. */
  private offer(indices: readonly number[]): void {
    const { offered } = this;
    if (indices.length === offered.length && indices.every((index, slot) => index === offered[slot])) return;
    this.offered = indices;
    this.balancer.offer(indices);
  }
}

function makeBalancer(method: BalanceMethod, members: readonly Member[]): Balancer {
  const weights = members.map(({ server }) => server.weight);
  if (method === "leastConnections") return new LeastConnections(members, weights);
  if (method === "hash") {
    const ids = members.map(({ server }) => server.id);
    return new HashRing(ids, weights);
  }
  return new RoundRobin(weights);
}
