import type { Balancer } from "./balancer.ts";

export interface Loaded {
  /** Requests and tunnels that are on this server now. */
  readonly inFlight: number;
}

/** Servers compared in one pick. */
const WINDOW = 32;

/**
 * The server with the fewest requests in flight by its weight; among equals smooth weighted round robin, as nginx's
 * `least_conn` does, so that idle servers get their share too.
 *
 * In pools of more than 32 servers one pick compares 32 of them, the next pick the following 32: a bounded cost, and
 * far more choice than the two random ones that suffice to keep the longest queue short (Mitzenmacher, "The power of
 * two choices in randomized load balancing", 2001).
 */
export class LeastConnections implements Balancer {
  private readonly servers: readonly Loaded[];
  private readonly weights: readonly number[];
  /** The current weights of smooth weighted round robin, moved only by ties. */
  private readonly current: Float64Array;
  private offered: readonly number[] = [];
  private start = 0;

  /** Both by index. */
  constructor(servers: readonly Loaded[], weights: readonly number[]) {
    this.servers = servers;
    this.weights = weights;
    this.current = new Float64Array(weights.length);
  }

  offer(indices: readonly number[]): void {
    this.offered = indices;
  }

  next(_key: string, skip: readonly number[]): number {
    const size = this.offered.length;
    const window = Math.min(size, WINDOW + skip.length);
    const start = size > WINDOW ? this.start % size : 0;
    this.start = start + window;
    let best = -1;
    let ties = 0;
    for (let step = 0; step < window; step++) {
      const index = this.at(start + step);
      if (skip.includes(index)) continue;
      const order = best < 0 ? -1 : this.compareLoad(index, best);
      if (order < 0) {
        best = index;
        ties = 1;
      } else if (order === 0) ties++;
    }
    return ties <= 1 ? best : this.breakTie(best, start, window, skip);
  }

  private breakTie(equal: number, start: number, window: number, skip: readonly number[]): number {
    let best = -1;
    let total = 0;
    for (let step = 0; step < window; step++) {
      const index = this.at(start + step);
      if (this.compareLoad(index, equal) !== 0 || skip.includes(index)) continue;
      total += this.weights[index]!;
      this.current[index]! += this.weights[index]!;
      if (best < 0 || this.current[index]! > this.current[best]!) best = index;
    }
    this.current[best]! -= total;
    return best;
  }

  private at(position: number): number {
    const size = this.offered.length;
    return this.offered[position < size ? position : position - size]!;
  }

  /** Below 0 when `a` has less to do for its weight: a / wa < b / wb, without the division. */
  private compareLoad(a: number, b: number): number {
    return this.servers[a]!.inFlight * this.weights[b]! - this.servers[b]!.inFlight * this.weights[a]!;
  }
}
