import { isAuthority } from "./authority.ts";
import {
  ASTERISK,
  CR,
  INCOMPLETE,
  LF,
  QUESTION,
  REFUSED,
  SLASH,
  SP,
  TARGET,
  TOKEN,
  equalsIgnoringCase,
} from "./byte-class.ts";
import { FieldTable } from "./field-table.ts";
import { Field } from "./field.ts";
import type { HeadLimits } from "./limits.ts";
import { MessageFields } from "./message-fields.ts";
import { LONGEST_METHOD, knownMethod } from "./method.ts";
import { PATH_HAS_DOTS, PATH_REFUSED, judgePath, resolveDots } from "./path-policy.ts";
import { RecentText } from "./recent-text.ts";
import * as refuse from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import { VERSION_INCOMPLETE, VERSION_LENGTH, VERSION_OTHER_MAJOR, readVersion } from "./version.ts";

const MOST_EMPTY_LINES = 4;

/**
 * The head of a request, RFC 9112 sections 2 to 6 as a strict intermediary reads it.
 *
 * One object serves all requests of a connection, one after another. `parse` makes one forward pass; the
 * first byte that cannot be right decides, so that the verdict does not depend on how the bytes arrived.
 * What is judged from the fields together is judged when the head is complete.
 */
export class RequestHead {
  readonly fields: FieldTable;
  /** Why the last parse was refused. */
  refusal: Refusal | undefined = undefined;
  /** Empty lines that stood before the request line. */
  emptyLines = 0;
  /** A known method, always the same string for it. */
  method = "GET";
  /** Path and query of the target as sent; empty when an absolute-form target has none. See `target`. */
  targetStart = 0;
  targetEnd = 0;
  /** 0, or 1 for HTTP/1.1 and above. */
  minor = 1;
  /** The authority asked for: that of an absolute-form target, else Host; empty only in HTTP/1.0. */
  hostStart = 0;
  hostEnd = 0;
  host = "";
  /** Bytes of the body; -1 when not declared, which without `chunked` means no body. */
  contentLength = -1;
  chunked = false;
  /** Does the client mean to send another request on this connection? */
  keepAlive = true;
  /** Does the client wait for a 100 before it sends the body? Never in HTTP/1.0 or without a body. */
  expectContinue = false;
  /** The protocol that this connection is wished to turn into, in lower case; "" when there is no well-formed wish. */
  upgrade = "";
  /** Does the client take trailers (TE: trailers)? */
  hasTeTrailers = false;
  hasVia = false;
  /** How often an OPTIONS may still be passed on (RFC 9110 7.6.2); -1 when nothing is said, and for other methods. */
  maxForwards = -1;

  private readonly limits: HeadLimits;
  private readonly meaning: MessageFields = new MessageFields();
  private readonly recentHost: RecentText = new RecentText();
  private readonly recentTarget: RecentText = new RecentText();
  private isAbsolute = false;
  /** The target with its dot segments resolved; "" when it had none. */
  private resolved = "";
  private methodStart = 0;
  private methodEnd = 0;

  constructor(limits: HeadLimits) {
    this.limits = limits;
    this.fields = new FieldTable(limits.headers, false);
  }

  /**
   * Reads a head from bytes[start,end). Answers the offset just after it, 0 when more bytes are needed (call
   * again with the same start), -1 when it is refused: see `refusal`. Never throws; fields are only valid
   * after an answer above 0, until the next call and while the bytes stand.
   */
  parse(bytes: Buffer, start: number, end: number): number {
    this.refusal = undefined;
    const head = this.skipEmptyLines(bytes, start, end);
    if (head < 0) return head;
    const limit = head + this.limits.head;
    const stop = end < limit ? end : limit;

    const fieldsStart = this.parseRequestLine(bytes, head, stop);
    if (fieldsStart === REFUSED) return REFUSED;
    if (fieldsStart === INCOMPLETE) return stop === limit ? this.refuse(refuse.TARGET_TOO_LONG) : INCOMPLETE;

    const after = this.fields.scan(bytes, fieldsStart, stop);
    if (after > 0) return this.interpret() ? after : REFUSED;
    if (after === INCOMPLETE) return stop === limit ? this.refuse(refuse.HEAD_TOO_LARGE) : INCOMPLETE;
    this.refusal = this.fields.refusal;
    return REFUSED;
  }

  /** The origin-form target as it is routed and forwarded: path and query, or `*`. Never empty. */
  get target(): string {
    if (this.resolved !== "") return this.resolved;
    const text = this.recentTarget.read(this.fields.bytes, this.targetStart, this.targetEnd);
    if (!this.isAbsolute || text.startsWith("/")) return text;
    // RFC 9112 3.2.4: OPTIONS of an authority without path and query asks about the server as a whole.
    return this.method === "OPTIONS" && text === "" ? "*" : `/${text}`;
  }

  private refuse(refusal: Refusal): number {
    this.refusal = refusal;
    return REFUSED;
  }

  /** RFC 9112 2.2: some clients send an extra CRLF after a body. Answers the offset of the request line. */
  private skipEmptyLines(bytes: Buffer, start: number, end: number): number {
    let i = start;
    this.emptyLines = 0;
    for (; i < end && bytes[i] === CR; this.emptyLines++) {
      if (this.emptyLines === MOST_EMPTY_LINES) return this.refuse(refuse.TOO_MANY_EMPTY_LINES);
      if (i + 1 < end && bytes[i + 1] !== LF) return this.refuse(refuse.BAD_LINE_END);
      i += 2;
    }
    return i;
  }

  private parseRequestLine(bytes: Buffer, start: number, end: number): number {
    let i = start;
    while (i < end && TOKEN[bytes[i]!] !== 0) i++;
    if (i - start > LONGEST_METHOD) return this.refuse(refuse.UNKNOWN_METHOD);
    if (i >= end) return INCOMPLETE;
    if (i === start || bytes[i] !== SP) return this.refuse(refuse.BAD_REQUEST_LINE);
    this.methodStart = start;
    this.methodEnd = i;

    i++;
    this.targetStart = i;
    let classes = 0;
    for (; i < end; i++) {
      const found = TARGET[bytes[i]!]!;
      if (found === 0) break;
      classes |= found;
    }
    if (i >= end) return INCOMPLETE;
    this.targetEnd = i;
    if (bytes[i] !== SP) return this.refuse(refuse.BAD_TARGET);
    if (i === this.targetStart) return this.refuse(refuse.BAD_REQUEST_LINE);

    i++;
    const minor = readVersion(bytes, i, end);
    if (minor < 0) {
      if (minor === VERSION_INCOMPLETE) return INCOMPLETE;
      return this.refuse(minor === VERSION_OTHER_MAJOR ? refuse.VERSION_NOT_SUPPORTED : refuse.BAD_VERSION);
    }
    this.minor = minor;

    i += VERSION_LENGTH;
    if (i >= end) return INCOMPLETE;
    if (bytes[i] !== CR) return this.refuse(bytes[i] === LF ? refuse.BAD_LINE_END : refuse.BAD_VERSION);
    if (i + 1 >= end) return INCOMPLETE;
    if (bytes[i + 1] !== LF) return this.refuse(refuse.BAD_LINE_END);
    return this.judgeRequestLine(bytes, classes === 3) ? i + 2 : REFUSED;
  }

  private judgeRequestLine(bytes: Buffer, isPathNotable: boolean): boolean {
    const method = knownMethod(bytes, this.methodStart, this.methodEnd);
    if (method === undefined) this.refusal = refuse.UNKNOWN_METHOD;
    else if (method === "CONNECT" || method === "TRACE") this.refusal = refuse.METHOD_NOT_ALLOWED;
    else {
      this.method = method;
      this.isAbsolute = false;
      this.hostStart = 0;
      this.hostEnd = 0;
      this.resolved = "";
      if (bytes[this.targetStart] !== SLASH) this.refusal = this.readOtherTarget(bytes);
      if (isPathNotable && this.refusal === undefined) this.refusal = this.applyPathPolicy(bytes);
    }
    return this.refusal === undefined;
  }

  private applyPathPolicy(bytes: Buffer): Refusal | undefined {
    const { targetStart, targetEnd } = this;
    // `*`, or an absolute-form target without a path.
    if (bytes[targetStart] !== SLASH) return undefined;
    const verdict = judgePath(bytes, targetStart, targetEnd);
    if (verdict === PATH_REFUSED) return refuse.BAD_PATH;
    if (verdict === PATH_HAS_DOTS) {
      const target = bytes.latin1Slice(targetStart, targetEnd);
      const query = target.indexOf("?");
      const path = resolveDots(query < 0 ? target : target.slice(0, query));
      if (path === undefined) return refuse.BAD_PATH;
      this.resolved = query < 0 ? path : path + target.slice(query);
    }
    return undefined;
  }

  /** A target that is not in origin-form: `*` or absolute-form (RFC 9112 3.2.2, 3.2.4). */
  private readOtherTarget(bytes: Buffer): Refusal | undefined {
    const start = this.targetStart;
    const end = this.targetEnd;
    if (bytes[start] === ASTERISK && end === start + 1) {
      return this.method === "OPTIONS" ? undefined : refuse.BAD_TARGET;
    }
    const authority = authorityStart(bytes, start, end);
    if (authority === 0) return refuse.BAD_TARGET;
    let i = authority;
    while (i < end && bytes[i] !== SLASH && bytes[i] !== QUESTION) i++;
    if (!isAuthority(bytes, authority, i)) return refuse.BAD_TARGET;
    this.isAbsolute = true;
    this.hostStart = authority;
    this.hostEnd = i;
    this.targetStart = i;
    return undefined;
  }

  private interpret(): boolean {
    const { fields, meaning, minor } = this;
    const refusal = meaning.read(fields, minor) ?? this.readOwnFields();
    if (refusal !== undefined) {
      this.refusal = refusal;
      return false;
    }
    this.contentLength = meaning.contentLength;
    this.chunked = meaning.chunked;
    this.keepAlive = meaning.persists(minor);
    const hasBody = meaning.chunked || meaning.contentLength > 0;
    this.expectContinue = this.expectContinue && hasBody;
    this.upgrade =
      meaning.connectionUpgrade && minor === 1 && this.method === "GET" && !hasBody ? meaning.upgradeTo : "";
    return true;
  }

  /** Host, Expect, TE and Max-Forwards, which only requests have, and Via. */
  private readOwnFields(): Refusal | undefined {
    const { fields } = this;
    let hosts = 0;
    this.expectContinue = false;
    this.hasTeTrailers = false;
    this.hasVia = false;
    this.maxForwards = -1;
    for (let i = 0; i < fields.count; i++) {
      const kind = fields.kind[i];
      if (kind === Field.HOST) {
        hosts++;
        if (hosts > 1) return refuse.TWO_HOSTS;
        if (!this.readHost(fields.bytes, fields.valueStart[i]!, fields.valueEnd[i]!)) return refuse.BAD_HOST;
      } else if (kind === Field.EXPECT && this.minor === 1) {
        if (!fields.valueIs(i, "100-continue")) return refuse.EXPECTATION_FAILED;
        this.expectContinue = true;
      } else if (kind === Field.TE) {
        this.hasTeTrailers ||= /(?:^|,)[ \t]*trailers[ \t]*(?:$|,)/i.test(fields.value(i));
      } else if (kind === Field.VIA) this.hasVia = true;
      else if (kind === Field.TRAILER && !this.meaning.chunked) fields.kind[i] = Field.NOMINATED;
      else if (kind === Field.MAX_FORWARDS && this.method === "OPTIONS") {
        if (this.maxForwards >= 0 || !/^\d+$/.test(fields.value(i))) return refuse.BAD_MAX_FORWARDS;
        this.maxForwards = Math.min(Number(fields.value(i)), Number.MAX_SAFE_INTEGER);
        fields.kind[i] = Field.NOMINATED;
      }
    }
    if (hosts === 0 && this.minor === 1) return refuse.MISSING_HOST;
    const isHostElsewhere = hosts === 0 || this.isAbsolute;
    if (isHostElsewhere) this.host = this.recentHost.read(fields.bytes, this.hostStart, this.hostEnd);
    return undefined;
  }

  /** A Host must be valid even where the authority of the target outranks it (RFC 9112 3.2, 3.2.2). */
  private readHost(bytes: Buffer, start: number, end: number): boolean {
    if (start === end) return false;
    if (!this.recentHost.matches(bytes, start, end) && !isAuthority(bytes, start, end)) return false;
    if (this.isAbsolute) return true;
    this.hostStart = start;
    this.hostEnd = end;
    this.host = this.recentHost.read(bytes, start, end);
    return true;
  }
}

/** The offset after `http://` or `https://`; 0 for any other scheme. */
function authorityStart(bytes: Buffer, start: number, end: number): number {
  if (end - start >= 7 && equalsIgnoringCase(bytes, start, start + 7, "http://")) return start + 7;
  if (end - start >= 8 && equalsIgnoringCase(bytes, start, start + 8, "https://")) return start + 8;
  return 0;
}
