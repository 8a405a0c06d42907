import { equalsExactly } from "./byte-class.ts";

/**
 * Text that is mostly the same from one message to the next, such as the Host of a connection. Comparing a
 * dozen bytes is cheaper than making a string, and the same string again has its hash ready for look-ups.
 */
export class RecentText {
  private text = "";

  /** Is bytes[start,end) the text read last? */
  matches(bytes: Buffer, start: number, end: number): boolean {
    return equalsExactly(bytes, start, end, this.text);
  }

  /** bytes[start,end) as latin1 text. */
  read(bytes: Buffer, start: number, end: number): string {
    if (!this.matches(bytes, start, end)) this.text = bytes.latin1Slice(start, end);
    return this.text;
  }
}
