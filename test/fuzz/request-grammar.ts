import { type Draft, pieces, putEither } from "./draft.ts";
import { LINE_END, ODD_LINE_ENDS, oddness, putFraming, putField, putLineEnd } from "./field-grammar.ts";
import type { Random } from "./random.ts";

const METHODS = pieces("GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS", "GET", "POST");
const ODD_METHODS = pieces(
  ..."ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR".split(
    " ",
  ),
  ..."MKCOL MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH QUERY REBIND REPORT SEARCH TRACE".split(
    " ",
  ),
  ..."UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL M-SEARCH NOTIFY PURGE SOURCE".split(
    " ",
  ),
  ..."SUBSCRIBE UNSUBSCRIBE PRI DESCRIBE ANNOUNCE SETUP PLAY FLUSH get Get GE GETT G\tT G\0ET GET\r G@T".split(
    " ",
  ),
  "",
  " GET",
  "HTTP/1.1",
  "X".repeat(40),
);

const TARGETS = pieces("/", "/a", "/a/b?c=d", "/a%20b", "/?x", "/a/", "/index.html", "/a?b=c&d=e");
const ODD_TARGETS = pieces(
  "*",
  "/*",
  "",
  "a",
  "?a",
  "//",
  "//a",
  "//a@b/",
  "/\\a",
  "\\\\a",
  "/a//b",
  "/./a",
  "/../a",
  "/a/..",
  "/a/../../b",
  "/a/%2e%2E/b",
  "/%2f",
  "/a%2Fb",
  "/%5c",
  "/%00",
  "/%",
  "/%4",
  "/%zz",
  "/%c0%af",
  "/a;b=c",
  "/a/..;/b",
  "/a#b",
  "/#",
  "/a b",
  "/\t",
  "/\0",
  "/\x7f",
  "/\xe9",
  '/{a}|"<>^`',
  "/?a?b",
  "/?/../",
  "http://a/b",
  "http://b",
  "http://b?c",
  "HTTP://b:80/",
  "https://b:443/c",
  "http://",
  "http:///a",
  "http:/a",
  "http://a@b/",
  "http://a:b@c/",
  "http://[::1]/",
  "http://[::1]:8/",
  "http://[::1",
  "http://a:99999/",
  "http://a:/",
  "http://a:x/",
  "http://a%41/",
  "http://a\\b/",
  "http://a#b",
  "http://a/../b",
  "ftp://a/",
  "a:80",
  "[::1]:80",
  `/${"a".repeat(300)}`,
);

const VERSION = pieces("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0");
const ODD_VERSIONS = pieces(
  ..."HTTP/1.2 HTTP/1.9 HTTP/0.9 HTTP/2.0 HTTP/3.0 HTTP/9.9 HTTP/1.10 HTTP/11.1 HTTP/1 HTTP/1. HTTP/.1".split(
    " ",
  ),
  ..."http/1.1 Http/1.1 HTTP1.1 HTTP\\1.1 HTTP/1,1 HTTP/+1.1 HTTP/1.x HTTPS/1.1 ICE/1.0 RTSP/1.0 HTTP//1.1".split(
    " ",
  ),
  "",
  "HTTP /1.1",
  "HTTP/ 1.1",
  "HTTP/1 .1",
  "HTTP/1.1 ",
  "HTTP/1.1\t",
  "HTTP/1.1a",
  "HTTP/1.\xb9",
);

const SPACE = pieces(" ");
const ODD_SPACES = pieces("", "  ", "\t", "\x0b", "\x0c", "\xa0", "\r", "\n", "\0", " \t");
const EMPTY_LINES = pieces("\r\n", "\r\n\r\n", "\n", "\r", "\r\n".repeat(4), "\r\n".repeat(5), " \r\n", "\0");
const AFTER = pieces(
  "",
  "",
  "",
  "hello",
  "5\r\nhello\r\n0\r\n\r\n",
  "GET / HTTP/1.1\r\n",
  "\r\n",
  "\n",
  "\0",
);

const HOSTS = pieces(
  "Host: a",
  "Host: a",
  "Host: example.com",
  "host: a:80",
  "HOST: [::1]:8",
  "Host: 127.0.0.1",
);
const ODD_HOSTS = pieces(
  "",
  "Host:",
  "Host: ",
  "Host: a b",
  "Host: a,b",
  "Host: a/b",
  "Host: a?b",
  "Host: a@b",
  "Host: a#b",
  "Host: a:b",
  "Host: a:",
  "Host: a:65535",
  "Host: a:65536",
  "Host: :80",
  "Host: a%41",
  "Host: a%4",
  "Host: [::1",
  "Host: [::1%eth0]",
  "Host: [a]",
  "Host: \xe9",
  "Host: a\\b",
  "Host: a_b",
  "Host: http://a",
  "Host : a",
  "Host\t: a",
  " Host: a",
  "Host: a\r\nHost: a",
  "Host: a\r\nHost: b",
  "Host: a\r\n b",
  "H\xf6st: a",
);

/** Writes one request head, and sometimes what may follow it. */
export function writeRequest(draft: Draft, random: Random): void {
  draft.length = 0;
  const odd = oddness(random);
  if (random.oneIn(24)) draft.put(random.pick(EMPTY_LINES));
  putEither(draft, random, odd === 0 ? 12 : 4, METHODS, ODD_METHODS);
  putEither(draft, random, odd, SPACE, ODD_SPACES);
  putEither(draft, random, odd === 0 ? 8 : 3, TARGETS, ODD_TARGETS);
  putEither(draft, random, odd, SPACE, ODD_SPACES);
  putEither(draft, random, odd === 0 ? 24 : odd, VERSION, ODD_VERSIONS);
  putLineEnd(draft, random, odd);

  const count = random.below(5);
  const hostAt = random.below(count + 1);
  for (let i = 0; i <= count; i++) {
    if (i === hostAt) {
      putEither(draft, random, odd, HOSTS, ODD_HOSTS);
      putLineEnd(draft, random, odd);
    } else putField(draft, random, odd);
  }
  putFraming(draft, random, odd);
  if (random.oneIn(40)) for (let i = 0; i < 14; i++) putField(draft, random, 0);
  putEither(draft, random, odd, LINE_END, ODD_LINE_ENDS);
  draft.put(random.pick(AFTER));
}
