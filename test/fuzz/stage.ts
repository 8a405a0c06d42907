import type { FieldTable } from "../../src/http1/field-table.ts";
import { pieces } from "./draft.ts";
import type { Random } from "./random.ts";

/** Bytes that would change a verdict if somebody read on into them. */
const POISON = pieces(
  "\r\n\r\n\r\n",
  "\n\n\n",
  "0\r\n\r\n",
  ": x\r\n\r\n",
  "\0\0\0\0",
  "aaaaaa",
  " HTTP/1.1\r\n",
  "5555",
  "    ",
);
const MARGIN = 16;
const CAPACITY = 8192;

/** One input in two places: at different offsets, with different bytes before and after it. */
export class Stage {
  readonly first: Buffer = Buffer.alloc(CAPACITY);
  readonly second: Buffer = Buffer.alloc(CAPACITY);
  /** The input as it came, where it stands in `first`: parsers of responses write into what they read. */
  readonly given: Buffer = Buffer.alloc(CAPACITY);
  /** Where it stands in `first`; in `second` it stands at 0. */
  readonly start: number = MARGIN;
  end = 0;
  length = 0;

  set(input: Buffer, length: number, random: Random): void {
    this.length = length;
    this.end = this.start + length;
    const poison = random.below(POISON.length);
    const otherPoison = (poison + 1 + random.below(POISON.length - 1)) % POISON.length;
    this.first.set(POISON[otherPoison]!, 0);
    input.copy(this.first, this.start, 0, length);
    this.first.set(POISON[poison]!, this.end);
    input.copy(this.given, this.start, 0, length);
    this.renewSecond();
    this.second.set(POISON[otherPoison]!, length);
  }

  /** Gives the input in `second` the bytes that came. */
  renewSecond(): void {
    this.given.copy(this.second, 0, this.start, this.end);
  }
}

/** The same lines, whose offsets stand `shift` bytes apart. */
export function sameFields(a: FieldTable, b: FieldTable, shift: number): boolean {
  if (a.count !== b.count) return false;
  for (let i = 0; i < a.count; i++) {
    const isSame =
      a.kind[i] === b.kind[i] &&
      a.nameStart[i] === b.nameStart[i]! + shift &&
      a.nameEnd[i] === b.nameEnd[i]! + shift &&
      a.valueStart[i] === b.valueStart[i]! + shift &&
      a.valueEnd[i] === b.valueEnd[i]! + shift &&
      a.lineEnd[i] === b.lineEnd[i]! + shift;
    if (!isSame) return false;
  }
  return true;
}
