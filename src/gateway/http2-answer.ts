import { createHash } from "node:crypto";
import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { RequestHead } from "../http1/request-head.ts";
import { BodyKind, type ResponseHead } from "../http1/response-head.ts";
import type { AnswerFrame, AnswerSink } from "./downstream.ts";
import { badResponse, notUpgraded, type GatewayError } from "./gateway-error.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { countError } from "./gateway-counters.ts";
import { addFieldLines, addKeptFields, newHttp2Fields } from "./http2-fields.ts";
import { ownAnswerParts, type AnswerWishes, type Problem } from "./own-answer.ts";
import { passedOn } from "./response-emitter.ts";

/** Pieces up to this size are copied, so that the server's connection may read into its buffer again at once. */
const COPY_LIMIT = 8 * 1024;

const SEC_WEBSOCKET_ACCEPT = "sec-websocket-accept";

/** Writes the answer of one HTTP/2 stream. */
export class Http2Answer implements AnswerSink {
  /** Our key of a WebSocket, as sent to the server; "" for any other request. */
  webSocketKey = "";
  /** It answers a HEAD: node:http2 ends the stream with its head. */
  toHead = false;
  /** The last byte was handed over; nothing more may be written. */
  ended = false;
  /** Trailers follow the body, so that the stream ends by them. */
  trailersFollow = false;
  private readonly context: GatewayContext;
  private readonly stream: ServerHttp2Stream;
  private expectsContinue = false;
  private takesTrailers = false;
  private trailers = "";
  private gathered: Buffer[] = [];
  private gatheredSize = 0;
  private lent = false;

  constructor(context: GatewayContext, stream: ServerHttp2Stream) {
    this.context = context;
    this.stream = stream;
  }

  expect(request: RequestHead): void {
    this.expectsContinue = request.expectContinue;
    this.takesTrailers = request.hasTeTrailers;
  }

  get backlog(): number {
    return this.stream.writableLength + this.gatheredSize;
  }

  refusal(head: ResponseHead): GatewayError | undefined {
    if (this.webSocketKey === "") return undefined;
    if (head.status === 101) {
      // The client cannot check it, as it has no key (RFC 8441, 5): that is left to us.
      const accepted = head.fields.get(SEC_WEBSOCKET_ACCEPT) === acceptOf(this.webSocketKey);
      return accepted ? undefined : badResponse;
    }
    // To a CONNECT any 2xx says that the tunnel stands (RFC 9110, 9.3.6).
    return head.status < 300 ? notUpgraded : undefined;
  }

  interim(head: ResponseHead): boolean {
    if (this.isOver || (head.status === 100 && !this.expectsContinue)) return false;
    const fields = newHttp2Fields(head.status);
    addKeptFields(fields, head.fields, passedOn(false));
    this.guarded(() => this.stream.additionalHeaders(fields));
    return true;
  }

  begin(head: ResponseHead, frame: AnswerFrame): void {
    const { bodyKind, group } = frame;
    const { context } = this;
    const trailers = bodyKind === BodyKind.CHUNKED && this.takesTrailers;
    const fields = newHttp2Fields(head.status);
    addKeptFields(fields, head.fields, passedOn(trailers));
    addFieldLines(fields, `Via: 1.${head.minor} ${context.settings.via}`);
    if (group !== "") fields["x-halftone-group"] = group;
    if (!head.hasDate) fields["date"] = context.clock.httpDate;
    // node:http2 ends a 205 with its head, as RFC 9110, 15.3.6 wants it: what its server sends after it is dropped.
    const bodiless = bodyKind === BodyKind.NONE || head.status === 205;
    if (head.contentLength >= 0 && head.status !== 204 && head.status !== 205) {
      fields["content-length"] = String(head.contentLength);
    }
    this.respond(fields, bodiless, trailers && !bodiless);
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.isOver) return;
    if (end - start <= COPY_LIMIT) {
      this.gathered.push(Buffer.from(bytes.subarray(start, end)));
      this.gatheredSize += end - start;
      return;
    }
    this.writeGathered();
    this.stream.write(bytes.subarray(start, end));
    this.lent = true;
  }

  end(trailers: string): void {
    this.trailers = trailers;
    this.finish();
  }

  /** RFC 8441, 5: what was a 101 is a 200, as for every CONNECT; the handshake's own fields have done their work. */
  switchProtocols(head: ResponseHead): void {
    const fields = newHttp2Fields(200);
    addKeptFields(fields, head.fields, passedOn(false));
    delete fields[SEC_WEBSOCKET_ACCEPT];
    fields["date"] ??= this.context.clock.httpDate;
    this.respond(fields, false, false);
  }

  /** An answer of the gateway itself, whole. */
  own(problem: Problem, requestId: string, group: string | undefined, { html, head }: AnswerWishes): void {
    const { clock, counters } = this.context;
    countError(counters, problem.code);
    const frame = { requestId, group, httpDate: clock.httpDate, html, head };
    const { status, lines, body } = ownAnswerParts(problem, frame);
    const fields = newHttp2Fields(status);
    addFieldLines(fields, lines);
    this.respond(fields, body === "", false);
    if (!this.ended) this.data(Buffer.from(body, "latin1"), 0, body.length);
    this.finish();
  }

  /** Ends our side: with what was gathered in the last frame, if anything was. */
  finish(): void {
    if (this.isOver) return;
    this.ended = true;
    const last = this.takeGathered();
    if (last === undefined) this.stream.end();
    else this.stream.end(last);
  }

  flush(): boolean {
    this.writeGathered();
    const held = this.lent && this.stream.writableLength > 0;
    this.lent = false;
    return held;
  }

  private get isOver(): boolean {
    return this.ended || this.stream.closed || this.stream.destroyed;
  }

  private respond(fields: OutgoingHttpHeaders, ends: boolean, trailers: boolean): void {
    if (this.isOver) return;
    this.ended = ends || this.toHead;
    this.trailersFollow = trailers && !this.ended;
    if (this.trailersFollow) this.stream.on("wantTrailers", () => this.sendTrailers());
    const options = { endStream: this.ended, waitForTrailers: this.trailersFollow, sendDate: false };
    this.guarded(() => this.stream.respond(fields, options));
  }

  private sendTrailers(): void {
    const fields = Object.create(null) as OutgoingHttpHeaders;
    addFieldLines(fields, this.trailers);
    this.guarded(() => this.stream.sendTrailers(fields));
  }

  /** node:http2 throws on fields it does not like. We know of none that is left; one that comes up cuts one stream. */
  private guarded(send: () => void): void {
    try {
      send();
    } catch (error) {
      this.ended = true;
      this.stream.destroy(error as Error);
    }
  }

  private writeGathered(): void {
    const bytes = this.takeGathered();
    if (bytes !== undefined && !this.isOver) this.stream.write(bytes);
  }

  private takeGathered(): Buffer | undefined {
    const { gathered } = this;
    if (gathered.length === 0) return undefined;
    const bytes = gathered.length === 1 ? gathered[0] : Buffer.concat(gathered, this.gatheredSize);
    this.gathered = [];
    this.gatheredSize = 0;
    return bytes;
  }
}

/** RFC 6455, 4.2.2. */
function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
