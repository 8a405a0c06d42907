import { get, head, passed, refused, type RequestCase } from "../case.ts";

const NO_TOKENS = ["(", ")", ",", "/", ";", "<", "=", ">", "?", "@", "[", "\\", "]", "{", "}", '"'];
const SHADOWS = [
  "Content_Length: 5",
  "Transfer_Encoding: chunked",
  "X_Forwarded_For: 1.1.1.1",
  "X_FORWARDED-FOR: 1.1.1.1",
];
const MORE_SHADOWS = [
  "x_forwarded_proto: https",
  "X_Real_IP: 1.1.1.1",
  "X_Request_Id: a",
  "Proxy_Connection: close",
];
const PROPERTIES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "then",
  "length",
];

export const fieldCases: readonly RequestCase[] = [
  refused("19 a space before the colon", get("A : b"), "400 bad_field_name"),
  refused("19 a tab before the colon", get("A\t: b"), "400 bad_field_name"),
  refused("19 a space before the colon of Host", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400 bad_field_name"),
  refused("19 a space before the colon of Content-Length", get("Content-Length : 5"), "400 bad_field_name"),
  refused(
    "19 a space before the colon of Transfer-Encoding",
    get("Transfer-Encoding : chunked"),
    "400 bad_field_name",
  ),
  refused("19 a no-break space before the colon", get("A\xa0: b"), "400 bad_field_name"),
  passed("19 white space around a value goes", get("A: \t b \t"), { start: "GET /", fields: { a: "b" } }),
  passed("19 no white space around a value", get("A:b"), { start: "GET /", fields: { a: "b" } }),
  passed("19 colons in a value", get("A::b:"), { start: "GET /", fields: { a: ":b:" } }),
  passed("19 an empty value", get("A:", "B: "), { start: "GET /", fields: { a: "", b: "" } }),
  refused("20 a folded value", get("A: b", " c"), "400 folded_line"),
  refused("20 a value folded by a tab", get("A: b", "\tc"), "400 folded_line"),
  refused("20 an empty fold", get("A: b", " "), "400 folded_line"),
  refused("20 a folded Host", "GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n", "400 folded_line"),
  refused("20 a folded Content-Length", get("Content-Length:", " 5"), "400 folded_line"),
  refused("20 a folded Transfer-Encoding", get("Transfer-Encoding:", "\tchunked"), "400 folded_line"),
  refused("20 a fold that hides a field", get("A: b", " Content-Length: 5"), "400 folded_line"),
  refused("21 an empty name", get(": b"), "400 bad_field_name"),
  refused("21 a line without colon", get("A"), "400 bad_field_name"),
  refused("21 a line without colon, later", get("A: b", "Content-Length 5"), "400 bad_field_name"),
  refused("21 a colon alone", get(":"), "400 bad_field_name"),
  refused("21 two words as name", get("A b: c"), "400 bad_field_name"),
  refused("21 a name in latin1", get("\xc4: b"), "400 bad_field_name"),
  refused("21 a name in UTF-8", get("Na\xc3\xafve: b"), "400 bad_field_name"),
  refused("21 DEL in a name", get("A\x7f: b"), "400 bad_field_name"),
  ...NO_TOKENS.map((byte) => refused(`21 ${byte} in a name`, get(`A${byte}B: c`), "400 bad_field_name")),
  passed("21 every other byte of a token", get("!#$%&'*+-.^`|~09azAZ: b"), {
    start: "GET /",
    fields: { "!#$%&'*+-.^`|~09azaz": "b" },
  }),
  passed("22 the order of equal names is kept", get("X-A: 1", "x-b: 2", "x-A: 3", "X-a: 1"), {
    start: "GET /",
    fields: { "x-a": ["1", "3", "1"], "x-b": "2" },
  }),
  passed("22 two Cookie lines stay two", get("Cookie: a=b", "Cookie: c=d"), {
    start: "GET /",
    fields: { cookie: ["a=b", "c=d"] },
  }),
  passed("22 unknown fields pass", get("X-Unknown-9: 1, 2,,", "Range: bytes=0-", "If-None-Match: *"), {
    start: "GET /",
    fields: { "x-unknown-9": "1, 2,,", range: "bytes=0-", "if-none-match": "*" },
  }),
  passed("22 Authorization and Cookie pass", get("Authorization: Basic eDp5", "Cookie: a"), {
    start: "GET /",
    fields: { authorization: "Basic eDp5", cookie: "a" },
  }),
  passed("23 obs-text passes unchanged", get("A: \xe9\xff\x80\xc3\xa9"), {
    start: "GET /",
    fields: { a: "\xe9\xff\x80\xc3\xa9" },
  }),
  passed("23 bytes that fold to CRLF when cut to seven or eight bits", get("A: \x8d\x8a\xe5\x98\x8a"), {
    start: "GET /",
    fields: { a: "\x8d\x8a\xe5\x98\x8a" },
  }),
  ...[...SHADOWS, ...MORE_SHADOWS].map((line) => refused(`24 ${line}`, get(line), "400 shadow_field_name")),
  passed("24 other names with _", get("X_Own: 1", "_: 2"), {
    start: "GET /",
    fields: { x_own: "1", _: "2" },
  }),
  ...PROPERTIES.map((name) =>
    passed(`70 a field ${name}`, get(`${name}: a`, `${name}: b`), {
      start: "GET /",
      fields: { [name.toLowerCase()]: ["a", "b"] },
    }),
  ),
  passed("70 a cookie named like a property", get("Cookie: __proto__=a; constructor=b"), {
    start: "GET /",
    fields: { cookie: "__proto__=a; constructor=b" },
  }),
  passed("70 Connection names properties", get("Connection: __proto__, constructor", "__proto__: a"), {
    start: "GET /",
    fields: { ["__proto__"]: [] },
  }),
  passed("70 a Host named like a property", head("GET / HTTP/1.1", "Host: constructor"), { start: "GET /" }),
];
