/** Bytes with a name in the grammar. */
export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const QUOTE = 0x22;
export const PERCENT = 0x25;
export const ASTERISK = 0x2a;
export const COMMA = 0x2c;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const NINE = 0x39;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const QUESTION = 0x3f;
export const BRACKET_OPEN = 0x5b;
export const BACKSLASH = 0x5c;
export const BRACKET_CLOSE = 0x5d;
export const DEL = 0x7f;

/** What a parse answers instead of an offset: more bytes are needed, or the input is refused. */
export const INCOMPLETE = 0;
export const REFUSED = -1;

const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function classOf(test: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => test(byte));
}

function isOneOf(characters: string): (byte: number) => number {
  return (byte) => (characters.includes(String.fromCharCode(byte)) ? 1 : 0);
}

/** tchar (RFC 9110 5.6.2) is 1; `_` is 3, so that OR over a name tells at no cost that it holds one. */
export const TOKEN: Uint8Array = classOf((byte) =>
  byte === 0x5f ? 3 : isOneOf(`${ALPHANUMERIC}!#$%&'*+-.^\`|~`)(byte),
);

/** Bytes of a field value or reason phrase: HTAB, SP, visible ASCII, obs-text (RFC 9110 5.5). */
export const VALUE: Uint8Array = classOf((byte) => (byte === HTAB || (byte >= SP && byte !== DEL) ? 1 : 0));

/**
 * Bytes of a request target: visible ASCII but `#`. Wider than RFC 3986, as clients send `|`, `{` or `"` raw. What the
 * path policy may have a say about is 3, as in TOKEN.
 */
export const TARGET: Uint8Array = classOf((byte) => {
  if (byte === PERCENT || byte === DOT || byte === BACKSLASH) return 3;
  return byte > SP && byte < DEL && byte !== 0x23 ? 1 : 0;
});

/**
 * Bytes of a registered name but the percent sign: unreserved and sub-delims (RFC 3986 3.2.2). Without the comma: it is
 * what remains of two Host fields that somebody joined.
 */
export const HOST_NAME: Uint8Array = classOf(isOneOf(`${ALPHANUMERIC}-._~!$&'()*+;=`));

/** The value of a hexadecimal digit, 255 for any other byte. */
export const HEX: Uint8Array = classOf((byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 255 : value;
});

/** ASCII lower case; every other byte is itself. Exact where `byte | 32` would read CR as `-` (CVE-2020-8201). */
export const LOWER: Uint8Array = classOf((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte));

/** Is bytes[start,end), whatever its case, the lower-case ASCII `text`? */
export function equalsIgnoringCase(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (LOWER[bytes[start + i]!] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** Is bytes[start,end) exactly the latin1 `text`? */
export function equalsExactly(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (bytes[start + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
