import { describe, expect, it } from "vitest";

import { DEFAULT_HEAD_LIMITS } from "./limits.ts";
import { BodyKind, ResponseHead } from "./response-head.ts";

const head = new ResponseHead(DEFAULT_HEAD_LIMITS);

function parse(text: string): number {
  const bytes = Buffer.from(text, "latin1");
  return head.parse(bytes, 0, bytes.length);
}

function accepted(text: string): ResponseHead {
  expect(parse(text), `${JSON.stringify(text)}: ${head.refusal?.code}`).toBe(text.length);
  return head;
}

function verdict(text: string): string | undefined {
  const after = parse(text);
  if (after === -1) return head.refusal?.code;
  return after === 0 ? "incomplete" : "accepted";
}

const withFields = (...lines: string[]): string =>
  `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;

const REFUSED: readonly (readonly [input: string, code: string])[] = [
  ["\r\nHTTP/1.1 200 OK\r\n\r\n", "bad_status_line"],
  ["HTTP/1.1  200 OK\r\n\r\n", "bad_status_line"],
  ["HTTP/1.1\t200 OK\r\n\r\n", "bad_status_line"],
  ["HTTP/1.1 20 OK\r\n\r\n", "bad_status_line"],
  ["HTTP/1.1 2000 OK\r\n\r\n", "bad_status_line"],
  ["HTTP/1.1 099 OK\r\n\r\n", "bad_status_line"],
  ["HTTP/1.1 600 OK\r\n\r\n", "bad_status_line"],
  ["HTTP/1.1 200OK\r\n\r\n", "bad_status_line"],
  ["HTTP/1.1 +20 OK\r\n\r\n", "bad_status_line"],
  ["http/1.1 200 OK\r\n\r\n", "bad_status_line"],
  ["HTTP/1. 200 OK\r\n\r\n", "bad_status_line"],
  ["HTTP/2.0 200 OK\r\n\r\n", "version_not_supported"],
  ["ICY 200 OK\r\n\r\n", "bad_status_line"],
  ["<html>", "bad_status_line"],
  ["HTTP/1.1 200 O\0K\r\n\r\n", "bad_status_line"],
  ["HTTP/1.1 200 O\rK\r\n\r\n", "bad_line_end"],
  ["HTTP/1.1 200 OK\n\n", "bad_line_end"],
  ["HTTP/1.1 200\n\n", "bad_line_end"],
  [withFields("A b: c"), "bad_field_name"],
  [withFields("A "), "bad_field_name"],
  [withFields(" : b"), "folded_line"],
  [withFields("A: b", " c"), "folded_line"],
  [withFields("A: b\rc"), "bad_line_end"],
  [withFields("A: b\x01"), "bad_field_value"],
  [withFields("Content-Length: 5", "Content-Length: 5"), "two_lengths"],
  [withFields("Content-Length: 5, 5"), "bad_content_length"],
  [withFields("Content-Length: -1"), "bad_content_length"],
  [withFields("Content-Length: 5", "Transfer-Encoding: chunked"), "length_and_coding"],
  [withFields("Transfer-Encoding: gzip, chunked"), "unknown_transfer_coding"],
  [withFields("Transfer-Encoding: gzip"), "bad_transfer_encoding"],
  [withFields("Transfer-Encoding: chunked, identity"), "bad_transfer_encoding"],
  ["HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "coding_in_http_1_0"],
];

describe("ResponseHead", () => {
  it.each(REFUSED)("refuses %j: %s, at every split", (input, expected) => {
    expect(verdict(input)).toBe(expected);
    for (let end = 0; end < input.length; end++) {
      expect([expected, "incomplete"]).toContain(verdict(input.slice(0, end)));
    }
  });

  it.each([
    ["HTTP/1.1 200 OK\r\n\r\n", 200, "OK", 1],
    ["HTTP/1.1 200 \r\n\r\n", 200, "", 1],
    ["HTTP/1.1 200\r\n\r\n", 200, "", 1],
    ["HTTP/1.0 404 Not\tF\xf6und \r\n\r\n", 404, "Not\tF\xf6und ", 0],
    ["HTTP/1.7 599 x\r\n\r\n", 599, "x", 1],
  ])("reads the status line of %j", (text, status, reason, minor) => {
    const read = accepted(text);
    expect(read).toMatchObject({ status, minor });
    expect(read.fields.bytes.latin1Slice(read.reasonStart, read.reasonEnd)).toBe(reason);
  });

  it.each([
    ["GET", "200", ["Content-Length: 5"], BodyKind.LENGTH],
    ["GET", "200", ["Content-Length: 0"], BodyKind.NONE],
    ["GET", "200", ["Transfer-Encoding: chunked"], BodyKind.CHUNKED],
    ["GET", "200", [], BodyKind.UNTIL_CLOSE],
    ["HEAD", "200", ["Content-Length: 5"], BodyKind.NONE],
    ["HEAD", "200", ["Transfer-Encoding: chunked"], BodyKind.NONE],
    ["GET", "204", ["Content-Length: 5"], BodyKind.NONE],
    ["GET", "304", ["Transfer-Encoding: chunked"], BodyKind.NONE],
    ["GET", "103", [], BodyKind.NONE],
    ["GET", "101", [], BodyKind.NONE],
    ["GET", "205", [], BodyKind.UNTIL_CLOSE],
  ])("frames the body: %s, %s, %j", (method, status, lines, kind) => {
    const text = `HTTP/1.1 ${status} x\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
    expect(accepted(text).bodyKind(method)).toBe(kind);
  });

  it("removes white space before a colon, and moves nothing else (RFC 9112 5.1)", () => {
    const text = withFields("Content-Length \t: 5", "A :b", "C: d : e");
    for (let split = 0; split <= text.length; split++) {
      const bytes = Buffer.from(text, "latin1");
      head.parse(bytes, 0, split);
      expect(head.parse(bytes, 0, bytes.length)).toBe(bytes.length);
      expect(head.contentLength).toBe(5);
      expect([head.fields.get("a"), head.fields.get("c")]).toEqual(["b", "d : e"]);
      expect(bytes.toString("latin1")).toBe(withFields("Content-Length:\t  5", "A: b", "C: d : e"));
    }
  });

  it("keeps the connection as the server says", () => {
    expect(accepted(withFields()).keepAlive).toBe(true);
    expect(accepted(withFields("Connection: Close")).keepAlive).toBe(false);
    expect(accepted("HTTP/1.0 200 OK\r\n\r\n").keepAlive).toBe(false);
    expect(accepted("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n").keepAlive).toBe(true);
  });

  it("switches only by a whole 101", () => {
    const lines = "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    expect(accepted(`HTTP/1.1 101 Switching Protocols\r\n${lines}`).upgrade).toBe("websocket");
    expect(accepted(`HTTP/1.1 200 OK\r\n${lines}`).upgrade).toBe("");
    expect(accepted("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n").upgrade).toBe("");
    expect(accepted("HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n").upgrade).toBe("");
  });

  it("knows whether a Date will be passed on", () => {
    expect(accepted(withFields("Date: x")).hasDate).toBe(true);
    expect(accepted(withFields("Date: x", "Connection: date")).hasDate).toBe(false);
    expect(accepted(withFields()).hasDate).toBe(false);
  });

  it("keeps to the limits", () => {
    const text = withFields("A: b");
    const bytes = Buffer.from(text);
    const outcome = (limits: { head: number; headers: number }, end = bytes.length): string | number => {
      const limited = new ResponseHead(limits);
      const after = limited.parse(bytes, 0, end);
      return limited.refusal?.code ?? after;
    };
    expect(outcome({ head: text.length, headers: 1 })).toBe(text.length);
    expect(outcome({ head: text.length, headers: 0 })).toBe("too_many_fields");
    for (let limit = 1; limit < text.length; limit++) {
      expect(outcome({ head: limit, headers: 1 })).toBe("head_too_large");
      expect(outcome({ head: limit, headers: 1 }, limit)).toBe("head_too_large");
      expect(outcome({ head: limit, headers: 1 }, limit - 1)).toBe(0);
    }
  });
});
