import type { Turns } from "./turns.ts";

/** The positions of one weight. They have their turns in order, so only the one at `turn` can be the next. */
interface WeightClass {
  readonly weight: number;
  readonly positions: readonly number[];
  turn: number;
  /** nginx's `current_weight` of the position at `turn`. */
  current: number;
}

/**
 * Smooth weighted round robin, in exactly the order of nginx (`ngx_http_upstream_get_peer`): every step adds to each
 * server's current weight its weight; the greatest is chosen, the first of the list among equals, and loses the total.
 * Weights 5, 1, 1 give a a b a c a a.
 *
 * The cost does not grow with the number of servers: current weights of servers of equal weight differ only by how
 * often each was chosen, so they come in list order, and one comparison for each distinct weight finds the next. (A
 * precomputed cycle was rejected: with 1000 servers it takes milliseconds to build, at each change of health.)
 */
export class SmoothTurns implements Turns {
  private readonly classes: readonly WeightClass[];
  private readonly total: number;

  /** `weights` by position, all above 0. */
  constructor(weights: readonly number[]) {
    const positionsByWeight = new Map<number, number[]>();
    let total = 0;
    for (const [position, weight] of weights.entries()) {
      total += weight;
      const positions = positionsByWeight.get(weight);
      if (positions === undefined) positionsByWeight.set(weight, [position]);
      else positions.push(position);
    }
    this.total = total;
    this.classes = Array.from(positionsByWeight, ([weight, positions]) => ({
      weight,
      positions,
      turn: 0,
      current: 0,
    }));
  }

  next(): number {
    let best: WeightClass | undefined;
    let bestPosition = -1;
    for (const candidate of this.classes) {
      candidate.current += candidate.weight;
      const position = candidate.positions[candidate.turn]!;
      if (
        best === undefined ||
        candidate.current > best.current ||
        (candidate.current === best.current && position < bestPosition)
      ) {
        best = candidate;
        bestPosition = position;
      }
    }
    // The next of the class was chosen once less: only after a lap does the greatest current weight of the class fall.
    if (best !== undefined && ++best.turn === best.positions.length) {
      best.turn = 0;
      best.current -= this.total;
    }
    return bestPosition;
  }
}
