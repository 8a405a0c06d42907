import { describe, expect, it } from "vitest";

import { Field } from "./field.ts";
import { DEFAULT_HEAD_LIMITS } from "./limits.ts";
import { RequestHead } from "./request-head.ts";

const head = new RequestHead(DEFAULT_HEAD_LIMITS);

function parse(text: string, into: RequestHead = head): number {
  const bytes = Buffer.from(text, "latin1");
  return into.parse(bytes, 0, bytes.length);
}

/** Parses a head that must be accepted whole. */
function accepted(text: string): RequestHead {
  expect(parse(text), `${JSON.stringify(text)}: ${head.refusal?.code}`).toBe(text.length);
  return head;
}

/** The code with which a head is refused; "incomplete" or "accepted" otherwise. */
function verdict(text: string, into: RequestHead = head): string {
  const after = parse(text, into);
  if (after === -1) return `${into.refusal?.status} ${into.refusal?.code}`;
  return after === 0 ? "incomplete" : "accepted";
}

const withFields = (...lines: string[]): string =>
  `POST / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;

const REFUSED: readonly (readonly [input: string, verdict: string])[] = [
  // start line
  ["GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_request_line"],
  ["GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_version"],
  ["GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400 bad_version"],
  ["GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_request_line"],
  [" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_request_line"],
  ["GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_version"],
  ["GET / http/1.1\r\nHost: a\r\n\r\n", "400 bad_version"],
  ["GET / HTTP/1.10\r\nHost: a\r\n\r\n", "400 bad_version"],
  ["GET / HTTP/11\r\nHost: a\r\n\r\n", "400 bad_version"],
  ["GET / HTTP/1,1\r\nHost: a\r\n\r\n", "400 bad_version"],
  ["GET / HTTP/0.9\r\n\r\n", "505 version_not_supported"],
  ["GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505 version_not_supported"],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 version_not_supported"],
  ["GET /\r\n\r\n", "400 bad_target"],
  ["GET / HTTP/1.1\nHost: a\n\n", "400 bad_line_end"],
  ["GET / HTTP/1.1\rX\nHost: a\r\n\r\n", "400 bad_line_end"],
  ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "400 bad_request_line"],
  ["\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_request_line"],
  ["\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_line_end"],
  [`${"\r\n".repeat(5)}GET / HTTP/1.1\r\nHost: a\r\n\r\n`, "400 too_many_empty_lines"],
  ["get / HTTP/1.1\r\nHost: a\r\n\r\n", "501 unknown_method"],
  ["BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501 unknown_method"],
  ["A".repeat(33), "501 unknown_method"],
  ["TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "405 method_not_allowed"],
  ["CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "405 method_not_allowed"],
  // target
  ["GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET index.html HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET \\\\a HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET http:///path HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  ["GET http://a:65536/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 bad_target"],
  // host
  ["GET / HTTP/1.1\r\n\r\n", "400 missing_host"],
  ["GET http://a/ HTTP/1.1\r\n\r\n", "400 missing_host"],
  ["GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400 two_hosts"],
  ["GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", "400 two_hosts"],
  ...[
    "",
    ":80",
    "a b",
    "a/b",
    "u@a",
    "a:b",
    "a:1:2",
    "a:-1",
    "a:65536",
    "[::1",
    "::1",
    "[::g]",
    "[]",
    "[v1.a]",
  ].map((host) => [`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, "400 bad_host"] as const),
  ...["[fe80::1%25eth0]", "[::1]a", "a%", "a%4", "a%zz", "a,\x80", "a?b", "a#b", "a\\b", '"a"'].map(
    (host) => [`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, "400 bad_host"] as const,
  ),
  ["GET http://a/ HTTP/1.1\r\nHost: b c\r\n\r\n", "400 bad_host"],
  // field lines
  ["GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400 folded_line"],
  [withFields("A: b", " c"), "400 folded_line"],
  [withFields("A: b", "\tc"), "400 folded_line"],
  [withFields("A : b"), "400 bad_field_name"],
  [withFields("A\t: b"), "400 bad_field_name"],
  [withFields(": b"), "400 bad_field_name"],
  [withFields("A"), "400 bad_field_name"],
  [withFields("A(b): c"), "400 bad_field_name"],
  [withFields("A\x80: c"), "400 bad_field_name"],
  [withFields("A\0: c"), "400 bad_field_name"],
  [withFields("Content\rLength: 1"), "400 bad_field_name"],
  [withFields("A: \0"), "400 bad_field_value"],
  [withFields("A: b\x0bc"), "400 bad_field_value"],
  [withFields("A: b\x7fc"), "400 bad_field_value"],
  [withFields("A: b\rc"), "400 bad_line_end"],
  [withFields("A: b\nc: d"), "400 bad_line_end"],
  ["GET / HTTP/1.1\r\nHost: a\r\n\rX", "400 bad_line_end"],
  ["GET / HTTP/1.1\r\nHost: a\r\n\n", "400 bad_line_end"],
  ...["Content_Length: 5", "Transfer_Encoding: chunked", "X_Forwarded-For: 1.2.3.4", "x_request_id: a"].map(
    (line) => [withFields(line), "400 shadow_field_name"] as const,
  ),
  // framing
  ...["", "+5", "-5", "0x5", "5 5", "5, 5", "5,6", "5_0", "5.0", "1e1", "\x35\x80"].map(
    (value) => [withFields(`Content-Length: ${value}`), "400 bad_content_length"] as const,
  ),
  [withFields("Content-Length: 9007199254740992"), "413 content_length_too_large"],
  [withFields("Content-Length: 18446744073709551621"), "413 content_length_too_large"],
  [withFields(`Content-Length: ${"9".repeat(400)}`), "413 content_length_too_large"],
  [withFields("Content-Length: 5", "Content-Length: 5"), "400 two_lengths"],
  [withFields("Content-Length: 5", "content-length: 6"), "400 two_lengths"],
  [withFields("Content-Length: 5", "Transfer-Encoding: chunked"), "400 length_and_coding"],
  [withFields("Transfer-Encoding: chunked", "Content-Length: 0"), "400 length_and_coding"],
  ...[
    "",
    "xchunked",
    "chunked;a",
    "chunked, gzip",
    "gzip",
    "identity",
    "chunked,",
    "chunked, chunked",
    '"chunked"',
  ].map((value) => [withFields(`Transfer-Encoding: ${value}`), "400 bad_transfer_encoding"] as const),
  [withFields("Transfer-Encoding: \x0bchunked"), "400 bad_field_value"],
  [withFields("Transfer-Encoding: gzip, chunked"), "501 unknown_transfer_coding"],
  [withFields("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), "400 bad_transfer_encoding"],
  [withFields("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), "400 bad_transfer_encoding"],
  ["POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400 coding_in_http_1_0"],
  // path
  ...[
    "/\\",
    "/%",
    "/%zz",
    "/a%00",
    "/..",
    "/a/../..",
    "/..;x/",
    "/a%2f..",
    "http://a/%4",
    "http://a/../",
  ].map((target) => [`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`, "400 bad_path"] as const),
  // others
  ...["", "-1", "1, 2", "0x1"].map(
    (value) =>
      [`OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: ${value}\r\n\r\n`, "400 bad_max_forwards"] as const,
  ),
  ["OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n", "400 bad_max_forwards"],
  [withFields("Expect: 200-ok"), "417 expectation_failed"],
  [withFields("Connection: a b"), "400 bad_connection"],
  [withFields('Connection: "close"'), "400 bad_connection"],
  [withFields(`Connection: ${"a,".repeat(65)}`), "400 bad_connection"],
];

describe("RequestHead refuses", () => {
  it.each(REFUSED)("%j: %s", (input, expected) => {
    expect(verdict(input)).toBe(expected);
  });

  it.each(REFUSED)("%j at every split, and whatever follows", (input, expected) => {
    for (let end = 0; end < input.length; end++) {
      expect([expected, "incomplete"]).toContain(verdict(input.slice(0, end)));
    }
    expect(verdict(`${input}GET / HTTP/1.1\r\nHost: a\r\n\r\n`)).toBe(expected);
  });
});

describe("RequestHead reads", () => {
  it("method, target, host and version", () => {
    expect(accepted("GET /a/b?c=d|e HTTP/1.1\r\nHost: a.example:8080\r\n\r\n")).toMatchObject({
      method: "GET",
      target: "/a/b?c=d|e",
      host: "a.example:8080",
      minor: 1,
      contentLength: -1,
      chunked: false,
      keepAlive: true,
      expectContinue: false,
      upgrade: "",
    });
    expect(accepted("PURGE /x HTTP/1.9\r\nhOST:\t [::1]:80 \t\r\n\r\n")).toMatchObject({
      method: "PURGE",
      host: "[::1]:80",
      minor: 1,
    });
    expect(accepted("GET / HTTP/1.0\r\n\r\n")).toMatchObject({ host: "", minor: 0, keepAlive: false });
    expect(accepted("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").target).toBe("*");
    expect(accepted("GET / HTTP/1.1\r\nHost: a_b-c.d%41!:\r\n\r\n").host).toBe("a_b-c.d%41!:");
  });

  it.each([
    ["http://b:81/p?q", "GET", "/p?q", "b:81"],
    ["HTTPS://B/", "GET", "/", "B"],
    ["http://b", "GET", "/", "b"],
    ["http://b?q=/", "GET", "/?q=/", "b"],
    ["http://[::1]:8/x", "GET", "/x", "[::1]:8"],
    ["http://b", "OPTIONS", "*", "b"],
    ["http://b/", "OPTIONS", "/", "b"],
  ])("the absolute-form target %s: its authority outranks Host", (sent, method, target, host) => {
    const read = accepted(`${method} ${sent} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(read).toMatchObject({ target, host });
    expect(read.fields.bytes.latin1Slice(read.hostStart, read.hostEnd)).toBe(host);
  });

  it("up to 4 empty lines before the request line", () => {
    expect(accepted("\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").method).toBe("GET");
    expect(verdict("\r\n\r\n")).toBe("incomplete");
    expect(verdict("\r")).toBe("incomplete");
  });

  it("the head alone: what follows is the caller's, what lies outside is not read", () => {
    const text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const bytes = Buffer.from(`\n\n${text}garbage`, "latin1");
    expect(head.parse(bytes, 2, bytes.length)).toBe(2 + text.length);
    expect(head.parse(bytes, 2, 2 + text.length)).toBe(2 + text.length);
    expect(head.parse(bytes, 2, 1 + text.length)).toBe(0);
  });

  it("body framing", () => {
    expect(accepted(withFields("Content-Length: 9007199254740991")).contentLength).toBe(
      Number.MAX_SAFE_INTEGER,
    );
    expect(accepted(withFields("Content-Length: 0007")).contentLength).toBe(7);
    expect(accepted(withFields("Transfer-Encoding: CHUNKED"))).toMatchObject({
      chunked: true,
      contentLength: -1,
    });
    expect(accepted(withFields())).toMatchObject({ chunked: false, contentLength: -1 });
  });

  it.each([
    ["HTTP/1.1", [], true],
    ["HTTP/1.1", ["Connection: close"], false],
    ["HTTP/1.1", ["Connection: keep-alive, CLOSE"], false],
    ["HTTP/1.1", ["Connection: keep-alive", "Connection: ,, close ,"], false],
    ["HTTP/1.1", ["Connection: closed"], true],
    ["HTTP/1.0", [], false],
    ["HTTP/1.0", ["Connection: Keep-Alive"], true],
    ["HTTP/1.0", ["Connection: keep-alive, close"], false],
  ])("persistence of %s with %j: %s", (version, lines, keepAlive) => {
    const text = `GET / ${version}\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
    expect(accepted(text).keepAlive).toBe(keepAlive);
  });

  it("Expect only where a body is awaited", () => {
    expect(accepted(withFields("Expect: 100-Continue", "Content-Length: 1")).expectContinue).toBe(true);
    expect(accepted(withFields("Expect: 100-continue", "Transfer-Encoding: chunked")).expectContinue).toBe(
      true,
    );
    expect(accepted(withFields("Expect: 100-continue")).expectContinue).toBe(false);
    expect(accepted("POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\n").expectContinue).toBe(false);
  });

  it("TE: trailers", () => {
    expect(accepted(withFields("TE: gzip, Trailers")).hasTeTrailers).toBe(true);
    expect(accepted(withFields("TE: trailersx")).hasTeTrailers).toBe(false);
  });

  it.each([
    ["GET", "1.1", ["Upgrade: WebSocket", "Connection: keep-alive, Upgrade"], "websocket"],
    ["GET", "1.1", ["Upgrade: websocket"], ""],
    ["GET", "1.1", ["Connection: upgrade"], ""],
    ["GET", "1.1", ["Upgrade: h2c", "Connection: upgrade"], ""],
    ["GET", "1.1", ["Upgrade: websocket, h2c", "Connection: upgrade"], ""],
    ["GET", "1.1", ["Upgrade: h2c", "Upgrade: websocket", "Connection: upgrade"], ""],
    ["GET", "1.0", ["Upgrade: websocket", "Connection: upgrade"], ""],
    ["POST", "1.1", ["Upgrade: websocket", "Connection: upgrade"], ""],
    ["GET", "1.1", ["Upgrade: websocket", "Connection: upgrade", "Content-Length: 1"], ""],
    ["GET", "1.1", ["Upgrade: TLS/1.0", "Connection: upgrade"], "tls/1.0"],
    ["GET", "1.1", ["Upgrade: web socket", "Connection: upgrade"], ""],
    ["GET", "1.1", ["Upgrade: a/b/c", "Connection: upgrade"], ""],
    ["GET", "1.1", ["Upgrade:", "Connection: upgrade"], ""],
  ])("%s HTTP/%s with %j as an upgrade: %s", (method, version, lines, upgrade) => {
    const text = `${method} / HTTP/${version}\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
    expect(accepted(text).upgrade).toBe(upgrade);
  });

  it.each([
    ["/a/../b?c/../d", "/b?c/../d"],
    ["/a/%2e%2E/b", "/b"],
    ["/.", "/"],
    ["/a.b?%zz", "/a.b?%zz"],
    ["/?..\\", "/?..\\"],
    ["http://a/b/../c?d", "/c?d"],
    ["http://a.b?../c", "/?../c"],
    ["http://a.b", "/"],
  ])("the path of %s by the path policy: %s", (target, expected) => {
    expect(accepted(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).target).toBe(expected);
  });

  it("Max-Forwards of OPTIONS alone", () => {
    const text = (method: string, ...lines: string[]): string => withFields(...lines).replace("POST", method);
    expect(accepted(text("OPTIONS")).maxForwards).toBe(-1);
    expect(accepted(text("OPTIONS", "Max-Forwards: 07")).maxForwards).toBe(7);
    expect(accepted(text("OPTIONS", `Max-Forwards: ${"9".repeat(30)}`)).maxForwards).toBe(2 ** 53 - 1);
    expect(accepted(text("GET", "Max-Forwards: x")).maxForwards).toBe(-1);
  });

  it("nothing of one request into the next", () => {
    accepted("OPTIONS /a/../b HTTP/1.1\r\nHost: a\r\nVia: 1.1 a\r\nMax-Forwards: 3\r\n\r\n");
    accepted(withFields("Content-Length: 5", "Expect: 100-continue", "TE: trailers", "Connection: close"));
    accepted("GET http://abs/ HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(accepted("GET /x HTTP/1.0\r\n\r\n")).toMatchObject({
      target: "/x",
      host: "",
      hostStart: 0,
      hostEnd: 0,
      contentLength: -1,
      expectContinue: false,
      hasTeTrailers: false,
    });
    expect(accepted("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")).toMatchObject({ host: "a", keepAlive: true });
  });
});

/** The kind of the first field of exactly that name in the last head. */
function kindOf(name: string): number | undefined {
  const { bytes, count, nameStart, nameEnd, kind } = head.fields;
  for (let i = 0; i < count; i++) {
    if (bytes.latin1Slice(nameStart[i]!, nameEnd[i]!) === name) return kind[i];
  }
  return undefined;
}

describe("Connection nominates", () => {
  it("every field of that name, before and after it", () => {
    accepted(withFields("X-A: 1", "Connection: x-a, X-B, x-c", "x-a: 2", "X-b: 3"));
    expect([...head.fields.kind.subarray(0, head.fields.count)]).toEqual([
      Field.HOST,
      Field.NOMINATED,
      Field.CONNECTION,
      Field.NOMINATED,
      Field.NOMINATED,
    ]);
  });

  it.each([
    ["Authorization", Field.AUTHORIZATION],
    ["Cookie", Field.COOKIE],
    ["Via", Field.VIA],
    ["X-Forwarded-For", Field.X_FORWARDED_FOR],
    ["X-Forwarded-Proto", Field.X_FORWARDED_PROTO],
    ["X-Forwarded-Host", Field.X_FORWARDED_HOST],
    ["X-Request-Id", Field.X_REQUEST_ID],
    ["Content-Length", Field.CONTENT_LENGTH],
  ])("but never %s", (name, kind) => {
    accepted(withFields(`Connection: ${name}, host`, `${name}: 1`));
    expect(kindOf(name)).toBe(kind);
    expect(kindOf("Host")).toBe(Field.HOST);
  });
});

describe("RequestHead limits", () => {
  const text = "GET /abc HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";

  it("takes a head of exactly the limits, and none beyond", () => {
    expect(verdict(text, new RequestHead({ head: text.length, headers: 2 }))).toBe("accepted");
    expect(verdict(text, new RequestHead({ head: text.length - 1, headers: 2 }))).toBe("431 head_too_large");
    expect(verdict(text, new RequestHead({ head: text.length, headers: 1 }))).toBe("431 too_many_fields");
    expect(verdict(text, new RequestHead({ head: 10, headers: 2 }))).toBe("414 target_too_long");
  });

  it("refuses an unfinished head as soon as it cannot fit, with the same verdict at every split", () => {
    for (let limit = 1; limit <= text.length; limit++) {
      const limited = new RequestHead({ head: limit, headers: 2 });
      const whole = verdict(text, limited);
      for (let end = 0; end < text.length; end++) {
        expect(verdict(text.slice(0, end), limited)).toBe(end >= limit ? whole : "incomplete");
      }
    }
  });

  it("does not count the empty lines before the request line", () => {
    expect(verdict(`\r\n\r\n${text}`, new RequestHead({ head: text.length, headers: 2 }))).toBe("accepted");
  });

  it("takes a request line of 8000 bytes by default", () => {
    expect(verdict(`GET /${"a".repeat(8000)} HTTP/1.1\r\nHost: a\r\n\r\n`)).toBe("accepted");
    expect(verdict(`GET /${"a".repeat(17_000)}`)).toBe("414 target_too_long");
  });
});
