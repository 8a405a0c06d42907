import { BodyKind } from "./body-kind.ts";
import { CR, INCOMPLETE, LF, NINE, REFUSED, SP, VALUE, ZERO } from "./byte-class.ts";
import { FieldTable } from "./field-table.ts";
import { Field } from "./field.ts";
import type { HeadLimits } from "./limits.ts";
import { MessageFields } from "./message-fields.ts";
import * as refuse from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import { VERSION_INCOMPLETE, VERSION_LENGTH, VERSION_OTHER_MAJOR, readVersion } from "./version.ts";

export { BodyKind } from "./body-kind.ts";

/**
 * The head of a response, judged as strictly as a request: a server may be as hostile, or as confused, as a
 * client. White space before a colon is removed, as RFC 9112 5.1 demands; folded lines, which it lets a proxy repair,
 * are refused instead. So what is copied to the client is what was validated.
 */
export class ResponseHead {
  readonly fields: FieldTable;
  /** Why the last parse was refused; the client gets a 502 whatever `refusal.status` says. */
  refusal: Refusal | undefined = undefined;
  /** 100 to 599. */
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;
  /** 0, or 1 for HTTP/1.1 and above. */
  minor = 1;
  /** As declared, whether or not a body follows; -1 when not declared. */
  contentLength = -1;
  chunked = false;
  /** Does the server keep the connection open after this response? */
  keepAlive = true;
  /** The protocol that a 101 switches to, in lower case; "" when this is no well-formed 101. */
  upgrade = "";
  hasDate = false;

  private readonly limits: HeadLimits;
  private readonly meaning: MessageFields = new MessageFields();

  constructor(limits: HeadLimits) {
    this.limits = limits;
    this.fields = new FieldTable(limits.headers, true);
  }

  /** As `RequestHead.parse`; no empty line is skipped before a status line. */
  parse(bytes: Buffer, start: number, end: number): number {
    this.refusal = undefined;
    const limit = start + this.limits.head;
    const stop = end < limit ? end : limit;
    const fieldsStart = this.parseStatusLine(bytes, start, stop);
    if (fieldsStart === REFUSED) return REFUSED;
    const after = fieldsStart === INCOMPLETE ? INCOMPLETE : this.fields.scan(bytes, fieldsStart, stop);
    if (after > 0) return this.interpret() ? after : REFUSED;
    if (after === INCOMPLETE) return stop === limit ? this.refuse(refuse.HEAD_TOO_LARGE) : INCOMPLETE;
    this.refusal = this.fields.refusal;
    return REFUSED;
  }

  /** How the body of this response is framed when it answers `requestMethod` (RFC 9112 6.3). */
  bodyKind(requestMethod: string): BodyKind {
    const { status } = this;
    if (requestMethod === "HEAD" || status < 200 || status === 204 || status === 304) return BodyKind.NONE;
    if (this.chunked) return BodyKind.CHUNKED;
    if (this.contentLength < 0) return BodyKind.UNTIL_CLOSE;
    return this.contentLength === 0 ? BodyKind.NONE : BodyKind.LENGTH;
  }

  private refuse(refusal: Refusal): number {
    this.refusal = refusal;
    return REFUSED;
  }

  private parseStatusLine(bytes: Buffer, start: number, end: number): number {
    const minor = readVersion(bytes, start, end);
    if (minor < 0) {
      if (minor === VERSION_INCOMPLETE) return INCOMPLETE;
      return this.refuse(
        minor === VERSION_OTHER_MAJOR ? refuse.VERSION_NOT_SUPPORTED : refuse.BAD_STATUS_LINE,
      );
    }
    this.minor = minor;
    let i = start + VERSION_LENGTH;
    if (i >= end) return INCOMPLETE;
    if (bytes[i] !== SP) return this.refuse(refuse.BAD_STATUS_LINE);
    i++;

    let status = 0;
    for (const digitsEnd = i + 3; i < digitsEnd; i++) {
      if (i >= end) return INCOMPLETE;
      const digit = bytes[i]!;
      if (digit < ZERO || digit > NINE) return this.refuse(refuse.BAD_STATUS_LINE);
      status = status * 10 + digit - ZERO;
    }
    if (status < 100 || status > 599) return this.refuse(refuse.BAD_STATUS_LINE);
    this.status = status;

    // The space is owed even before an empty reason (RFC 9112 4), but many servers leave it out.
    if (i >= end) return INCOMPLETE;
    if (bytes[i] === SP) i++;
    this.reasonStart = i;
    if (bytes[i - 1] === SP) {
      while (i < end && VALUE[bytes[i]!] !== 0) i++;
      if (i >= end) return INCOMPLETE;
    }
    this.reasonEnd = i;
    if (bytes[i] !== CR) return this.refuse(bytes[i] === LF ? refuse.BAD_LINE_END : refuse.BAD_STATUS_LINE);
    if (i + 1 >= end) return INCOMPLETE;
    return bytes[i + 1] === LF ? i + 2 : this.refuse(refuse.BAD_LINE_END);
  }

  private interpret(): boolean {
    const { fields, meaning, minor } = this;
    this.refusal = meaning.read(fields, minor);
    if (this.refusal !== undefined) return false;
    this.contentLength = meaning.contentLength;
    this.chunked = meaning.chunked;
    this.keepAlive = meaning.persists(minor);
    this.upgrade = this.status === 101 && minor === 1 && meaning.connectionUpgrade ? meaning.upgradeTo : "";
    this.hasDate = fields.has(Field.DATE);
    return true;
  }
}
