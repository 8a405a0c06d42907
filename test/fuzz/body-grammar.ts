import { type Draft, pieces, putEither } from "./draft.ts";
import { LINE_END, ODD_LINE_ENDS, oddness, putField, putLineEnd } from "./field-grammar.ts";
import type { Random } from "./random.ts";

/** What may stand before the digits of a size, and after them. */
const BEFORE_SIZE = pieces("", "", "", "", "0", "000", "00000000000");
const ODD_BEFORE_SIZE = pieces(
  " ",
  "\t",
  "+",
  "-",
  "0x",
  "0X",
  "\r\n",
  "\n",
  "\0",
  "x",
  "0".repeat(20),
  ";",
  "\x0b",
  "\xb2",
);
const AFTER_SIZE = pieces("");
const ODD_AFTER_SIZE = pieces(
  " ",
  "\t",
  "x",
  "h",
  ".0",
  "\0",
  "_",
  "\x0b",
  "\xa0",
  " ;",
  "g",
  "0000000000000000",
  "\r",
  ",",
);
const BIG_SIZES = pieces(
  "1fffffffffffff",
  "20000000000000",
  "7fffffffffffffff",
  "ffffffffffffffff",
  "10000000000000005",
  "fffffffffffffffff",
  "80000000",
  "ffffffff",
  "100000005",
);

const EXTENSIONS = pieces(
  "",
  "",
  "",
  ";a",
  ";a=b",
  ';a="b"',
  ';a="b;c"',
  ";a;b=c",
  ';a=""',
  `;${"e".repeat(100)}`,
);
const ODD_EXTENSIONS = pieces(
  ";",
  ";;",
  ";=",
  ";a=",
  "; a",
  ";a =b",
  ";a= b",
  ";a ",
  " ;a",
  ";a\t",
  ';a="',
  ';a="b',
  ';a="b"c',
  ';a="b\\"c"',
  ';a="b\\\\"',
  ';a="b\\',
  ';a="\xe9"',
  ';a="\\\xe9"',
  ';a="\t"',
  ';a="\\\t"',
  ';a="\0"',
  ';a="b\r\nc"',
  ";a\n",
  ";a\r",
  ";a\rb",
  ";\r\n",
  ";\n",
  ";a\0",
  ";\xe9",
  ";a=\xe9",
  ";a\x7f",
  ";a=b=c",
  ";a,b",
  ";a/b",
  ";a@b",
);

const DATA_ENDS = pieces("\r\n");
const ODD_DATA_ENDS = pieces(
  "",
  "\n",
  "\r",
  "XX",
  "\r\r\n",
  "\n\r",
  "\r\n\r\n",
  "X\r\n",
  " \r\n",
  "\0\r\n",
  "\r\nX",
  "\r\n ",
);
const AFTER = pieces("", "", "", "GET / HTTP/1.1\r\n", "\r\n", "\n", "0\r\n\r\n", "X");

const HEX_DIGITS = "0123456789abcdef";
const UPPER_HEX_DIGITS = "0123456789ABCDEF";

/** Writes one chunked body, and sometimes what may follow it. */
export function writeBody(draft: Draft, random: Random): void {
  draft.length = 0;
  const odd = oddness(random);
  for (let i = random.below(4); i > 0; i--) putChunk(draft, random, odd);
  putEither(draft, random, odd, BEFORE_SIZE, ODD_BEFORE_SIZE);
  draft.putByte(0x30);
  putEither(draft, random, odd, AFTER_SIZE, ODD_AFTER_SIZE);
  putEither(draft, random, odd === 0 ? 0 : 4, EXTENSIONS, ODD_EXTENSIONS);
  putLineEnd(draft, random, odd);
  if (random.oneIn(3)) for (let i = 1 + random.below(3); i > 0; i--) putField(draft, random, odd);
  putEither(draft, random, odd, LINE_END, ODD_LINE_ENDS);
  draft.put(random.pick(AFTER));
}

function putChunk(draft: Draft, random: Random, odd: number): void {
  const size = 1 + random.below(random.oneIn(8) ? 300 : 20);
  putEither(draft, random, odd, BEFORE_SIZE, ODD_BEFORE_SIZE);
  if (random.oneIn(odd)) draft.put(random.pick(BIG_SIZES));
  else putHex(draft, size, random.oneIn(2) ? HEX_DIGITS : UPPER_HEX_DIGITS);
  putEither(draft, random, odd, AFTER_SIZE, ODD_AFTER_SIZE);
  putEither(draft, random, odd === 0 ? 0 : 4, EXTENSIONS, ODD_EXTENSIONS);
  putLineEnd(draft, random, odd);
  // Data that is misread as framing when the reader is off by one.
  const short = random.oneIn(odd) ? random.below(3) : 0;
  const fill = "0\r\n\r\nGET / x";
  for (let i = short; i < size; i++)
    draft.putByte(size % 3 === 0 ? fill.charCodeAt(i % fill.length) : random.below(256));
  putEither(draft, random, odd, DATA_ENDS, ODD_DATA_ENDS);
}

function putHex(draft: Draft, size: number, digits: string): void {
  for (const digit of size.toString(16)) draft.putByte(digits.charCodeAt(HEX_DIGITS.indexOf(digit)));
}
