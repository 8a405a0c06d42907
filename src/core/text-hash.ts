const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * FNV-1a over the UTF-16 units of the parts, then murmur3's finalizer, as FNV alone leaves the high bits of short
 * texts poorly mixed. 32 bits, unsigned.
 *
 * Each part is preceded by its length, so that no choice of one part can imitate another split: ("ab", "c") and
 * ("a", "bc") hash different inputs. The values are part of what gateways agree on; changing them moves clients.
 */
export function textHash(first: string, second: string = "", third: string = ""): number {
  let hash = absorb(FNV_OFFSET, first);
  hash = absorb(hash, second);
  hash = absorb(hash, third);
  return scramble(hash);
}

function absorb(state: number, part: string): number {
  let hash = Math.imul(state ^ part.length, FNV_PRIME);
  for (let index = 0; index < part.length; index++) {
    hash = Math.imul(hash ^ part.charCodeAt(index), FNV_PRIME);
  }
  return hash;
}

/** The finalizer of MurmurHash3 (fmix32): each bit of the input flips each bit of the result with probability ½. */
export function scramble(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
