import type { Random } from "./random.ts";

/** Room for one input; what does not fit is left out. */
const CAPACITY = 4096;

/** An input under construction, in memory that is used again for the next one. */
export class Draft {
  readonly bytes: Buffer = Buffer.alloc(CAPACITY);
  length = 0;

  put(piece: Uint8Array): void {
    if (this.length + piece.length > CAPACITY) return;
    this.bytes.set(piece, this.length);
    this.length += piece.length;
  }

  putByte(byte: number): void {
    if (this.length < CAPACITY) this.bytes[this.length++] = byte;
  }

  /** Removes `count` bytes at `at`. */
  cut(at: number, count: number): void {
    this.bytes.copyWithin(at, at + count, this.length);
    this.length -= Math.min(count, this.length - at);
  }

  /** Opens a gap of `count` bytes at `at`, to be filled; false when there is no room. */
  open(at: number, count: number): boolean {
    if (this.length + count > CAPACITY) return false;
    this.bytes.copyWithin(at + count, at, this.length);
    this.length += count;
    return true;
  }
}

/** Pieces of grammar, as latin1 bytes. */
export type Pieces = readonly Uint8Array[];

export function pieces(...texts: readonly string[]): Pieces {
  return texts.map((text) => Buffer.from(text, "latin1"));
}

/** Puts one of the `usual` pieces, or once in `rate` throws one of the `odd` ones. */
export function putEither(draft: Draft, random: Random, rate: number, usual: Pieces, odd: Pieces): void {
  draft.put(random.pick(random.oneIn(rate) ? odd : usual));
}
