import { isIPv6 } from "node:net";

import { BRACKET_CLOSE, BRACKET_OPEN, COLON, HEX, HOST_NAME, NINE, PERCENT, ZERO } from "./byte-class.ts";

const HIGHEST_PORT = 65_535;

/**
 * Is bytes[start,end) `host [":" port]` of RFC 3986 3.2 with a host that is not empty? User information is
 * not part of it: RFC 9110 4.2.4 wants it treated as an error.
 */
export function isAuthority(bytes: Buffer, start: number, end: number): boolean {
  const hostEnd = bytes[start] === BRACKET_OPEN ? literalEnd(bytes, start, end) : nameEnd(bytes, start, end);
  return (
    hostEnd > start && (hostEnd === end || (bytes[hostEnd] === COLON && isPort(bytes, hostEnd + 1, end)))
  );
}

/** Where a registered name (or an IPv4 address, which has its grammar) ends; `start` if it is malformed. */
function nameEnd(bytes: Buffer, start: number, end: number): number {
  let i = start;
  while (i < end) {
    if (HOST_NAME[bytes[i]!] !== 0) {
      i++;
    } else if (bytes[i] === PERCENT) {
      if (i + 2 >= end || HEX[bytes[i + 1]!] === 255 || HEX[bytes[i + 2]!] === 255) return start;
      i += 3;
    } else break;
  }
  return i;
}

/** Where an IPv6 literal ends; `start` if it is malformed. A zone (`%eth0`) means nothing to another machine. */
function literalEnd(bytes: Buffer, start: number, end: number): number {
  let i = start + 1;
  while (i < end && bytes[i] !== BRACKET_CLOSE && bytes[i] !== PERCENT) i++;
  if (i >= end || bytes[i] !== BRACKET_CLOSE) return start;
  return isIPv6(bytes.latin1Slice(start + 1, i)) ? i + 1 : start;
}

/** `*DIGIT`: an empty port is grammatical and means the default one. */
function isPort(bytes: Buffer, start: number, end: number): boolean {
  let port = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]!;
    if (digit < ZERO || digit > NINE) return false;
    port = port * 10 + digit - ZERO;
    if (port > HIGHEST_PORT) return false;
  }
  return true;
}
