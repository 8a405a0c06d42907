import { randomBytes } from "node:crypto";
import { constants, type ServerHttp2Stream } from "node:http2";
import { readTrailers } from "../http1/trailers.ts";
import { tellRefused } from "./access-log.ts";
import type { ClientPeer } from "./client-peer.ts";
import type { Deadlined } from "./clock.ts";
import type { Downstream } from "./downstream.ts";
import { Exchange } from "./exchange.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { badHttp2Fields, bodyTimeout, bodyTooLarge, unknownProtocol } from "./gateway-error.ts";
import { Http2Answer } from "./http2-answer.ts";
import { downgradedHead, downgradedTrailers } from "./http2-request.ts";
import { answerWishes, problemOf, type Problem } from "./own-answer.ts";
import { leastBody } from "./request-body.ts";

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants;

/** FINISHING: the answer is whole, and the client has yet to take the rest of it. */
const State = { BODY: 0, RESPONSE: 1, TUNNEL: 2, FINISHING: 3, CLOSED: 4 } as const;
type State = (typeof State)[keyof typeof State];

/**
 * Pieces of a body up to this size are copied: node:http2 hands out views of what it read from the socket, so a held
 * piece of a few bytes would keep 64 KiB.
 */
const COPY_LIMIT = 4 * 1024;

/** Bytes that a client may send on a stream before it hears of us again (RFC 9113, 6.9.2). */
const WINDOW = 65_535;

/** What a stream tells its connection. */
export interface Http2StreamOwner {
  /** Bytes of a request's body came. */
  onUseful(bytes: number): void;
  /** The client broke the rules of HTTP/2 by this stream. */
  onStreamOffence(): void;
  /** `cancelled`: the client took its request back before it was answered. */
  onStreamClosed(stream: Http2Stream, cancelled: boolean): void;
}

/**
 * One request of an HTTP/2 connection. From its head on it is a request like any other: the fields are written as the
 * head of HTTP/1.1 that says the same, and parsed, admitted and exchanged as such.
 */
export class Http2Stream implements Downstream, Deadlined {
  readonly answer: Http2Answer;
  deadline = 0;
  clockSlot = -1;
  private readonly context: GatewayContext;
  private readonly stream: ServerHttp2Stream;
  private readonly owner: Http2StreamOwner;
  private state: State = State.BODY;
  private exchange: Exchange | undefined;
  private head: Buffer | undefined;
  private inputEnded: boolean;
  private cancelled = false;
  /** Bytes of the body as declared, -1 if not; and come so far. */
  private declared = -1;
  private received = 0;
  /** Bytes of the body since its deadline was set last. */
  private bodyBytes = 0;
  private trailers = "";

  /** `ended`: the request has no body. */
  constructor(context: GatewayContext, owner: Http2StreamOwner, stream: ServerHttp2Stream, ended: boolean) {
    this.context = context;
    this.owner = owner;
    this.stream = stream;
    this.inputEnded = ended;
    this.answer = new Http2Answer(context, stream);
    context.clock.watch(this);
    stream.on("drain", () => this.onDrain());
    stream.on("aborted", () => this.onGone());
    stream.on("close", () => this.onClose());
    // The reason does not matter: "close" follows, and nobody is left to be told.
    stream.on("error", () => {});
  }

  /** `fields`: names and values in turn. */
  begin(fields: readonly string[], peer: ClientPeer): void {
    const { context, answer, stream } = this;
    const { admission, settings } = context;
    const key = fields.includes(":protocol") ? randomBytes(16).toString("base64") : "";
    answer.toHead = fields[fields.indexOf(":method") + 1] === "HEAD";
    const made = downgradedHead(fields, this.inputEnded, key);
    if (made.kind === "refused") {
      this.refuse(made.problem, peer);
      return;
    }
    const bytes = Buffer.from(made.text, "latin1");
    const { head } = admission;
    const end = head.parse(bytes, 0, bytes.length);
    if (end !== bytes.length || head.fields.count !== made.lines) {
      this.refuse(head.refusal === undefined ? badHttp2Fields : problemOf(head.refusal), peer);
      return;
    }
    this.head = bytes;
    context.counters.requests++;
    answer.expect(head);
    answer.webSocketKey = key;
    this.declared = head.contentLength;
    const { chunked } = head;
    const tooLarge = settings.limits.body !== null && head.contentLength > settings.limits.body;
    if (this.inputEnded && head.contentLength > 0) {
      this.refuse(badHttp2Fields, peer);
      return;
    }
    const request = admission.admit(context, peer);
    if (request === undefined || tooLarge) {
      this.refuseAdmission(request === undefined ? admission.problem : bodyTooLarge, peer);
      return;
    }
    if (made.webSocket && request.upgrade === "") {
      this.refuseAdmission(unknownProtocol, peer);
      return;
    }
    const bodiless = this.inputEnded || made.webSocket;
    this.state = bodiless ? State.RESPONSE : State.BODY;
    const exchange = new Exchange(context, this, request);
    this.exchange = exchange;
    if (!bodiless) this.readBody(stream);
    exchange.start(bodiless, chunked);
  }

  /** Bytes that came and wait until the server takes more. */
  get unread(): number {
    return this.stream.readableLength;
  }

  // --- what the exchange asks --------------------------------------------------------------------------------------

  pauseInput(): void {
    this.deadline = 0;
    // The stream's window is not opened again meanwhile; other streams go on.
    this.stream.pause();
  }

  resumeInput(): void {
    if (this.state === State.BODY) {
      if (!this.stream.isPaused()) return;
      this.awaitBody();
    } else if (this.state !== State.TUNNEL) return;
    this.stream.resume();
  }

  onBlocked(): void {
    this.awaitInput();
  }

  onTunnel(): void {
    const { stream } = this;
    this.state = State.TUNNEL;
    this.deadline = 0;
    stream.on("data", (chunk: Buffer) => this.onTunnelData(chunk));
    stream.on("end", () => {
      this.inputEnded = true;
      this.exchange?.onClientEnd();
    });
    stream.resume();
  }

  onExchangeDone(): void {
    this.exchange = undefined;
    // A tunnel that the server did not end in order is cut (RFC 8441, 5 gives the code).
    if (this.state === State.TUNNEL && !this.answer.ended) this.reset(NGHTTP2_CANCEL);
    else this.finish();
  }

  answerOwn(problem: Problem, requestId: string, group?: string): void {
    this.exchange = undefined;
    const wishes = answerWishes(this.context.admission.head, this.head, 0);
    this.answer.own(problem, requestId, group, wishes);
    this.finish();
  }

  cut(): void {
    this.exchange = undefined;
    this.reset(NGHTTP2_INTERNAL_ERROR);
  }

  endOutput(): void {
    this.answer.finish();
  }

  /** The connection goes: the client must not take what it has for a whole answer. */
  destroy(): void {
    this.abandon(NGHTTP2_INTERNAL_ERROR);
  }

  // --- life of the stream ------------------------------------------------------------------------------------------

  onDeadline(): void {
    switch (this.state) {
      case State.BODY:
        if (this.answer.backlog > 0) this.abandon();
        else this.refuseBody(bodyTimeout);
        break;
      case State.RESPONSE:
      case State.FINISHING:
        this.abandon();
        break;
      case State.TUNNEL:
      case State.CLOSED:
        break;
    }
  }

  private readBody(stream: ServerHttp2Stream): void {
    this.awaitBody();
    stream.on("data", (chunk: Buffer) => this.onBodyData(chunk));
    stream.on("end", () => this.onBodyEnd());
    stream.on("trailers", (_fields: unknown, _flags: unknown, raw: readonly string[]) =>
      this.onTrailers(raw),
    );
  }

  private onBodyData(chunk: Buffer): void {
    const { exchange } = this;
    if (this.state !== State.BODY || exchange === undefined) return;
    const { settings } = this.context;
    this.received += chunk.length;
    this.owner.onUseful(chunk.length);
    this.bodyBytes += chunk.length;
    if (this.bodyBytes >= leastBody(settings)) this.awaitBody();
    if (settings.limits.body !== null && this.received > settings.limits.body) this.refuseBody(bodyTooLarge);
    // nghttp2 sees to it too; but this is what keeps two requests apart on the server's connection (H2.CL).
    else if (this.declared >= 0 && this.received > this.declared) this.abandonMalformed();
    else {
      const bytes = chunk.length <= COPY_LIMIT ? Buffer.from(chunk) : chunk;
      exchange.onRequestData(bytes, 0, bytes.length);
      this.exchange?.onRequestReadEnd();
    }
  }

  private onBodyEnd(): void {
    if (this.state !== State.BODY) return;
    if (this.declared >= 0 && this.received !== this.declared) {
      this.abandonMalformed();
      return;
    }
    this.inputEnded = true;
    this.state = State.RESPONSE;
    this.deadline = 0;
    this.exchange?.onRequestEnd(this.trailers);
    this.exchange?.onRequestReadEnd();
  }

  private onTrailers(fields: readonly string[]): void {
    const text = downgradedTrailers(fields);
    const bytes = Buffer.from(text ?? "", "latin1");
    const kept =
      text === undefined ? undefined : readTrailers(bytes, bytes.length, this.context.settings.limits, false);
    if (typeof kept === "string") this.trailers = kept;
    else this.abandonMalformed();
  }

  private onTunnelData(chunk: Buffer): void {
    const { exchange } = this;
    this.owner.onUseful(chunk.length);
    if (exchange === undefined) return;
    const bytes = chunk.length <= COPY_LIMIT ? Buffer.from(chunk) : chunk;
    exchange.onTunnelData(bytes, 0, bytes.length);
    exchange.onRequestReadEnd();
  }

  private awaitInput(): void {
    this.deadline = this.context.clock.now + this.context.settings.timeouts.idle;
  }

  private awaitBody(): void {
    this.bodyBytes = 0;
    this.awaitInput();
  }

  /** A head that is not sent on to anybody. */
  private refuse(problem: Problem, peer: ClientPeer): void {
    const requestId = this.context.requestIds.next();
    tellRefused(this.context, peer, problem, requestId, undefined);
    this.owner.onStreamOffence();
    this.answerOwn(problem, requestId);
  }

  /** Nor one that was understood, and is parsed still. */
  private refuseAdmission(problem: Problem, peer: ClientPeer): void {
    const { requestId, head } = this.context.admission;
    tellRefused(this.context, peer, problem, requestId, head);
    this.answerOwn(problem, requestId);
  }

  /** The body went wrong after its request was sent on. An answer that has begun cannot be replaced: it is cut. */
  private refuseBody(problem: Problem): void {
    const { exchange } = this;
    this.exchange = undefined;
    exchange?.abort(problem);
    if (exchange?.answering === true) this.reset(NGHTTP2_INTERNAL_ERROR);
    else this.answerOwn(problem, exchange?.requestId ?? this.context.requestIds.next());
  }

  /** RFC 9113, 8.1.1: a stream error. The server must never take what came for a whole message. */
  private abandonMalformed(): void {
    this.owner.onStreamOffence();
    this.abandon(NGHTTP2_PROTOCOL_ERROR);
  }

  private abandon(code: number = NGHTTP2_CANCEL): void {
    const { exchange } = this;
    this.exchange = undefined;
    exchange?.abort();
    this.reset(code);
  }

  private finish(): void {
    if (this.state === State.CLOSED) return;
    const { answer, stream } = this;
    this.state = State.FINISHING;
    this.awaitInput();
    answer.finish();
    if (this.inputEnded) return;
    // RFC 9113, 8.1: nobody waits for the rest of the request. What came of it is dropped, lest it keep the stream.
    stream.resume();
    if (!answer.trailersFollow) stream.close(NGHTTP2_NO_ERROR);
  }

  private reset(code: number): void {
    if (this.state === State.CLOSED) return;
    this.state = State.CLOSED;
    this.deadline = 0;
    const { stream } = this;
    // `close` would first end our side in order: with END_STREAM, by which a cut answer looks whole.
    stream._final = (done) => done();
    stream.close(code);
    // What waits to be sent is of no use to a client that may not be reading at all.
    stream.destroy();
  }

  private onDrain(): void {
    if (this.state === State.RESPONSE) this.deadline = 0;
    this.exchange?.onClientDrain();
  }

  /** The client reset the stream, or its connection is gone. */
  private onGone(): void {
    const { exchange } = this;
    if (this.state === State.CLOSED || this.state === State.FINISHING) return;
    this.cancelled = exchange?.answering !== true;
    this.state = State.CLOSED;
    this.exchange = undefined;
    exchange?.abort();
  }

  private onClose(): void {
    this.onGone();
    this.state = State.CLOSED;
    this.deadline = 0;
    this.context.clock.unwatch(this);
    // What of the body is left, read or on its way: the client could not know.
    if (!this.inputEnded) this.owner.onUseful(WINDOW);
    this.owner.onStreamClosed(this, this.cancelled);
  }
}
