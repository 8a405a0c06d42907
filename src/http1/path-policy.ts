import { BACKSLASH, DOT, HEX, PERCENT, QUESTION, SEMICOLON, SLASH } from "./byte-class.ts";

/** What `judgePath` answers. */
export const PATH_PASSES = 0;
export const PATH_HAS_DOTS = 1;
export const PATH_REFUSED = -1;

/** More leading dots than a dot segment has, or any other byte: an ordinary segment. */
const ORDINARY = 3;
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i;

/**
 * The one path policy, docs/decisions/0014: what is routed is what is forwarded, so a server behind must not find
 * another path in the same bytes. Judges the path that begins at `start` and ends at `?` or `end`.
 *
 * Refused: a raw backslash (a slash to some), a percent sign without two hexadecimal digits, `%00` (the end of the
 * text to some), and dot segments that only some see: with a parameter (`..;x`), or beside an encoded slash or backslash
 * (`..%2f`). Other encoded slashes pass, and separate nothing. Plain dot segments, encoded ones too, are to be
 * resolved: see `resolveDots`.
 */
export function judgePath(bytes: Buffer, start: number, end: number): number {
  let verdict = PATH_PASSES;
  let i = start;
  while (i < end && bytes[i] !== QUESTION) {
    // At the slash before a segment.
    i++;
    let dots = 0;
    let hasEncodedSlash = false;
    for (; i < end && bytes[i] !== SLASH && bytes[i] !== QUESTION; i++) {
      let byte = bytes[i]!;
      if (byte === BACKSLASH) return PATH_REFUSED;
      if (byte === PERCENT) {
        byte = i + 2 < end ? encodedByte(bytes, i) : 0;
        if (byte === 0) return PATH_REFUSED;
        i += 2;
        if (byte === SLASH || byte === BACKSLASH) {
          if (isDots(dots)) return PATH_REFUSED;
          hasEncodedSlash = true;
          dots = 0;
          continue;
        }
      }
      if (byte === SEMICOLON && isDots(dots)) return PATH_REFUSED;
      if (dots < ORDINARY) dots = byte === DOT ? dots + 1 : ORDINARY;
    }
    if (isDots(dots)) {
      if (hasEncodedSlash) return PATH_REFUSED;
      verdict = PATH_HAS_DOTS;
    }
  }
  return verdict;
}

/**
 * `path` (without query) with its dot segments resolved as RFC 3986 5.2.4 does it, encoded dots included (6.2.2.3);
 * undefined when it climbs above the root.
 */
export function resolveDots(path: string): string | undefined {
  const resolved: string[] = [];
  let endsInDots = false;
  for (const segment of path.slice(1).split("/")) {
    endsInDots = DOT_SEGMENT.test(segment);
    if (!endsInDots) resolved.push(segment);
    else if (isParent(segment) && resolved.pop() === undefined) return undefined;
  }
  return `/${resolved.join("/")}${endsInDots && resolved.length > 0 ? "/" : ""}`;
}

/** Of a dot segment: `..` in any encoding. */
function isParent(segment: string): boolean {
  return segment.replace(/%2e/gi, ".") === "..";
}

function isDots(dots: number): boolean {
  return dots === 1 || dots === 2;
}

/** The byte that is written at `at` as a percent sign and two digits; 0 also when it is not. */
function encodedByte(bytes: Buffer, at: number): number {
  const high = HEX[bytes[at + 1]!]!;
  const low = HEX[bytes[at + 2]!]!;
  return high === 255 || low === 255 ? 0 : high * 16 + low;
}
