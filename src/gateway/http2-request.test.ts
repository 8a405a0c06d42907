import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RequestHead } from "../http1/request-head.ts";
import { downgradedHead, downgradedTrailers } from "./http2-request.ts";

const GET = [":method", "GET", ":scheme", "https", ":authority", "shop.test", ":path", "/"] as const;

/** `fields` with those of GET where it has none of that name. */
function withGet(...fields: readonly string[]): string[] {
  const names = new Set(fields.filter((_, i) => i % 2 === 0));
  const own = GET.flatMap((name, i) => (i % 2 === 0 && !names.has(name) ? [name, GET[i + 1]!] : []));
  const pseudo = fields.flatMap((name, i) =>
    i % 2 === 0 && name.startsWith(":") ? [name, fields[i + 1]!] : [],
  );
  const rest = fields.flatMap((name, i) =>
    i % 2 === 0 && !name.startsWith(":") ? [name, fields[i + 1]!] : [],
  );
  return [...pseudo, ...own, ...rest];
}

function text(fields: readonly string[], ended = true): string {
  const made = downgradedHead(fields, ended, "KEY");
  if (made.kind === "refused") throw new Error(made.problem.message);
  return made.text;
}

function refusal(...fields: readonly string[]): string {
  const made = downgradedHead(fields, true, "KEY");
  return made.kind === "refused"
    ? `${made.problem.status} ${made.problem.message.split(". ")[1]}`
    : made.text;
}

describe("downgradedHead", () => {
  it("writes the head that says the same", () => {
    expect(text(withGet(":path", "/a?b", "x-a", "1", "cookie", "a=1", "x-b", "2", "cookie", "b=2"))).toBe(
      "GET /a?b HTTP/1.1\r\nhost: shop.test\r\nx-a: 1\r\nx-b: 2\r\ncookie: a=1; b=2\r\n\r\n",
    );
  });

  it("takes the host from Host where there is no :authority, and both if they agree", () => {
    const noAuthority = [":method", "GET", ":scheme", "http", ":path", "/", "host", "shop.test:8080"];
    expect(text(noAuthority)).toContain("\r\nhost: shop.test:8080\r\n");
    expect(text(withGet("host", "SHOP.test"))).toBe("GET / HTTP/1.1\r\nhost: shop.test\r\n\r\n");
  });

  it("frames a body that follows, and none that does not", () => {
    expect(text(withGet(":method", "POST"), false)).toContain("\r\ntransfer-encoding: chunked\r\n");
    expect(text(withGet(":method", "POST"), true)).toContain("\r\ncontent-length: 0\r\n");
    expect(text(withGet(":method", "POST", "content-length", "5"), false)).not.toContain("transfer-encoding");
    for (const method of ["GET", "HEAD", "DELETE"]) {
      expect(text(withGet(":method", method))).toBe(`${method} / HTTP/1.1\r\nhost: shop.test\r\n\r\n`);
    }
    expect(text(withGet(":method", "GET"), false)).toContain("\r\ntransfer-encoding: chunked\r\n");
  });

  it("makes the handshake of a WebSocket out of a CONNECT that names it", () => {
    const fields = withGet(":method", "CONNECT", ":protocol", "websocket", "sec-websocket-key", "theirs");
    expect(text(fields, false)).toBe(
      "GET / HTTP/1.1\r\nhost: shop.test\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: KEY\r\n\r\n",
    );
  });

  it.each([
    ["connection", "close"],
    ["keep-alive", "1"],
    ["proxy-connection", "x"],
    ["transfer-encoding", "chunked"],
    ["upgrade", "h2c"],
    ["http2-settings", "x"],
  ])("refuses %s, a field of connections", (name, value) => {
    expect(refusal(...withGet(name, value))).toBe(`400 ${name} is not a field of HTTP/2.`);
  });

  it.each([
    [withGet("X-A", "1"), "X-A is not a field name in lower case."],
    [withGet("x a", "1"), "x?a is not a field name in lower case."],
    [withGet("", "1"), " is not a field name in lower case."],
    [withGet("te", "gzip"), "te says something else than trailers."],
    [withGet("x-a", "1\r\nx-b: 2"), "The value of x-a holds a control character, or white space at an end."],
    [withGet("x-a", "1\nx-b: 2"), "The value of x-a holds a control character, or white space at an end."],
    [withGet("x-a", "1\0"), "The value of x-a holds a control character, or white space at an end."],
    [withGet("x-a", " 1"), "The value of x-a holds a control character, or white space at an end."],
    [
      withGet(":path", "/\r\nx: y"),
      "The value of :path holds a control character, or white space at an end.",
    ],
    [
      withGet(":authority", "a\r\nx: y"),
      "The value of :authority holds a control character, or white space at an end.",
    ],
    [
      withGet(":method", "GET\r\n"),
      "The value of :method holds a control character, or white space at an end.",
    ],
    [withGet(":method", "GET / HTTP/1.1"), ":method is missing or not a token."],
    [withGet(":path", "/ HTTP/1.1"), ":path must be there, begin with / and hold visible ASCII only."],
    [withGet(":path", ""), ":path must be there, begin with / and hold visible ASCII only."],
    [withGet(":path", "http://evil/"), ":path must be there, begin with / and hold visible ASCII only."],
    [withGet(":path", "*"), ":path is * with OPTIONS only."],
    [withGet(":scheme", "ftp"), ":scheme must be http or https."],
    [withGet(":authority", ""), "There is no :authority or host."],
    [withGet("host", "evil.test"), ":authority and host differ."],
    [withGet("host", "shop.test", "host", "shop.test"), "host is there twice."],
    [[...GET, ":path", "/"], ":path is there twice."],
    [[...GET.slice(0, 6), "x-a", "1", ":path", "/"], "Pseudo fields come first."],
    [[...GET.slice(0, 6), "cookie", "a=1", ":path", "/"], "Pseudo fields come first."],
    [[...GET.slice(0, 6), "host", "shop.test", ":path", "/"], "Pseudo fields come first."],
    [withGet(":status", "200"), ":status is no pseudo field of a request."],
    [withGet(":protocol", "websocket"), ":protocol belongs to CONNECT."],
    [GET.slice(2), ":method is missing or not a token."],
    [[...GET.slice(0, 2), ...GET.slice(4)], ":scheme must be http or https."],
    [[...GET.slice(0, 4), ...GET.slice(6)], "There is no :authority or host."],
    [GET.slice(0, 6), ":path must be there, begin with / and hold visible ASCII only."],
  ])("refuses %j", (fields, message) => {
    expect(refusal(...fields)).toBe(`400 ${message}`);
  });

  it("refuses CONNECT with 405, and other protocols than websocket with 501", () => {
    expect(refusal(":method", "CONNECT", ":authority", "shop.test:80")).toMatch(/^405 /);
    expect(refusal(...withGet(":method", "CONNECT", ":protocol", "connect-udp"))).toMatch(/^501 /);
  });

  it("whatever is in the fields, a parser of HTTP/1.1 finds one head with as many lines, or none", () => {
    const head = new RequestHead({ head: 64 * 1024, headers: 200 });
    const odd = fc.stringMatching(/^[\t\r\n\0 -~\x80-\xff]{0,12}$/);
    const name = fc.oneof(
      fc.constantFrom(":method", ":path", ":scheme", ":authority", ":protocol", "host", "te", "cookie"),
      fc.constantFrom("content-length", "transfer-encoding", "x-a", "expect", "connection", "via"),
      odd,
    );
    const value = fc.oneof(
      fc.constantFrom("GET", "POST", "CONNECT", "/", "*", "https", "shop.test", "1", "chunked", "websocket"),
      fc.constantFrom("a\r\nb: c", "\r\n\r\nGET / HTTP/1.1", "/ HTTP/1.1\r\nx: y", "trailers"),
      odd,
    );
    const more = fc.array(fc.tuple(name, value), { maxLength: 8 });
    fc.assert(
      fc.property(more, fc.boolean(), fc.boolean(), (pairs, ended, standard) => {
        const fields = standard ? withGet(...pairs.flat()) : pairs.flat();
        const made = downgradedHead(fields, ended, "KEY");
        if (made.kind === "refused") return made.problem.status >= 400;
        const bytes = Buffer.from(made.text, "latin1");
        const end = head.parse(bytes, 0, bytes.length);
        return end === -1 || (end === bytes.length && head.fields.count === made.lines);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe("downgradedTrailers", () => {
  it("writes lines, and refuses what could not be one", () => {
    expect(downgradedTrailers(["x-sum", "1", "x-b", ""])).toBe("x-sum: 1\r\nx-b: \r\n\r\n");
    expect(downgradedTrailers([])).toBe("\r\n");
    expect(downgradedTrailers([":path", "/"])).toBeUndefined();
    expect(downgradedTrailers(["x", "1\r\nGET / HTTP/1.1"])).toBeUndefined();
    expect(downgradedTrailers(["X", "1"])).toBeUndefined();
  });
});
