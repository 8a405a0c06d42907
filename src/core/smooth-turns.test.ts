import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SmoothTurns } from "./smooth-turns.ts";

const take = (turns: { next(): number }, count: number): number[] =>
  Array.from({ length: count }, () => turns.next());

/** `ngx_http_upstream_get_peer`, line by line, without its handling of failed peers. */
class NginxPeers {
  private readonly peers: { weight: number; current: number }[];

  constructor(weights: readonly number[]) {
    this.peers = weights.map((weight) => ({ weight, current: 0 }));
  }

  next(): number {
    let best = -1;
    let total = 0;
    for (const [position, peer] of this.peers.entries()) {
      peer.current += peer.weight;
      total += peer.weight;
      if (best < 0 || peer.current > this.peers[best]!.current) best = position;
    }
    if (best >= 0) this.peers[best]!.current -= total;
    return best;
  }
}

describe("SmoothTurns", () => {
  it("gives a a b a c a a for 5, 1, 1, again and again", () => {
    const cycle = [0, 0, 1, 0, 2, 0, 0];
    expect(take(new SmoothTurns([5, 1, 1]), 14)).toEqual([...cycle, ...cycle]);
  });

  it("goes through equal weights in order", () => {
    expect(take(new SmoothTurns([10, 10, 10]), 7)).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  it("has no turn for nobody", () => {
    expect(new SmoothTurns([]).next()).toBe(-1);
  });

  it("is nginx's sequence", () => {
    // Few values, so that weights repeat in every arrangement; and many, so that they do not.
    const weights = fc.oneof(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 }),
    );
    fc.assert(
      fc.property(weights, (weights) => {
        const steps =
          3 *
          Math.min(
            200,
            weights.reduce((a, b) => a + b),
          );
        expect(take(new SmoothTurns(weights), steps)).toEqual(take(new NginxPeers(weights), steps));
      }),
      { numRuns: 300 },
    );
  });
});
