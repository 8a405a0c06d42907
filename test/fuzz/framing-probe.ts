import { BodyKind } from "../../src/http1/body-kind.ts";
import type { FieldTable } from "../../src/http1/field-table.ts";
import type { Llhttp } from "./llhttp.ts";

const PROBE = Buffer.from("0\r\n\r\nGET / HTTP/1.1\r\n\r\n");
const CHUNKS = Buffer.from("1\r\nA\r\n0\r\n\r\n");

/** How a message is framed, as we read it. */
export interface Framing {
  readonly bodyKind: BodyKind;
  readonly contentLength: number;
}

/**
 * Gives llhttp the head bytes[start,after) and then a body of that framing: does the head end there and not before,
 * does the body, is it one message? Answers "" or where llhttp sees it otherwise. `llhttp` must have begun.
 */
export function framingDifference(
  llhttp: Llhttp,
  bytes: Buffer,
  start: number,
  after: number,
  { bodyKind, contentLength }: Framing,
): string {
  let refused = llhttp.feed(bytes, start, after - 1);
  if (refused !== "") return `llhttp refuses: ${refused}`;
  if (llhttp.heads > 0) return "llhttp ends the head earlier";
  refused = llhttp.feed(bytes, after - 1, after);
  if (refused !== "") return `llhttp refuses: ${refused}`;
  if (llhttp.heads !== 1) return "llhttp ends the head later";
  const difference = bodyDifference(llhttp, bodyKind, contentLength);
  refused = llhttp.feed(bytes, after, after);
  if (refused !== "") return `llhttp refuses the body: ${refused}`;
  return difference === "" && llhttp.begun !== 1 ? "llhttp sees more than one message" : difference;
}

function bodyDifference(llhttp: Llhttp, bodyKind: BodyKind, contentLength: number): string {
  if (bodyKind === BodyKind.NONE) return llhttp.messages === 1 ? "" : "llhttp expects a body";
  if (llhttp.messages > 0) return "llhttp expects no body";
  switch (bodyKind) {
    case BodyKind.LENGTH: {
      // A body longer than the probe must at least go on; its length is compared with the field's text.
      const known = Math.min(contentLength, PROBE.length);
      llhttp.feed(PROBE, 0, known - 1);
      if (llhttp.messages > 0) return "llhttp ends the body earlier";
      llhttp.feed(PROBE, known - 1, known);
      const ended = llhttp.messages === 1;
      return llhttp.bodyLength === known && ended === (known === contentLength)
        ? ""
        : "llhttp ends the body elsewhere";
    }
    case BodyKind.CHUNKED:
      llhttp.feed(CHUNKS, 0, CHUNKS.length);
      return llhttp.messages === 1 && llhttp.bodyLength === 1 ? "" : "llhttp sees no chunks";
    case BodyKind.UNTIL_CLOSE:
      llhttp.feed(PROBE, 0, PROBE.length);
      return llhttp.messages === 0 && llhttp.bodyLength === PROBE.length
        ? ""
        : "llhttp ends the body before the close";
  }
}

/** Do both see the same fields, name by name, byte by byte? Answers "" or how they differ. */
export function fieldDifference(llhttp: Llhttp, fields: FieldTable, contentLength: number): string {
  const theirs = llhttp.fields;
  if (theirs.length !== fields.count * 2) return "llhttp sees another number of fields";
  const { bytes } = fields;
  for (let i = 0; i < fields.count; i++) {
    const name = theirs[i * 2]!;
    const value = theirs[i * 2 + 1]!;
    if (bytes.latin1Slice(fields.nameStart[i]!, fields.nameEnd[i]!) !== name)
      return "llhttp sees another field name";
    if (bytes.latin1Slice(fields.valueStart[i]!, fields.valueEnd[i]!) !== value)
      return "llhttp sees another value";
    if (name.length === 14 && contentLength >= 0 && name.toLowerCase() === "content-length") {
      if (!/^\d+$/.test(value) || BigInt(value) !== BigInt(contentLength))
        return "the length is another number";
    }
  }
  return "";
}

/** Name, value, name, value, as llhttp gives them. */
export function pairsOf(fields: FieldTable): readonly string[] {
  const pairs: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    pairs.push(fields.bytes.latin1Slice(fields.nameStart[i]!, fields.nameEnd[i]!), fields.value(i));
  }
  return pairs;
}
