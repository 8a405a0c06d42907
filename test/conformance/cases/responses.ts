import { head, type Expected, type ResponseCase } from "../case.ts";

const HEAD_REQUEST = head("HEAD / HTTP/1.1", "Host: a");
const HTTP10 = head("GET / HTTP/1.0", "Host: a");
const ok = (...lines: readonly string[]): string => head("HTTP/1.1 200 OK", ...lines);
const sized = (body: string, ...lines: readonly string[]): string =>
  `${ok(`Content-Length: ${body.length}`, ...lines)}${body}`;
const chunks = (body: string, ...lines: readonly string[]): string =>
  `${ok("Transfer-Encoding: chunked", ...lines)}${body}`;
const EVIL = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

/** A response that is no response: the client gets a 502, and the connection is not used again. */
function bad(name: string, respond: string): ResponseCase {
  return { name, respond, client: ["502 bad_response"], server: "closed" };
}

function relayed(name: string, respond: string, ...client: readonly Expected[]): ResponseCase {
  return { name, respond, client, server: "kept" };
}

const UPGRADE = head("GET / HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: websocket");
const EXPECTING = `${head("POST / HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 1")}x`;
const BAD_LENGTHS = [
  "",
  "+5",
  "-5",
  "0x5",
  "5 5",
  "5, 5",
  "5,6",
  "5.0",
  "x",
  "\xb2",
  "9007199254740992",
  "18446744073709551621",
];
const BAD_CODINGS = [
  "gzip",
  "chunked, gzip",
  "gzip, chunked",
  "chunked, chunked",
  "identity",
  "",
  "xchunked",
  "\vchunked",
];
const BAD_LINES = [
  "HTTP/1.1",
  "HTTP/1.1 ",
  "HTTP/1.1 20",
  "HTTP/1.1 2000 OK",
  "HTTP/1.1 099 x",
  "HTTP/1.1 600 x",
  "HTTP/1.1 999 x",
];
const MORE_LINES = [
  "HTTP/1.1 +20 x",
  "HTTP/1.1 2 0 x",
  "HTTP/1.1  200 OK",
  "HTTP/1.1 abc x",
  "HTTP/1.1\t200 OK",
  "http/1.1 200 OK",
];
const LAST_LINES = [
  "HTTP/2 200",
  "HTTP/2.0 200 OK",
  "HTTP/1.10 200 OK",
  "HTTP 200 OK",
  "ICY 200 OK",
  "200 OK",
  " HTTP/1.1 200 OK",
  "GET / HTTP/1.1",
];
const BAD_SIZES = ["", " 5", "5 ", "0x5", "-5", "g", "5,5", "20000000000000", "fffffffffffffffff"];

export const responseCases: readonly ResponseCase[] = [
  relayed("54 a length", sized("abc"), { status: 200, body: "abc", fields: { "content-length": "3" } }),
  ...BAD_LENGTHS.map((value) =>
    bad(`54 Content-Length: ${JSON.stringify(value)}`, `${ok(`Content-Length: ${value}`)}abcde`),
  ),
  bad("54 two equal lengths", `${ok("Content-Length: 3", "Content-Length: 3")}abc`),
  bad("54 two lengths", `${ok("Content-Length: 3", "content-length: 5")}abcde`),
  {
    ...relayed("55 HEAD with a length", ok("Content-Length: 5"), {
      status: 200,
      bodiless: true,
      fields: { "content-length": "5" },
    }),
    request: HEAD_REQUEST,
  },
  {
    ...relayed("55 HEAD with chunked", ok("Transfer-Encoding: chunked"), {
      status: 200,
      bodiless: true,
      fields: { "transfer-encoding": [] },
    }),
    request: HEAD_REQUEST,
  },
  { ...relayed("55 HEAD without framing", ok(), { status: 200, bodiless: true }), request: HEAD_REQUEST },
  {
    name: "55 HEAD with a body",
    respond: sized("hello"),
    request: HEAD_REQUEST,
    client: [{ status: 200, bodiless: true }],
    server: "closed",
    surplus: true,
  },
  {
    name: "55 HEAD with chunks",
    respond: chunks("1\r\na\r\n0\r\n\r\n"),
    request: HEAD_REQUEST,
    client: [{ status: 200, bodiless: true }],
    server: "closed",
    surplus: true,
  },
  relayed("55 204", head("HTTP/1.1 204 No Content"), { status: 204 }),
  relayed("55 204 with a length", head("HTTP/1.1 204 No Content", "Content-Length: 5"), {
    status: 204,
    fields: { "content-length": [] },
  }),
  {
    name: "55 204 with a body",
    respond: `${head("HTTP/1.1 204 No Content", "Content-Length: 5")}hello`,
    client: [{ status: 204 }],
    server: "closed",
    surplus: true,
  },
  {
    name: "55 204 with chunks",
    respond: `${head("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked")}1\r\na\r\n0\r\n\r\n`,
    client: [{ status: 204, fields: { "transfer-encoding": [] } }],
    server: "closed",
    surplus: true,
  },
  relayed("55 304 with a length", head("HTTP/1.1 304 Not Modified", "Content-Length: 5", "ETag: x"), {
    status: 304,
    fields: { "content-length": "5", etag: "x" },
  }),
  relayed("55 304 with chunked", head("HTTP/1.1 304 Not Modified", "Transfer-Encoding: chunked"), {
    status: 304,
    fields: { "transfer-encoding": [] },
  }),
  {
    name: "55 304 with a body",
    respond: `${head("HTTP/1.1 304 Not Modified", "Content-Length: 5")}hello`,
    client: [{ status: 304 }],
    server: "closed",
    surplus: true,
  },
  relayed("55 205 with a zero length", head("HTTP/1.1 205 Reset", "Content-Length: 0"), {
    status: 205,
    body: "",
  }),
  bad("56 both, length first", `${ok("Content-Length: 3", "Transfer-Encoding: chunked")}1\r\na\r\n0\r\n\r\n`),
  bad("56 both, coding first", `${ok("Transfer-Encoding: chunked", "Content-Length: 3")}1\r\na\r\n0\r\n\r\n`),
  ...BAD_CODINGS.map((value) =>
    bad(
      `56 Transfer-Encoding: ${JSON.stringify(value)}`,
      `${ok(`Transfer-Encoding: ${value}`)}1\r\na\r\n0\r\n\r\n`,
    ),
  ),
  bad("56 chunked on two lines", ok("Transfer-Encoding: chunked", "Transfer-Encoding: chunked")),
  bad(
    "56 chunked in HTTP/1.0",
    `${head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked")}1\r\na\r\n0\r\n\r\n`,
  ),
  relayed("56 chunks", chunks("1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n"), {
    status: 200,
    body: "abc",
    fields: { "content-length": [] },
  }),
  relayed("56 a chunked body without a chunk", chunks("0\r\n\r\n"), { status: 200, body: "" }),
  relayed(
    "57 103 with chunked",
    head("HTTP/1.1 103 Early Hints", "Transfer-Encoding: chunked", "Link: x") + sized("a"),
    { status: 103, fields: { "transfer-encoding": [], link: "x" } },
    { status: 200, body: "a" },
  ),
  {
    name: "57 chunks to HTTP/1.0",
    respond: chunks("1\r\na\r\n1\r\nb\r\n0\r\nT: x\r\n\r\n"),
    request: HTTP10,
    client: [{ status: 200, body: "ab", fields: { t: [] } }],
    server: "kept",
    closes: true,
    http10: true,
  },
  {
    name: "57 a kept HTTP/1.0 client gets chunks by the end",
    respond: chunks("1\r\na\r\n0\r\n\r\n"),
    request: head("GET / HTTP/1.0", "Connection: keep-alive"),
    client: [{ status: 200, body: "a", fields: { connection: "close" } }],
    server: "kept",
    closes: true,
    http10: true,
  },
  {
    name: "57 an end by close to HTTP/1.0",
    respond: `${ok()}abc`,
    ends: "fin",
    request: HTTP10,
    client: [{ status: 200, body: "abc" }],
    server: "closed",
    closes: true,
    http10: true,
  },
  {
    name: "58 a body cut by FIN",
    respond: `${ok("Content-Length: 5")}abc`,
    ends: "fin",
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  {
    name: "58 a body cut by a reset",
    respond: `${ok("Content-Length: 5")}abc`,
    ends: "reset",
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  {
    name: "58 chunks cut by FIN",
    respond: chunks("3\r\nabc\r\n"),
    ends: "fin",
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  {
    name: "58 chunks cut within a chunk",
    respond: chunks("5\r\nabc"),
    ends: "fin",
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  {
    name: "58 chunks cut before the last line",
    respond: chunks("3\r\nabc\r\n0\r\n"),
    ends: "fin",
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  {
    name: "58 trailers cut",
    respond: chunks("0\r\nA: b\r\n"),
    ends: "fin",
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  {
    name: "58 cut to HTTP/1.0: a length",
    respond: `${ok("Content-Length: 5")}abc`,
    ends: "fin",
    request: HTTP10,
    client: ["cut"],
    server: "closed",
    closes: true,
    http10: true,
  },
  {
    name: "58 cut to HTTP/1.0: chunks",
    respond: chunks("5\r\nabc"),
    ends: "fin",
    request: HTTP10,
    client: ["reset"],
    server: "closed",
    closes: true,
    http10: true,
  },
  ...BAD_SIZES.map((size): ResponseCase => ({
    name: `58 chunk size ${JSON.stringify(size)}`,
    respond: chunks(`1\r\na\r\n${size}\r\nabcde\r\n0\r\n\r\n`),
    client: ["cut"],
    server: "closed",
    closes: true,
  })),
  {
    name: "58 LF after a chunk size",
    respond: chunks("1\r\na\r\n1\nb\r\n0\r\n\r\n"),
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  {
    name: "58 another byte, then LF, after a chunk",
    respond: chunks("1\r\naX\n0\r\n\r\n"),
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  {
    name: "58 two other bytes after a chunk",
    respond: chunks("1\r\naXX0\r\n\r\n"),
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  {
    name: "58 an extension without end",
    respond: chunks(`1;${"a".repeat(5000)}\r\nb\r\n0\r\n\r\n`),
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  {
    name: "58 a malformed trailer",
    respond: chunks("1\r\na\r\n0\r\nA b: c\r\n\r\n"),
    client: ["cut"],
    server: "closed",
    closes: true,
  },
  ...[...BAD_LINES, ...MORE_LINES, ...LAST_LINES].map((line) =>
    bad(`59 ${JSON.stringify(line)}`, `${line}\r\nContent-Length: 0\r\n\r\n`),
  ),
  bad("59 LF ends the status line", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
  bad("59 CR in the reason", "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n"),
  bad("59 NUL in the reason", "HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n"),
  bad("59 an empty line before the status line", `\r\n${sized("a")}`),
  bad("59 TLS", "\x15\x03\x01\0\x02\x02\x46"),
  bad("59 no HTTP at all", "hello, world\r\n\r\n"),
  relayed("59 an empty reason", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\na", { status: 200, body: "a" }),
  relayed("59 no reason", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", { status: 200, body: "a" }),
  relayed("59 obs-text in the reason", "HTTP/1.1 200 \xe9\r\nContent-Length: 1\r\n\r\na", {
    status: 200,
    body: "a",
  }),
  relayed("59 HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 1\r\n\r\na", { status: 200, body: "a" }),
  relayed("59 an unknown status", "HTTP/1.1 299 x\r\nContent-Length: 1\r\n\r\na", { status: 299, body: "a" }),
  {
    name: "60 bytes after a length",
    respond: `${sized("abc")}x`,
    client: [{ status: 200, body: "abc" }],
    server: "closed",
    surplus: true,
  },
  {
    name: "60 a second response after a length",
    respond: `${sized("abc")}${EVIL}`,
    client: [{ status: 200, body: "abc" }],
    server: "closed",
    surplus: true,
  },
  {
    name: "60 a second response after chunks",
    respond: `${chunks("1\r\na\r\n0\r\n\r\n")}${EVIL}`,
    client: [{ status: 200, body: "a" }],
    server: "closed",
    surplus: true,
  },
  {
    name: "60 a second response after 204",
    respond: `${head("HTTP/1.1 204 No Content")}${EVIL}`,
    client: [{ status: 204 }],
    server: "closed",
    surplus: true,
  },
  {
    name: "60 CRLF after a body",
    respond: `${sized("abc")}\r\n`,
    client: [{ status: 200, body: "abc" }],
    server: "closed",
    surplus: true,
  },
  {
    name: "60 a server that says close",
    respond: sized("a", "Connection: close"),
    client: [{ status: 200, body: "a", fields: { connection: [] } }],
    server: "closed",
  },
  {
    name: "60 HTTP/1.0 without keep-alive",
    respond: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
    client: [{ status: 200, body: "a" }],
    server: "closed",
  },
  relayed(
    "60 HTTP/1.0 with keep-alive",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
    { status: 200, body: "a", fields: { via: "1.0 halftone-test" } },
  ),
  {
    name: "61 a body by close becomes chunks",
    respond: `${ok()}abc`,
    ends: "fin",
    client: [{ status: 200, body: "abc", fields: { "transfer-encoding": "chunked" } }],
    server: "closed",
  },
  {
    name: "61 an empty body by close",
    respond: ok(),
    ends: "fin",
    client: [{ status: 200, body: "" }],
    server: "closed",
  },
  relayed("61 leading zeros of a length go", `${ok("Content-Length: 003")}abc`, {
    status: 200,
    body: "abc",
    fields: { "content-length": "3" },
  }),
  relayed("61 Date stays", sized("a", "Date: Tue, 15 Nov 1994 08:12:31 GMT"), {
    status: 200,
    fields: { date: "Tue, 15 Nov 1994 08:12:31 GMT" },
  }),
  relayed("61 a Date that Connection names is replaced", sized("a", "Date: x", "Connection: Date"), {
    status: 200,
    body: "a",
  }),
  relayed("19 a space before the colon is removed", sized("a", "A : b", "C: d"), {
    status: 200,
    body: "a",
    fields: { a: "b", c: "d" },
  }),
  relayed("19 spaces and tabs before the colon are removed", sized("a", "A \t : b"), {
    status: 200,
    body: "a",
    fields: { a: "b" },
  }),
  relayed("19 a space before the colon of the length", `${ok("Content-Length : 1")}a`, {
    status: 200,
    body: "a",
    fields: { "content-length": "1" },
  }),
  relayed(
    "19 a space before the colon of the coding",
    `${ok("Transfer-Encoding : chunked")}1\r\na\r\n0\r\n\r\n`,
    {
      status: 200,
      body: "a",
    },
  ),
  relayed("19 a space before the colon of Connection", sized("a", "Connection : X", "X : y"), {
    status: 200,
    body: "a",
    fields: { x: [] },
  }),
  bad("19 a length twice, once with a space", `${ok("Content-Length: 1", "Content-Length : 2")}a`),
  bad("62 a space within a name", sized("a", "A b: c")),
  bad("62 a space and no colon", sized("a", "A ")),
  bad("62 a folded value", sized("a", "A: b", " c")),
  bad("62 a fold at once", `HTTP/1.1 200 OK\r\n A: b\r\nContent-Length: 1\r\n\r\na`),
  bad("62 no colon", sized("a", "A")),
  bad("62 an empty name", sized("a", ": b")),
  bad("62 a name that is no token", sized("a", "A(: b")),
  bad("62 NUL in a value", sized("a", "A: b\0c")),
  bad("62 CR in a value", sized("a", "A: b\rc")),
  bad("62 LF in a value", sized("a", "A: b\nSet-Cookie: x=y")),
  bad("62 LF ends the head", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\na"),
  bad("62 CR CR LF", sized("a", "A: b\r")),
  bad("62 too many lines", sized("a", ...Array.from({ length: 101 }, () => "A: b"))),
  bad("62 a head that is too large", sized("a", `A: ${"b".repeat(17_000)}`)),
  bad("62 a head without end", `HTTP/1.1 200 OK\r\nA: ${"b".repeat(17_000)}`),
  relayed("62 Set-Cookie lines stay apart", sized("a", "Set-Cookie: a=b", "X: y", "set-cookie: c=d, e"), {
    status: 200,
    fields: { "set-cookie": ["a=b", "c=d, e"] },
  }),
  relayed("62 obs-text and properties pass", sized("a", "A: \xe9\xff", "__proto__: x", "constructor: y"), {
    status: 200,
    fields: { a: "\xe9\xff", ["__proto__"]: "x", constructor: "y" },
  }),
  relayed("62 unknown fields and order", sized("a", "X-A: 1", "X-B: 2", "x-a: 3"), {
    status: 200,
    fields: { "x-a": ["1", "3"], "x-b": "2" },
  }),
  relayed(
    "39 hop-by-hop fields of a response",
    sized(
      "a",
      "Connection: X-Own, keep-alive",
      "X-Own: 1",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: x",
      "TE: x",
      "Upgrade: h2c",
    ),
    {
      status: 200,
      fields: { "x-own": [], "keep-alive": [], "proxy-connection": [], te: [], upgrade: [], connection: [] },
    },
  ),
  relayed(
    "41 a response's Connection cannot name Set-Cookie or the length away",
    sized("a", "Connection: Set-Cookie, Content-Length, Via", "Set-Cookie: a"),
    {
      status: 200,
      fields: { "set-cookie": "a", "content-length": "1", via: "1.1 halftone-test" },
    },
  ),
  relayed("42 Via of a response", sized("a", "Via: 1.1 b"), {
    status: 200,
    fields: { via: ["1.1 b", "1.1 halftone-test"] },
  }),
  relayed("44 X-Halftone-* of a server goes", sized("a", "X-Halftone-Group: x"), {
    status: 200,
    fields: { "x-halftone-group": [] },
  }),
  relayed("34 trailers of a response, not asked for", chunks("1\r\na\r\n0\r\nT: x\r\n\r\n", "Trailer: T"), {
    status: 200,
    body: "a",
    trailers: {},
    fields: { trailer: [] },
  }),
  {
    ...relayed(
      "19 a space before the colon of a trailer is removed",
      chunks("1\r\na\r\n0\r\nT : x\r\n\r\n", "Trailer: T"),
      { status: 200, body: "a", trailers: { t: "x" }, fields: { trailer: "T" } },
    ),
    request: head("GET / HTTP/1.1", "Host: a", "Connection: TE", "TE: trailers"),
  },
  {
    ...relayed(
      "34 trailers of a response, asked for",
      chunks("1\r\na\r\n0\r\nT: x\r\nSet-Cookie: y\r\nContent-Length: 9\r\n\r\n", "Trailer: T"),
      { status: 200, body: "a", trailers: { t: "x" }, fields: { trailer: "T" } },
    ),
    request: head("GET / HTTP/1.1", "Host: a", "Connection: TE", "TE: trailers"),
  },
  bad(
    "47 a 101 that nobody asked for",
    `${head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket")}evil`,
  ),
  {
    ...bad("47 a 101 to something else", head("HTTP/1.1 101 x", "Connection: Upgrade", "Upgrade: h2c")),
    request: UPGRADE,
  },
  { ...bad("47 a 101 without Upgrade", head("HTTP/1.1 101 x", "Connection: Upgrade")), request: UPGRADE },
  { ...bad("47 a 101 without Connection", head("HTTP/1.1 101 x", "Upgrade: websocket")), request: UPGRADE },
  {
    ...bad("47 a 101 of HTTP/1.0", head("HTTP/1.0 101 x", "Connection: Upgrade", "Upgrade: websocket")),
    request: UPGRADE,
  },
  {
    ...bad(
      "47 a 101 with two protocols",
      head("HTTP/1.1 101 x", "Connection: Upgrade", "Upgrade: websocket, x"),
    ),
    request: UPGRADE,
  },
  {
    ...bad("47 a 101 to HTTP/1.0", head("HTTP/1.1 101 x", "Connection: Upgrade", "Upgrade: websocket")),
    request: head("GET / HTTP/1.0", "Connection: Upgrade", "Upgrade: websocket"),
    closes: true,
  },
  {
    ...relayed("46 a server that does not switch", sized("a"), { status: 200, body: "a" }),
    request: UPGRADE,
  },
  {
    ...relayed(
      "46 426 instead of 101",
      head("HTTP/1.1 426 x", "Upgrade: websocket", "Connection: Upgrade", "Content-Length: 0"),
      { status: 426, body: "", fields: { upgrade: [] } },
    ),
    request: UPGRADE,
  },
  {
    name: "46 a switch",
    respond: head(
      "HTTP/1.1 101 x",
      "Connection: upgrade",
      "Upgrade: WebSocket",
      "Sec-WebSocket-Accept: y",
      "Content-Length: 5",
    ),
    ends: "fin",
    request: UPGRADE,
    client: [{ status: 101, fields: { upgrade: "websocket", "sec-websocket-accept": "y" } }],
    server: "closed",
    closes: true,
  },
  relayed("48 100 that nobody asked for", `${head("HTTP/1.1 100 Continue")}${sized("a")}`, {
    status: 200,
    body: "a",
  }),
  {
    ...relayed(
      "48 100 that was asked for",
      `${head("HTTP/1.1 100 Continue")}${sized("a")}`,
      { status: 100 },
      { status: 200, body: "a" },
    ),
    request: EXPECTING,
  },
  {
    ...relayed("49 a final answer instead of 100", head("HTTP/1.1 413 x", "Content-Length: 0"), {
      status: 413,
    }),
    request: EXPECTING,
  },
  relayed(
    "48 103",
    `${head("HTTP/1.1 103 Early Hints", "Link: a", "Connection: X", "X: y", "Content-Length: 4")}${sized("a")}`,
    { status: 103, fields: { link: "a", x: [], "content-length": [] } },
    { status: 200, body: "a" },
  ),
  relayed(
    "48 several 1xx",
    head("HTTP/1.1 102 Processing").repeat(3) + sized("a"),
    { status: 102 },
    { status: 102 },
    { status: 102 },
    { status: 200 },
  ),
  {
    name: "48 no 1xx to HTTP/1.0",
    respond: `${head("HTTP/1.1 103 x")}${head("HTTP/1.1 100 x")}${sized("a")}`,
    request: HTTP10,
    client: [{ status: 200, body: "a" }],
    server: "kept",
    closes: true,
    http10: true,
  },
  {
    name: "48 1xx without end",
    respond: head("HTTP/1.1 102 x").repeat(17),
    client: [...Array.from({ length: 16 }, () => ({ status: 102 })), "502 bad_response"],
    server: "closed",
  },
  bad("48 a malformed 1xx", `${head("HTTP/1.1 103 x", "A b: c")}${sized("a")}`),
  bad(
    "48 1xx with both framings",
    `${head("HTTP/1.1 103 x", "Content-Length: 1", "Transfer-Encoding: chunked")}${sized("a")}`,
  ),
  {
    name: "50 POST is not sent again",
    respond: "",
    ends: "fin",
    request: `${head("POST / HTTP/1.1", "Host: a", "Content-Length: 1")}x`,
    client: ["502 server_cut"],
    server: "closed",
  },
  {
    name: "65 cut before the head",
    respond: "HTTP/1.1 200 OK\r\nContent-Le",
    ends: "fin",
    client: ["502 server_cut"],
    server: "closed",
  },
  {
    name: "65 reset before the head",
    respond: "HTTP/1.1 200 OK\r\n",
    ends: "reset",
    client: ["502 server_cut"],
    server: "closed",
  },
  {
    name: "65 FIN instead of an answer",
    respond: "",
    ends: "fin",
    client: ["502 server_cut"],
    server: "closed",
  },
  {
    name: "65 a 1xx, then FIN",
    respond: head("HTTP/1.1 103 x"),
    ends: "fin",
    client: [{ status: 103 }, "502 server_cut"],
    server: "closed",
  },
  {
    name: "65 an error page of the server is the server's",
    respond: head("HTTP/1.1 502 Bad Gateway", "Content-Length: 0"),
    client: [{ status: 502, body: "" }],
    server: "kept",
  },
  {
    name: "53 a length to HTTP/1.0",
    respond: sized("abc"),
    request: HTTP10,
    client: [{ status: 200, body: "abc", fields: { connection: "close", "content-length": "3" } }],
    server: "kept",
    closes: true,
    http10: true,
  },
  {
    name: "66 a head, then rubbish",
    respond: chunks("1\r\na\r\nrubbish"),
    client: ["cut"],
    server: "closed",
    closes: true,
  },
];
