import { DOT, NINE, ZERO } from "./byte-class.ts";

/** Bytes of `HTTP/1.1`. */
export const VERSION_LENGTH = 8;

/** What `readVersion` answers instead of a minor version. */
export const VERSION_INCOMPLETE = -1;
const VERSION_MALFORMED = -2;
export const VERSION_OTHER_MAJOR = -3;

const PREFIX = Uint8Array.from("HTTP/", (character) => character.charCodeAt(0));

/**
 * The minor version written at `start`: 0, or 1 for every higher one (RFC 9110 2.5), or one of the
 * answers above. What is malformed is said at the first byte that shows it.
 */
export function readVersion(bytes: Buffer, start: number, end: number): number {
  for (let i = 0; i < VERSION_LENGTH; i++) {
    if (start + i >= end) return VERSION_INCOMPLETE;
    const byte = bytes[start + i]!;
    const fits = i < 5 ? byte === PREFIX[i] : i === 6 ? byte === DOT : byte >= ZERO && byte <= NINE;
    if (!fits) return VERSION_MALFORMED;
  }
  if (bytes[start + 5] !== ZERO + 1) return VERSION_OTHER_MAJOR;
  return bytes[start + 7] === ZERO ? 0 : 1;
}
