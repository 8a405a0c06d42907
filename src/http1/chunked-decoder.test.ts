import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DEFAULT_HEAD_LIMITS } from "./limits.ts";
import { ChunkedDecoder } from "./chunked-decoder.ts";

interface Outcome {
  readonly data: string;
  readonly trailers: string;
  readonly code: string | undefined;
  readonly done: boolean;
  /** Bytes consumed; not compared for refusals. */
  readonly consumed: number;
}

/** Feeds `text` in pieces of the given sizes, over and over. */
function decode(
  text: string,
  sizes: readonly number[] = [text.length],
  decoder = new ChunkedDecoder(DEFAULT_HEAD_LIMITS, false),
): Outcome {
  const bytes = Buffer.from(text, "latin1");
  let data = "";
  const sink = {
    onChunkData(from: Buffer, start: number, end: number): void {
      expect(end).toBeGreaterThan(start);
      data += from.latin1Slice(start, end);
    },
  };
  let at = 0;
  for (let piece = 0; at < bytes.length && !decoder.done; piece++) {
    const end = Math.min(bytes.length, at + Math.max(1, sizes[piece % sizes.length] ?? 1));
    const after = decoder.feed(bytes, at, end, sink);
    if (after < 0) break;
    if (!decoder.done) expect(after).toBe(end);
    at = after;
  }
  const code = decoder.refusal?.code;
  return {
    data,
    trailers: decoder.trailers,
    code,
    done: decoder.done,
    consumed: code === undefined ? at : -1,
  };
}

const REFUSED: readonly (readonly [input: string, code: string])[] = [
  ...[
    "\r\n",
    "x\r\n",
    "0x5\r\n",
    "+5\r\n",
    "-5\r\n",
    " 5\r\n",
    "5 \r\n",
    "5\t;a\r\n",
    "5_0\r\n",
    "g\r\n",
    ";a\r\n",
  ].map((line) => [line, "bad_chunk_size"] as const),
  ["5\n", "bad_chunk_size"],
  ["5\rx", "bad_chunk_size"],
  ["20000000000000\r\n", "bad_chunk_size"],
  ["FFFFFFFFFFFFFFFF\r\n", "bad_chunk_size"],
  ["10000000000000005\r\n", "bad_chunk_size"],
  ["0".repeat(17), "bad_chunk_size"],
  ["5;\r\n", "bad_chunk_extension"],
  ["5; a\r\n", "bad_chunk_extension"],
  ["5;a \r\n", "bad_chunk_extension"],
  ["5;a=\r\n", "bad_chunk_extension"],
  ["5;a\n", "bad_chunk_extension"],
  ['5;a="\r\n', "bad_chunk_extension"],
  ['5;a="b"c\r\n', "bad_chunk_extension"],
  ['5;a="\\\n"\r\n', "bad_chunk_extension"],
  ["5;a\0\r\n", "bad_chunk_extension"],
  [`1;${"a".repeat(4096)}\r\nx\r\n`, "chunk_extensions_too_large"],
  [`1;${"a".repeat(50)}\r\nx\r\n`.repeat(100), "chunk_extensions_too_large"],
  ["1\r\nxyy", "bad_chunk_end"],
  ["1\r\nx\n", "bad_chunk_end"],
  ["1\r\nx\rx", "bad_chunk_end"],
  ["1\r\nx0\r\n\r\n", "bad_chunk_end"],
  ["0\r\n\n", "bad_line_end"],
  ["0\r\n\rx", "bad_line_end"],
  ["0\r\nA: b\n\r\n", "bad_line_end"],
  ["0\r\nA: b\rc\r\n\r\n", "bad_line_end"],
  ["0\r\nA: b\r\n\n", "bad_line_end"],
  ["0\r\nA : b\r\n\r\n", "bad_field_name"],
  ["0\r\nA: b\r\n c\r\n\r\n", "folded_line"],
  ["0\r\nA: \0\r\n\r\n", "bad_field_value"],
  ["0\r\nContent_Length: 5\r\n\r\n", "shadow_field_name"],
  [`0\r\n${"A: b\r\n".repeat(101)}\r\n`, "too_many_fields"],
  [`0\r\nA: ${"b".repeat(16 * 1024)}`, "trailers_too_large"],
];

const ACCEPTED: readonly (readonly [input: string, data: string, trailers: string])[] = [
  ["0\r\n\r\n", "", ""],
  ["5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", ""],
  ["A\r\n0123456789\r\na\r\n0123456789\r\n0000\r\n\r\n", "01234567890123456789", ""],
  ["0000000000000001\r\n\r\r\n0\r\n\r\n", "\r", ""],
  ['2;a;b=c;d="e f\\"\xe9;";g=""\r\n\r\n\r\n0;x\r\n\r\n', "\r\n", ""],
  ["0\r\nX-Sum:  abc \r\nContent-Length: 5\r\nETag: e\r\n\r\n", "", "X-Sum: abc\r\nETag: e\r\n"],
  [
    "0\r\nHost: a\r\nAUTHORIZATION: b\r\nX-Forwarded-For: c\r\nTransfer-Encoding: d\r\nConnection: x\r\n\r\n",
    "",
    "",
  ],
  ["0\r\n__proto__: a\r\n\r\n", "", "__proto__: a\r\n"],
];

describe("ChunkedDecoder", () => {
  it.each(REFUSED)("refuses %j: %s, also byte by byte", (input, code) => {
    const whole = decode(input);
    expect(whole.code).toBe(code);
    expect(decode(input, [1])).toEqual(whole);
  });

  it.each(ACCEPTED)("decodes %j, also byte by byte", (input, data, trailers) => {
    const expected = { data, trailers, code: undefined, done: true, consumed: input.length };
    expect(decode(input)).toEqual(expected);
    expect(decode(input, [1])).toEqual(expected);
    for (let end = 0; end < input.length; end++) {
      expect(decode(input.slice(0, end))).toMatchObject({ code: undefined, done: false });
    }
    expect(decode(`${input}0\r\n\r\n`).consumed).toBe(input.length);
  });

  it("removes white space before the colon of a trailer in responses only (RFC 9112 5.1)", () => {
    const body = "0\r\nA : b\r\n\r\n";
    const ofResponse = new ChunkedDecoder(DEFAULT_HEAD_LIMITS, true);
    expect(decode(body, [1], ofResponse)).toMatchObject({
      trailers: "A: b\r\n",
      code: undefined,
      done: true,
    });
    expect(decode(body)).toMatchObject({ code: "bad_field_name", done: false });
  });

  it("takes any chunk size up to 2^53 - 1", () => {
    expect(decode("1fffffffffffff\r\nabc")).toMatchObject({ data: "abc", code: undefined, done: false });
  });

  it("stays refused until it is reset, and is as new then", () => {
    const decoder = new ChunkedDecoder(DEFAULT_HEAD_LIMITS, false);
    expect(decode("0\r\nA: b\r\n\r\n", [100], decoder).trailers).toBe("A: b\r\n");
    decoder.reset();
    expect(decode("1;a\r\nxx", [100], decoder).code).toBe("bad_chunk_end");
    expect(decoder.feed(Buffer.from("0\r\n\r\n"), 0, 5, { onChunkData: () => undefined })).toBe(-1);
    decoder.reset();
    expect(decode("3\r\nabc\r\n0\r\nC: d\r\n\r\n", [2], decoder)).toMatchObject({
      data: "abc",
      trailers: "C: d\r\n",
    });
  });

  const piece = fc.constantFrom(
    "0",
    "1",
    "5",
    "a",
    "\r\n",
    "\r",
    "\n",
    ";",
    "=",
    '"',
    "\\",
    " ",
    "x",
    "hello",
    "A: b\r\n",
    "\0",
    "\xff",
  );

  it("gives the same at every split of any input", () => {
    const near = fc
      .tuple(fc.constantFrom(...ACCEPTED), fc.nat(40), fc.nat(3), piece)
      .map(([[text], at, drop, put]) => {
        const where = at % (text.length + 1);
        return text.slice(0, where) + put + text.slice(where + drop);
      });
    const input = fc.oneof(
      near,
      fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(
        input,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        (text, sizes) => {
          expect(decode(text, sizes)).toEqual(decode(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("gives back what was encoded", () => {
    const body = fc.array(fc.string({ minLength: 1, unit: "binary-ascii" }), { maxLength: 6 });
    fc.assert(
      fc.property(body, fc.integer({ min: 1, max: 20 }), (chunks, size) => {
        const encoded = `${chunks.map((data) => `${data.length.toString(16)}\r\n${data}\r\n`).join("")}0\r\n\r\n`;
        const decoded = decode(encoded, [size]);
        expect(decoded).toEqual({
          data: chunks.join(""),
          trailers: "",
          code: undefined,
          done: true,
          consumed: encoded.length,
        });
      }),
    );
  });
});
