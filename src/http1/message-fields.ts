import { COMMA, HTAB, NINE, SP, TOKEN, ZERO, equalsIgnoringCase } from "./byte-class.ts";
import type { FieldTable } from "./field-table.ts";
import { Field } from "./field.ts";
import * as refuse from "./refusal.ts";
import type { Refusal } from "./refusal.ts";

/** Bounds the work of looking every named field up; real messages name two or three. */
const MOST_CONNECTION_OPTIONS = 64;

/**
 * What the fields common to requests and responses say about framing and the connection.
 *
 * Framing is where intermediaries are attacked: two parties that disagree about where a message ends are
 * two messages to one and one to the other (request smuggling). So nothing here is repaired by guess:
 * one Content-Length in digits, or Transfer-Encoding: chunked, or neither; RFC 9112 6.1 and 6.3.
 */
export class MessageFields {
  /** Bytes of the body as declared; -1 when not declared. */
  contentLength = -1;
  chunked = false;
  /** Options of the Connection field. */
  close = false;
  keepAlive = false;
  connectionUpgrade = false;
  /** What the one Upgrade field asks for, in lower case; "" when it asks for several things, or is not the only one. */
  upgradeTo = "";

  private options = 0;
  private upgrades = 0;

  /** Interprets the lines of `table` for a message of that minor version, and marks the nominated ones. */
  read(table: FieldTable, minor: number): Refusal | undefined {
    this.contentLength = -1;
    this.chunked = false;
    this.close = false;
    this.keepAlive = false;
    this.connectionUpgrade = false;
    this.upgradeTo = "";
    this.options = 0;
    this.upgrades = 0;

    let refusal: Refusal | undefined;
    for (let i = 0; i < table.count; i++) {
      switch (table.kind[i]!) {
        case Field.CONTENT_LENGTH:
          refusal = this.readContentLength(table, i);
          break;
        case Field.TRANSFER_ENCODING:
          refusal = this.readTransferEncoding(table, i);
          break;
        case Field.CONNECTION:
          refusal = this.readConnection(table, table.valueStart[i]!, table.valueEnd[i]!);
          break;
        case Field.UPGRADE:
          this.upgrades++;
          this.upgradeTo = this.upgrades === 1 ? protocolIn(table, i) : "";
          break;
      }
      if (refusal !== undefined) return refusal;
    }
    if (this.chunked && this.contentLength >= 0) return refuse.LENGTH_AND_CODING;
    if (this.chunked && minor === 0) return refuse.CODING_IN_HTTP_1_0;
    return undefined;
  }

  /** Whether the sender will keep the connection open: the default since HTTP/1.1 (RFC 9112 9.3). */
  persists(minor: number): boolean {
    return !this.close && (minor === 1 || this.keepAlive);
  }

  /** `1*DIGIT` once. Even an equal repetition is refused: whoever sends one does not know its own framing. */
  private readContentLength(table: FieldTable, index: number): Refusal | undefined {
    if (this.contentLength >= 0) return refuse.TWO_LENGTHS;
    const { bytes } = table;
    const end = table.valueEnd[index]!;
    let length = 0;
    let i = table.valueStart[index]!;
    if (i === end) return refuse.BAD_CONTENT_LENGTH;
    for (; i < end; i++) {
      const digit = bytes[i]!;
      if (digit < ZERO || digit > NINE) return refuse.BAD_CONTENT_LENGTH;
      // Once beyond 2^53 - 1 it stays beyond, so the value need not be exact there.
      length = length * 10 + (digit - ZERO);
    }
    if (length > Number.MAX_SAFE_INTEGER) return refuse.CONTENT_LENGTH_TOO_LARGE;
    this.contentLength = length;
    return undefined;
  }

  private readTransferEncoding(table: FieldTable, index: number): Refusal | undefined {
    if (this.chunked) return refuse.BAD_TRANSFER_ENCODING;
    if (!table.valueIs(index, "chunked")) return judgeCodings(table.value(index));
    this.chunked = true;
    return undefined;
  }

  private readConnection(table: FieldTable, start: number, end: number): Refusal | undefined {
    const { bytes } = table;
    let i = start;
    while (i < end) {
      while (i < end && (bytes[i] === SP || bytes[i] === HTAB || bytes[i] === COMMA)) i++;
      const optionStart = i;
      while (i < end && TOKEN[bytes[i]!] !== 0) i++;
      if (i > optionStart) {
        this.options++;
        if (this.options > MOST_CONNECTION_OPTIONS) return refuse.BAD_CONNECTION;
        this.readOption(table, optionStart, i);
      }
      while (i < end && (bytes[i] === SP || bytes[i] === HTAB)) i++;
      if (i < end && bytes[i] !== COMMA) return refuse.BAD_CONNECTION;
    }
    return undefined;
  }

  private readOption(table: FieldTable, start: number, end: number): void {
    const { bytes } = table;
    if (equalsIgnoringCase(bytes, start, end, "keep-alive")) this.keepAlive = true;
    else if (equalsIgnoringCase(bytes, start, end, "close")) this.close = true;
    else if (equalsIgnoringCase(bytes, start, end, "upgrade")) this.connectionUpgrade = true;
    else nominate(table, bytes.latin1Slice(start, end).toLowerCase());
  }
}

/**
 * Marks the fields of that name as hop-by-hop. Only fields the gateway neither interprets nor adds can be
 * nominated: `Connection: X-Forwarded-For` or `Connection: Authorization` would otherwise let a client strip
 * what the server behind relies on (CVE-2026-33805).
 */
function nominate(table: FieldTable, name: string): void {
  for (let i = 0; i < table.count; i++) {
    const kind = table.kind[i];
    if (kind !== Field.OTHER && kind !== Field.DATE) continue;
    if (equalsIgnoringCase(table.bytes, table.nameStart[i]!, table.nameEnd[i]!, name)) {
      table.kind[i] = Field.NOMINATED;
    }
  }
}

/**
 * `protocol-name ["/" protocol-version]` (RFC 9110 7.8) in lower case; "" for a list, or what is no protocol. "" also
 * for h2c: requests in such a tunnel would reach the server unseen.
 */
function protocolIn(table: FieldTable, index: number): string {
  if (table.valueIs(index, "websocket")) return "websocket";
  const value = table.value(index).toLowerCase();
  if (value === "h2c") return "";
  return /^[\w!#$%&'*+.^`|~-]+(?:\/[\w!#$%&'*+.^`|~-]+)?$/.test(value) ? value : "";
}

/** A Transfer-Encoding that is not just "chunked": codings we lack before a last chunked, or nonsense. */
function judgeCodings(value: string): Refusal {
  const codings = value
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim());
  const last = codings.pop();
  const wellFormed =
    codings.length > 0 && codings.every((coding) => /^[\w!#$%&'*+.^`|~-]+(\s*;.*)?$/.test(coding));
  return last === "chunked" && wellFormed && !codings.includes("chunked")
    ? refuse.UNKNOWN_TRANSFER_CODING
    : refuse.BAD_TRANSFER_ENCODING;
}
