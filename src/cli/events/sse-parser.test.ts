import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type SentEvent, SseParser } from "./sse-parser.ts";

function read(text: string): { events: readonly SentEvent[]; lastEventId: string | undefined } {
  const parser = new SseParser();
  const events = parser.push(text);
  return { events, lastEventId: parser.lastEventId };
}

it("takes events apart", () => {
  expect(read('retry: 2000\n\nid: a-1\n\nid: a-2\nevent: app\ndata: {"app":"shop"}\n\nid: a-3\n\n')).toEqual({
    events: [{ type: "app", data: '{"app":"shop"}', id: "a-2" }],
    lastEventId: "a-3",
  });
});

it.each([
  ["several lines of data", "data: a\ndata:\ndata: b\n\n", [{ type: "message", data: "a\n\nb" }]],
  ["one blank after the colon and no more", "data:  a:b\n\n", [{ type: "message", data: " a:b" }]],
  ["comments and fields that nobody knows", ":x\nfoo: bar\ndata\n\n", [{ type: "message", data: "" }]],
  ["every kind of line end", "event: e\r\ndata: a\rdata: b\n\r\n", [{ type: "e", data: "a\nb" }]],
  ["a type of the event before", "event: e\n\ndata: a\n\n", [{ type: "message", data: "a" }]],
  ["an event that is not whole", "data: a\n", []],
])("knows %s", (_, text, expected) => {
  expect(read(text).events.map(({ type, data }) => ({ type, data }))).toEqual(expected);
});

it("keeps an id until there is another one, and takes none with NUL", () => {
  expect(read("id: 1\ndata: a\n\ndata: b\n\nid: \0\ndata: c\n\nid\ndata: d\n\n").events).toEqual([
    { type: "message", data: "a", id: "1" },
    { type: "message", data: "b", id: "1" },
    { type: "message", data: "c", id: "1" },
    { type: "message", data: "d", id: "" },
  ]);
});

it("reads the same however it comes", () => {
  const text = fc
    .array(
      fc.tuple(
        fc.constantFrom("data: a", "data", "id: 7", "event: e", ": x", ""),
        fc.constantFrom("\n", "\r\n", "\r"),
      ),
    )
    .map((lines) => lines.flat().join(""));
  fc.assert(
    fc.property(text, fc.array(fc.nat(50)), (whole, cuts) => {
      const places = [...new Set(cuts.filter((cut) => cut < whole.length))].sort((a, b) => a - b);
      const pieces = [...places, whole.length].map((end, index) => whole.slice(places[index - 1] ?? 0, end));
      const parser = new SseParser();
      const events = pieces.flatMap((piece) => parser.push(piece));
      const atOnce = new SseParser();
      const expected = atOnce.push(whole);
      // A carriage return at the end may be half of a line end: then it is not over yet.
      expect([...events, ...parser.push("\n")]).toEqual([...expected, ...atOnce.push("\n")]);
      expect(parser.lastEventId).toBe(atOnce.lastEventId);
    }),
  );
});
