import type { Turns } from "./turns.ts";

/**
 * Earliest deadline first: the k-th turn of a position is due at k / weight, the earliest is next, the first of the
 * list among equals. Logarithmic in the number of positions, for pools of so many different weights that
 * `SmoothTurns` would take longer. The order is not nginx's, but just as exact: after each cycle (the sum of the
 * weights by their common divisor) every position had its very share, as precisely the turns due by then are over.
 *
 * Deadlines are divided anew each time, never summed: two that differ stay apart for more turns than there will be.
 */
export class DeadlineTurns implements Turns {
  private readonly weights: readonly number[];
  private readonly taken: Float64Array;
  private readonly deadlines: Float64Array;
  /** Positions as a binary heap. */
  private readonly heap: Int32Array;

  /** `weights` by position, all above 0. */
  constructor(weights: readonly number[]) {
    this.weights = weights;
    this.taken = new Float64Array(weights.length);
    this.deadlines = Float64Array.from(weights, (weight) => 1 / weight);
    // In sorted order, which is a heap.
    this.heap = Int32Array.from(weights.keys()).sort((a, b) => (this.isBefore(a, b) ? -1 : 1));
  }

  next(): number {
    const position = this.heap[0];
    if (position === undefined) return -1;
    this.taken[position]!++;
    this.deadlines[position] = (this.taken[position]! + 1) / this.weights[position]!;
    this.sink(position);
    return position;
  }

  /** Moves the first of the heap down to where its new deadline belongs. */
  private sink(position: number): void {
    const { heap } = this;
    let slot = 0;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.isBefore(heap[child]!, position)) break;
      heap[slot] = heap[child]!;
      slot = child;
    }
    heap[slot] = position;
  }

  private isBefore(a: number, b: number): boolean {
    const difference = this.deadlines[a]! - this.deadlines[b]!;
    return difference < 0 || (difference === 0 && a < b);
  }
}
