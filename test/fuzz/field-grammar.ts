import { type Draft, type Pieces, pieces, putEither } from "./draft.ts";
import type { Random } from "./random.ts";

export const LINE_END: Pieces = pieces("\r\n");
export const ODD_LINE_ENDS: Pieces = pieces(
  "\n",
  "\r",
  "\r\r\n",
  "\n\r",
  "\r\n\n",
  "\r\n\r",
  "\r\n\rX",
  "\0\r\n",
  "\r\0\n",
  " \r\n",
  "\t\r\n",
  "\x0b\r\n",
  "\r\n ",
  "\r\n\t",
  "\x85",
  "",
);

const NAMES = pieces(
  ..."Accept Accept-Encoding User-Agent X-A X-B Cookie Referer Content-Type Range Cache-Control Authorization".split(
    " ",
  ),
  ..."Date Server Set-Cookie Location ETag Last-Modified If-Match Origin Pragma Via Vary __proto__ constructor".split(
    " ",
  ),
);
const ODD_NAMES = pieces(
  ..."X_A X_Forwarded_For Content_Length Transfer_Encoding Content-Length- -Content-Length X-Content-Length".split(
    " ",
  ),
  ..."Proxy Forwarded X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host X-Request-Id X-Halftone-Group".split(
    " ",
  ),
  ..."Keep-Alive Proxy-Connection TE Trailer Upgrade Expect Max-Forwards Content-Length Transfer-Encoding".split(
    " ",
  ),
  "",
  " ",
  "X A",
  "X\tA",
  "X\0A",
  "X\x7fA",
  "X\xe9",
  "X(A)",
  "X,A",
  'X"A',
  "X/A",
  "[X]",
  "{X}",
  "X@A",
  "X=A",
  "X;A",
  "X\x0b",
  "!#$%&'*+-.^_`|~",
  "X".repeat(80),
  "Content-Length\0",
  "Content\rLength",
  "GET / HTTP/1.1",
);

const COLON = pieces(": ", ": ", ": ", ":", ":  ", ":\t");
const ODD_COLONS = pieces(
  " : ",
  "\t: ",
  "",
  " ",
  "=",
  "::",
  "\r\n: ",
  ":\r\n ",
  ":\r\n\t",
  ":\0",
  ": \x0b",
  "\xa0: ",
  ";",
);

const VALUES = pieces(
  "b",
  "",
  "a, b",
  "text/html;q=0.9",
  'a="b c"',
  "1",
  "a=b; c=d",
  "\xe9t\xe9",
  "x".repeat(60),
);
const ODD_VALUES = pieces(
  "\0",
  "a\0b",
  "a\x01b",
  "a\x0bb",
  "a\x0cb",
  "a\x1fb",
  "a\x7fb",
  "a\x80b",
  "a\xffb",
  "a\rb",
  "a\nb",
  "a\r\n b",
  "a\r\n\tb",
  "a\n b",
  "a\n\rb",
  "a\t\tb",
  " a ",
  "\t",
  "a\r",
  "\r",
  "\n",
  "x".repeat(400),
  '"',
  '"\\',
  "%0d%0a",
  "\xc4\x8a",
);

const LENGTHS = pieces(
  "Content-Length: 5",
  "content-length: 0",
  "Content-Length: 3 ",
  "Content-Length:12",
  "Content-Length: 5000",
);
const CODINGS = pieces(
  "Transfer-Encoding: chunked",
  "transfer-encoding: chunked",
  "Transfer-Encoding: Chunked",
);
const ODD_FRAMING = pieces(
  ...[
    "",
    " ",
    "+5",
    "-5",
    "05",
    "0x5",
    "5 5",
    "5,5",
    "5, 5",
    "5;",
    "5.0",
    "5e0",
    "1_0",
    "a",
    "\t5\t",
    "5\t",
    '"5"',
  ]
    .concat([
      "\x0b5",
      "5\x0c",
      "5\0",
      "\xb25",
      "5\xa0",
      "9007199254740991",
      "9007199254740992",
      "18446744073709551615",
    ])
    .concat([
      "18446744073709551616",
      "18446744073709551621",
      "99999999999999999999999",
      "00000000000000000000005",
    ])
    .map((value) => `Content-Length: ${value}`),
  ...[
    "",
    "Chunked ",
    "chunked,",
    ",chunked",
    "chunked, chunked",
    "gzip, chunked",
    "gzip,chunked",
    "chunked, gzip",
    "gzip",
  ]
    .concat([
      "identity",
      "identity, chunked",
      "chunked, identity",
      "xchunked",
      "chunkedx",
      "chunked;q=1",
      '"chunked"',
    ])
    .concat([
      "chunked\0",
      "\x0bchunked",
      "chunked\x0b",
      "chunked\xa0",
      "chun\rked",
      "chunked\t",
      "cow",
      "c hunked",
    ])
    .map((value) => `Transfer-Encoding: ${value}`),
  "Content-Length : 5",
  "Content-Length\t: 5",
  "Content-Length 5",
  " Content-Length: 5",
  "Content-Length:\r\n 5",
  "Content-Length: 5\r\n 5",
  "Content_Length: 5",
  "Content-Length: 5\r\nContent-Length: 5",
  "Content-Length: 5\r\ncontent-length: 6",
  "Content-Length: 5\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nContent-Length: 5",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding\t: chunked",
  "Transfer-Encoding:\r\n chunked",
  "Transfer-Encoding: chunked\r\n , identity",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
  "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
  "Transfer_Encoding: chunked",
  "Transfer-Encodin\x67: chunked",
  "X-A: b\rContent-Length: 5",
  "X-A: b\nTransfer-Encoding: chunked",
  "X-A: b\r\rTransfer-Encoding: chunked",
);

const CONNECTION = pieces(
  ..."close;keep-alive;Close;upgrade;close, X-A;X-A, X-B;keep-alive, upgrade;te;,;close,;, close;cl ose;close x;close\0"
    .concat(
      ";keep-alive, close;close;Content-Length;Host;Transfer-Encoding;X-Forwarded-For;Date;Via;cookie;;x@;closed",
    )
    .split(";")
    .map((value) => `Connection: ${value}`),
  "Connection: upgrade\r\nUpgrade: websocket",
  "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade",
  "Connection: upgrade\r\nUpgrade: h2c",
  "Connection: upgrade\r\nUpgrade: websocket, h2c",
  "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket",
  "Connection: close\r\nConnection: keep-alive",
  "Connection: X-A\r\nX-A: hidden",
  "Proxy-Connection: close",
  "Proxy-Connection: keep-alive",
  "Keep-Alive: timeout=5",
);

const OTHERS = pieces(
  "Expect: 100-continue",
  "Expect: 200-ok",
  "expect: 100-Continue",
  "TE: trailers",
  "TE: trailers;q=0.5, gzip",
  "TE: chunked",
  "Trailer: X-T",
  "Via: 1.1 a",
  "Via: 1.0 a, 1.1 b (c)",
  "Forwarded: for=a;host=b",
  "X-Forwarded-For: 1.2.3.4",
  "X-Forwarded-For: a, b",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Host: c",
  "X-Request-Id: abc",
  "X-Halftone-Group: a",
  "X-Halftone-Error: a",
  "Proxy: http://a",
  "Max-Forwards: 0",
  "Max-Forwards: 5",
  "Cookie: a=b; c=d",
  "Date: Wed, 25 Nov 2026 10:00:00 GMT",
);

/** How rarely an odd piece is taken in this message: never, or once in that many throws. */
export function oddness(random: Random): number {
  return [0, 0, 80, 30, 12][random.below(5)]!;
}

export function putLineEnd(draft: Draft, random: Random, odd: number): void {
  putEither(draft, random, odd * 3, LINE_END, ODD_LINE_ENDS);
}

/** A field line that has no part in framing, or looks as if it had. */
export function putField(draft: Draft, random: Random, odd: number): void {
  const kind = random.below(8);
  if (kind === 0) draft.put(random.pick(CONNECTION));
  else if (kind === 1) draft.put(random.pick(OTHERS));
  else {
    putEither(draft, random, odd, NAMES, ODD_NAMES);
    putEither(draft, random, odd, COLON, ODD_COLONS);
    if (kind === 2) putRandomText(draft, random);
    else putEither(draft, random, odd, VALUES, ODD_VALUES);
  }
  putLineEnd(draft, random, odd);
}

/** Nothing, one field in order, or one or two that are not. */
export function putFraming(draft: Draft, random: Random, odd: number): void {
  const choice = random.below(odd === 0 ? 7 : 10);
  if (choice < 3) return;
  if (choice < 5) draft.put(random.pick(LENGTHS));
  else if (choice < 7) draft.put(random.pick(CODINGS));
  else if (choice < 9) draft.put(random.pick(ODD_FRAMING));
  else {
    draft.put(random.pick(ODD_FRAMING));
    putLineEnd(draft, random, odd);
    draft.put(random.pick(random.oneIn(2) ? ODD_FRAMING : random.oneIn(2) ? LENGTHS : CODINGS));
  }
  putLineEnd(draft, random, odd);
}

/** Any bytes that may stand in a value. */
function putRandomText(draft: Draft, random: Random): void {
  for (let left = random.below(24); left > 0; left--) {
    const byte = random.below(256);
    draft.putByte(byte < 0x20 || byte === 0x7f ? 0x09 : byte);
  }
}
