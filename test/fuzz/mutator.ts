import { type Draft, pieces } from "./draft.ts";
import type { Random } from "./random.ts";

/** Bytes and short runs that parsers disagree about. */
const SPICE = pieces(
  ...Array.from("\0\t\n\v\f\r \"#%',/:;=?@[\\]_{}|\x7f\x80\x85\xa0\xad\xe9\xff0159AFaflxz+-.*"),
  "\r\n",
  "\r\n\r\n",
  "\n\n",
  "\r\r\n",
  "\r\n\r",
  "\r\n ",
  "\r\n\t",
  " :",
  ", ",
  "0x",
  "chunked",
  "close",
  "keep-alive",
  "\r\nContent-Length: 5",
  "\r\nTransfer-Encoding: chunked",
  "\r\nHost: b",
);

const KEPT = 32;
const KEPT_BYTES = 512;

/** Changes inputs byte by byte, without regard for their grammar, and crosses them with earlier ones. */
export class Mutator {
  private readonly earlier: Buffer[] = Array.from({ length: KEPT }, () => Buffer.alloc(KEPT_BYTES));
  private readonly earlierLength = new Uint32Array(KEPT);
  private turn = 0;

  /** Forgets the earlier inputs, so that a batch depends on nothing before it. */
  reset(): void {
    this.earlierLength.fill(0);
    this.turn = 0;
  }

  mutate(draft: Draft, random: Random): void {
    this.keep(draft);
    // Half of the inputs stay as the grammar made them.
    const changes = [0, 0, 0, 0, 1, 1, 2, 4][random.below(8)]!;
    for (let i = 0; i < changes && draft.length > 0; i++) this.change(draft, random);
  }

  private keep(draft: Draft): void {
    const length = Math.min(draft.length, KEPT_BYTES);
    draft.bytes.copy(this.earlier[this.turn]!, 0, 0, length);
    this.earlierLength[this.turn] = length;
    this.turn = (this.turn + 1) % KEPT;
  }

  private change(draft: Draft, random: Random): void {
    const { bytes } = draft;
    const at = random.below(draft.length);
    switch (random.below(10)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8);
        return;
      case 1:
        bytes[at] = random.below(256);
        return;
      case 2:
        draft.cut(at, 1 + random.below(3));
        return;
      case 3:
        this.duplicate(draft, random, at);
        return;
      case 4:
        this.splice(draft, random, at);
        return;
      case 5:
        if (random.oneIn(4)) draft.length = at;
        return;
      case 6:
      case 7:
        bytes[at] = random.pick(SPICE)[0]!;
        return;
      default: {
        const spice = random.pick(SPICE);
        if (draft.open(at, spice.length)) bytes.set(spice, at);
      }
    }
  }

  private duplicate(draft: Draft, random: Random, at: number): void {
    const count = Math.min(1 + random.below(random.oneIn(4) ? 64 : 4), draft.length - at);
    if (draft.open(at + count, count)) draft.bytes.copyWithin(at + count, at, at + count);
  }

  /** The start of this input, then the end of an earlier one. */
  private splice(draft: Draft, random: Random, at: number): void {
    const other = random.below(KEPT);
    const length = this.earlierLength[other]!;
    if (length === 0) return;
    const from = random.below(length);
    draft.length = at;
    draft.put(this.earlier[other]!.subarray(from, length));
  }
}
