import type { Balancer } from "./balancer.ts";
import { DeadlineTurns } from "./deadline-turns.ts";
import { SmoothTurns } from "./smooth-turns.ts";
import type { Turns } from "./turns.ts";

/** Distinct weights up to which a comparison for each (about a nanosecond) is cheaper than a heap. */
const MAX_SMOOTH_WEIGHTS = 64;

/** Turns drawn in search of a server that is not to be skipped, before the rest is looked through. */
const DRAWS = 4;

/** Servers in turn, by weight: nginx's sequence up to 64 distinct weights, earliest deadline first beyond. */
export class RoundRobin implements Balancer {
  private readonly weights: readonly number[];
  /** What is offered, from the server after the last chosen on. */
  private offered: readonly number[] = [];
  private turns: Turns = new SmoothTurns([]);
  private last = -1;
  /** Counts the servers looked at when turns did not help. */
  private detour = 0;

  /** `weights` by index. */
  constructor(weights: readonly number[]) {
    this.weights = weights;
  }

  offer(indices: readonly number[]): void {
    const start = indices.findIndex((index) => index > this.last);
    this.offered = start <= 0 ? indices : [...indices.slice(start), ...indices.slice(0, start)];
    const weights = this.offered.map((index) => this.weights[index]!);
    this.turns =
      new Set(weights).size <= MAX_SMOOTH_WEIGHTS ? new SmoothTurns(weights) : new DeadlineTurns(weights);
  }

  next(_key: string, skip: readonly number[]): number {
    if (skip.length === 0) return this.draw();
    for (let draws = 0; draws < DRAWS; draws++) {
      const index = this.draw();
      if (!skip.includes(index)) return index;
    }
    // A heavy server may have turn after turn: go round the others, each time from the next one on.
    const size = this.offered.length;
    for (let step = 0; step < size; step++) {
      const index = this.offered[this.detour++ % size]!;
      if (!skip.includes(index)) return index;
    }
    return -1;
  }

  private draw(): number {
    const index = this.offered[this.turns.next()];
    if (index === undefined) return -1;
    return (this.last = index);
  }
}
