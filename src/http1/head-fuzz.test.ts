import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Field } from "./field.ts";
import { RequestHead } from "./request-head.ts";
import { ResponseHead } from "./response-head.ts";

const limits = { head: 300, headers: 8 };

const starts = [
  "GET / HTTP/1.1",
  "POST /a?b HTTP/1.1",
  "OPTIONS * HTTP/1.1",
  "OPTIONS http://b?c HTTP/1.1",
  "GET /a/../%2E/b/.c/..?d/../e HTTP/1.1",
  "GET http://b:80/x HTTP/1.1",
  "PUT / HTTP/1.0",
  "HTTP/1.1 200 OK",
  "HTTP/1.0 101 ",
  "HTTP/1.1 304",
];
const lines = [
  "Host: a",
  "Host: [::1]:8",
  "Content-Length: 5",
  "Transfer-Encoding: chunked",
  "Connection: close, X-A",
  "Connection: upgrade",
  "Upgrade: websocket",
  "X-A: b",
  "Date: x",
  "Expect: 100-continue",
  "TE: trailers",
  "Cookie: a=b; c=d",
  "X_B: c",
  "Via: 1.1 a",
  "Max-Forwards: 3",
];
const spice = fc.constantFrom(
  "",
  "\r",
  "\n",
  "\r\n",
  "\0",
  " ",
  "\t",
  ":",
  ",",
  "_",
  "#",
  "@",
  "\x7f",
  "\xe9",
  "1",
  "chunked",
  " b",
  "/..",
  "%2f",
  "\\",
);

const head = fc
  .tuple(
    fc.constantFrom("", "\r\n", "\r\n\r\n"),
    fc.constantFrom(...starts),
    fc.array(fc.constantFrom(...lines), { maxLength: 9 }),
  )
  .map(([before, start, fields]) => `${before}${[start, ...fields].join("\r\n")}\r\n\r\n`);
const mutations = fc.array(fc.tuple(fc.nat(), fc.nat(2), spice), { maxLength: 3 });
const mutated = fc.tuple(head, mutations).map(([text, changes]) => {
  let changed = text;
  for (const [at, drop, put] of changes) {
    const where = at % (changed.length + 1);
    changed = changed.slice(0, where) + put + changed.slice(where + drop);
  }
  return changed;
});

type Head = RequestHead | ResponseHead;

/** Everything a parse says, as plain data. */
function outcome(head: Head, bytes: Buffer, start: number, end: number): unknown {
  const after = head.parse(bytes, start, end);
  if (after <= 0) return { after, code: head.refusal?.code };
  const { fields, minor, contentLength, chunked, keepAlive, upgrade } = head;
  const table = Array.from({ length: fields.count }, (_, i) => [
    fields.kind[i],
    fields.bytes.latin1Slice(fields.nameStart[i]!, fields.nameEnd[i]!),
    fields.value(i),
  ]);
  const common = { after: after - start, table, minor, contentLength, chunked, keepAlive, upgrade };
  if (head instanceof ResponseHead) return { ...common, status: head.status, hasDate: head.hasDate };
  const { method, target, host, expectContinue, hasTeTrailers, hasVia, maxForwards } = head;
  return { ...common, method, target, host, expectContinue, hasTeTrailers, hasVia, maxForwards };
}

describe.each([
  ["RequestHead", () => new RequestHead(limits)],
  ["ResponseHead", () => new ResponseHead(limits)],
] as const)("%s on mutated heads", (_name, create) => {
  it("gives one verdict, at whatever split it can be seen", () => {
    const reused = create();
    fc.assert(
      fc.property(mutated, (text) => {
        const bytes = Buffer.from(text, "latin1");
        const whole = outcome(create(), bytes, 0, bytes.length);
        for (let end = 0; end <= bytes.length; end++) {
          const part = outcome(reused, bytes, 0, end) as { after: number };
          if (part.after !== 0) expect(part).toEqual(whole);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("reads nothing outside the range", () => {
    const reused = create();
    fc.assert(
      fc.property(mutated, fc.constantFrom("\r\n", "\n", "a", ":", "\0"), (text, around) => {
        const alone = Buffer.from(text, "latin1");
        const inside = Buffer.from(`${around}${text}${around}`, "latin1");
        expect(outcome(reused, inside, around.length, around.length + alone.length)).toEqual(
          outcome(create(), alone, 0, alone.length),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it("never throws on any bytes", () => {
    const reused = create();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(...starts), (noise, start) => {
        for (const text of [noise, [...Buffer.from(`${start}\r\n`), ...noise]]) {
          const bytes = Buffer.from(text);
          const after = reused.parse(bytes, 0, bytes.length);
          expect(after >= -1 && after <= bytes.length).toBe(true);
          expect(reused.refusal === undefined).toBe(after >= 0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("an accepted request head", () => {
  const framing: ReadonlySet<number | undefined> = new Set([
    Field.HOST,
    Field.CONTENT_LENGTH,
    Field.TRANSFER_ENCODING,
  ]);

  it("written anew in canonical form says the same", () => {
    const read = new RequestHead(limits);
    const again = new RequestHead({ head: 1000, headers: 12 });
    let seen = 0;
    fc.assert(
      fc.property(mutated, (text) => {
        const bytes = Buffer.from(text, "latin1");
        if (read.parse(bytes, 0, bytes.length) <= 0) return;
        seen++;
        let copy = `${read.method} ${read.target} HTTP/1.${read.minor}\r\n`;
        if (read.host !== "") copy += `Host: ${read.host}\r\n`;
        if (read.chunked) copy += "Transfer-Encoding: chunked\r\n";
        if (read.contentLength >= 0) copy += `Content-Length: ${read.contentLength}\r\n`;
        for (let i = 0; i < read.fields.count; i++) {
          if (framing.has(read.fields.kind[i])) continue;
          copy += bytes.latin1Slice(read.fields.nameStart[i]!, read.fields.lineEnd[i]!);
        }
        const emitted = Buffer.from(`${copy}\r\n`, "latin1");
        expect(again.parse(emitted, 0, emitted.length)).toBe(emitted.length);
        const { method, target, host, minor, contentLength, chunked, keepAlive, upgrade, expectContinue } =
          read;
        expect(again).toMatchObject({
          method,
          target,
          host,
          minor,
          contentLength,
          chunked,
          keepAlive,
          upgrade,
          expectContinue,
        });
      }),
      { numRuns: 5000 },
    );
    expect(seen).toBeGreaterThan(100);
  });
});
