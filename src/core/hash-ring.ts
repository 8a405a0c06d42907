import type { Balancer } from "./balancer.ts";
import { scramble, textHash } from "./text-hash.ts";

/**
 * Points of the heaviest server of a pool: from half of this, exclusive, to all of it. A server with p points gets its
 * share of the clients give or take 1 / sqrt(p).
 */
const MAX_POINTS = 512;

/** 2^32 / golden ratio: steps of it visit 32-bit numbers without pattern, and each only once. */
const GOLDEN = 0x9e3779b9;

/**
 * Consistent hashing: the same client goes to the same server as long as it lives (Karger et al., 1997). Each server
 * has points on a ring, in number by its weight; a client belongs to the first point at or after its own hash whose
 * server is offered and not to be skipped. So when a server dies only its own clients move, spread over all others, and
 * they return with it; the ring itself is made once for all servers of the pool, dead or alive.
 *
 * Points depend on the server's address and weight alone: other gateways, and pools of other documents, agree on
 * them. Weights are scaled by a power of two, so that the scale changes only if the heaviest weight doubles or halves.
 */
export class HashRing implements Balancer {
  private readonly ids: readonly string[];
  private readonly weights: readonly number[];
  private readonly offered: Uint8Array;
  /** Made at the first pick: not every pool of an app is used. */
  private ring: Ring | undefined;

  /** Both by index. */
  constructor(ids: readonly string[], weights: readonly number[]) {
    this.ids = ids;
    this.weights = weights;
    this.offered = new Uint8Array(ids.length);
  }

  offer(indices: readonly number[]): void {
    this.offered.fill(0);
    for (const index of indices) this.offered[index] = 1;
  }

  next(key: string, skip: readonly number[]): number {
    const ring = (this.ring ??= makeRing(this.ids, this.weights));
    const size = ring.hashes.length;
    const first = firstAtOrAfter(ring, textHash(key));
    for (let step = 0; step < size; step++) {
      const point = first + step;
      const owner = ring.owners[point < size ? point : point - size]!;
      if (this.offered[owner] === 1 && !skip.includes(owner)) return owner;
    }
    return -1;
  }
}

/** Points in ascending order, with an index by their leading bits, as their hashes are spread evenly: no search is needed. */
interface Ring {
  readonly hashes: Uint32Array;
  readonly owners: Uint32Array;
  /** For each value of the leading bits the number of points below it. */
  readonly starts: Uint32Array;
  /** 32 less the number of leading bits. */
  readonly shift: number;
}

function makeRing(ids: readonly string[], weights: readonly number[]): Ring {
  const heaviest = weights.reduce((a, b) => Math.max(a, b), 1);
  const scale = 2 ** Math.floor(Math.log2(MAX_POINTS / heaviest));
  const counts = weights.map((weight) => (weight === 0 ? 0 : Math.max(1, Math.round(weight * scale))));
  const size = counts.reduce((a, b) => a + b, 0);
  const bits = Math.max(1, Math.ceil(Math.log2(size)));
  const shift = 32 - bits;

  // A counting sort by the leading bits; a comparison sort of 1000 servers' points takes ten times as long.
  const starts = new Uint32Array(2 ** bits + 1);
  for (const [owner, id] of ids.entries()) {
    const seed = textHash(id);
    for (let point = 0; point < counts[owner]!; point++) starts[(pointHash(seed, point) >>> shift) + 1]!++;
  }
  for (let slot = 1; slot < starts.length; slot++) starts[slot]! += starts[slot - 1]!;

  const hashes = new Uint32Array(size);
  const owners = new Uint32Array(size);
  const ends = starts.slice();
  for (const [owner, id] of ids.entries()) {
    const seed = textHash(id);
    for (let point = 0; point < counts[owner]!; point++) {
      const hash = pointHash(seed, point);
      const lead = hash >>> shift;
      let place = ends[lead]!++;
      for (; place > starts[lead]! && hashes[place - 1]! > hash; place--) {
        hashes[place] = hashes[place - 1]!;
        owners[place] = owners[place - 1]!;
      }
      hashes[place] = hash;
      owners[place] = owner;
    }
  }
  return { hashes, owners, starts, shift };
}

function pointHash(seed: number, point: number): number {
  return scramble(seed + Math.imul(point, GOLDEN));
}

function firstAtOrAfter(ring: Ring, hash: number): number {
  let point = ring.starts[hash >>> ring.shift]!;
  while (point < ring.hashes.length && ring.hashes[point]! < hash) point++;
  return point;
}
