import { createHash } from "node:crypto";

/** Length of the pattern: a prime, so that a lost or doubled piece of any usual size shifts what follows. */
export const PERIOD = 65_521;

const PIECE: Buffer = Buffer.alloc(PERIOD);
for (let n = 0; n < PERIOD; n++) PIECE[n] = (n * 31 + (n >> 8)) & 0xff;

/** `size` bytes whose every position tells where it is. */
export function patternOf(size: number): Buffer {
  return Buffer.alloc(size, PIECE);
}

/** Checks bytes that come in pieces against the pattern. */
export class PatternCheck {
  length = 0;
  wrongAt: number | undefined;

  take(bytes: Buffer): void {
    let at = this.length % PERIOD;
    for (let position = 0; position < bytes.length; at = 0) {
      const part = Math.min(PERIOD - at, bytes.length - position);
      if (
        this.wrongAt === undefined &&
        bytes.compare(PIECE, at, at + part, position, position + part) !== 0
      ) {
        this.wrongAt = this.length + position;
      }
      position += part;
    }
    this.length += bytes.length;
  }

  /** What a client is told: comparable in one expectation. */
  get outcome(): { readonly length: number; readonly whole: boolean } {
    return { length: this.length, whole: this.wrongAt === undefined };
  }
}

export function hashOf(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
