import { textHash } from "../../../src/core/text-hash.ts";

/** Dots of a field: one for each hundredth of the clients. */
export const DOTS = 100;

/**
 * Which hundredth of the draw each dot of the field stands for, 0 to 99. Each release draws other clients first, so that
 * each shades its field in another order, and the same one on every screen.
 */
export function dotOrder(app: string, draw: string): Uint8Array {
  const places = Array.from({ length: DOTS }, (_, place) => place);
  const hashes = places.map((place) => textHash(app, draw, String(place)));
  const drawn = places.sort((one, other) => hashes[one]! - hashes[other]! || one - other);
  const order = new Uint8Array(DOTS);
  for (const [rank, place] of drawn.entries()) order[place] = rank;
  return order;
}

/** How dark a dot is, 0 to 1, at that share in per cent: the last one shows the fraction. */
export function darkness(rank: number, share: number): number {
  return Math.min(1, Math.max(0, share - rank));
}
