import { type Draft, pieces, putEither } from "./draft.ts";
import { LINE_END, ODD_LINE_ENDS, oddness, putFraming, putField, putLineEnd } from "./field-grammar.ts";
import type { Random } from "./random.ts";

const VERSIONS = pieces("HTTP/1.1 ", "HTTP/1.1 ", "HTTP/1.1 ", "HTTP/1.0 ");
const ODD_VERSIONS = pieces(
  "HTTP/1.2 ",
  "HTTP/1.9 ",
  "HTTP/0.9 ",
  "HTTP/2.0 ",
  "HTTP/1.1",
  "HTTP/1.1  ",
  "HTTP/1.1\t",
  "http/1.1 ",
  "HTTP/11 ",
  "HTTP/1.10 ",
  "ICY ",
  "\r\nHTTP/1.1 ",
  "\nHTTP/1.1 ",
  " HTTP/1.1 ",
  "GET / HTTP/1.1\r\n",
  "HTTP/1.1\0 ",
  "ICE/1.0 ",
  "RTSP/1.0 ",
  "",
);

const STATUSES = pieces("200", "200", "200", "404", "302", "500", "204", "304", "100", "101", "103", "206");
const ODD_STATUSES = pieces(
  ..."000 099 199 299 599 600 999 20 2000 -20 +20 2x0 0200 1e2 0xC 102 205 407 421".split(" "),
  "",
  " 200",
  "2 0",
  "20\xb2",
  "20\0",
  "200\0",
);

const REASONS = pieces(" OK", " OK", " Not Found", " ", "", " \xe9", " a\tb", "  two");
const ODD_REASONS = pieces(
  "\tOK",
  "OK",
  " a\0b",
  " a\x01b",
  " a\x7fb",
  " a\rb",
  " a\nb",
  "\r",
  " OK\r",
  " a\r\n b",
  " HTTP/1.1 200 OK",
  ` ${"r".repeat(300)}`,
);
const AFTER = pieces("", "", "hello", "5\r\nhello\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\r\n");

/** Writes one response head, and sometimes what may follow it. */
export function writeResponse(draft: Draft, random: Random): void {
  draft.length = 0;
  const odd = oddness(random);
  putEither(draft, random, odd === 0 ? 24 : odd, VERSIONS, ODD_VERSIONS);
  putEither(draft, random, odd === 0 ? 24 : odd, STATUSES, ODD_STATUSES);
  putEither(draft, random, odd, REASONS, ODD_REASONS);
  putLineEnd(draft, random, odd);
  for (let i = random.below(6); i > 0; i--) putField(draft, random, odd);
  putFraming(draft, random, odd);
  if (random.oneIn(40)) for (let i = 0; i < 14; i++) putField(draft, random, 0);
  putEither(draft, random, odd, LINE_END, ODD_LINE_ENDS);
  draft.put(random.pick(AFTER));
}
