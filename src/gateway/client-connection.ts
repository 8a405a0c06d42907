import type { Socket } from "node:net";
import { Offences } from "../core/offences.ts";
import { tellRefused } from "./access-log.ts";
import type { ClientPeer } from "./client-peer.ts";
import type { Deadlined } from "./clock.ts";
import type { Downstream } from "./downstream.ts";
import { Exchange } from "./exchange.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { bodyTimeout, bodyTooLarge, headTimeout, tooManyOffences } from "./gateway-error.ts";
import { Http1Answer } from "./http1-answer.ts";
import { Outlet } from "./outlet.ts";
import { answerWishes, problemOf, wishesOf, type AnswerWishes, type Problem } from "./own-answer.ts";
import { resetConnection } from "./reset-connection.ts";
import { readDirectly } from "./read-directly.ts";
import { RequestBody, leastBody } from "./request-body.ts";

/** FLUSH: answers wait to be read by the client before its next request is. */
const State = { HEAD: 0, BODY: 1, RESPONSE: 2, FLUSH: 3, TUNNEL: 4, LINGER: 5, CLOSED: 6 } as const;
type State = (typeof State)[keyof typeof State];

/** Input kept while an answer is under way; beyond it the client is not read. */
const INPUT_LIMIT = 64 * 1024;
/** Bytes of answers not taken yet beyond which the next request waits. */
const OUTPUT_LIMIT = 64 * 1024;
const LF = 10;
/** A request whose whole body came with its head and is no longer than this is sent in one write. */
const INLINE_BODY = 8 * 1024;
/** How long a closed connection still takes in what the client was sending, so that it can read the answer. */
const LINGER_TIME = 2000;
/** An idle connection is not closed in a drain before this: its next request may be on the way. */
const DRAIN_GRACE = 1000;

/**
 * One client's connection. It reads heads and bodies, and hands each request to an exchange of its own, one after the
 * other: what a client pipelines waits here, so answers keep its order (RFC 9112, 9.3.2).
 */
export class ClientConnection implements Deadlined, Downstream {
  readonly answer: Http1Answer;
  deadline = 0;
  clockSlot = -1;
  private readonly context: GatewayContext;
  private readonly socket: Socket;
  private readonly outlet: Outlet;
  private readonly peer: ClientPeer;
  private readonly onClosed: (connection: ClientConnection) => void;
  private state: State = State.HEAD;
  private exchange: Exchange | undefined;
  private input: Buffer | undefined;
  private consuming = false;
  private paused = false;
  private readonly body: RequestBody = new RequestBody();
  /** The head of the request under way, for the rare answer that has to look at it again. */
  private headBytes: Buffer | undefined;
  private headStart = 0;
  /** A part of the next head has come; its deadline counts from the first byte. */
  private headBegun = false;
  private inputEnded = false;
  private activeAt: number;
  /** Bytes of a body since its deadline was set last. */
  private bodyBytes = 0;
  private offences: Offences | undefined;

  constructor(
    context: GatewayContext,
    socket: Socket,
    peer: ClientPeer,
    onClosed: (connection: ClientConnection) => void,
  ) {
    this.context = context;
    this.socket = socket;
    this.peer = peer;
    this.onClosed = onClosed;
    this.outlet = new Outlet(socket);
    this.answer = new Http1Answer(context, this.outlet);
    this.activeAt = context.clock.now;
    this.deadline = context.clock.now + context.settings.timeouts.idle;
    context.clock.watch(this);
    readDirectly(socket, (chunk) => {
      this.onData(chunk);
      return !this.paused;
    });
    socket.on("drain", () => this.onDrain());
    socket.on("end", () => this.onEnd());
    socket.on("finish", () => this.onFinish());
    // The reason does not matter: "close" follows, and nobody is left to be told.
    socket.on("error", () => {});
    socket.on("close", () => this.onClose());
  }

  // --- what the exchange asks --------------------------------------------------------------------------------------

  pauseInput(): void {
    if (this.paused) return;
    this.paused = true;
    this.deadline = 0;
    this.socket.pause();
  }

  resumeInput(): void {
    if (!this.paused || (this.input?.length ?? 0) > INPUT_LIMIT) return;
    this.paused = false;
    if (this.state === State.BODY) this.awaitBody();
    this.socket.resume();
  }

  onBlocked(): void {
    this.awaitInput();
  }

  onTunnel(): void {
    this.state = State.TUNNEL;
    this.deadline = 0;
    this.socket.setKeepAlive(true, 60_000);
    const early = this.input;
    this.input = undefined;
    this.resumeInput();
    if (early !== undefined) this.consume(early);
    if (this.inputEnded) this.exchange?.onClientEnd();
  }

  onExchangeDone(): void {
    this.exchange = undefined;
    this.headBytes = undefined;
    // In a drain what was pipelined is not dropped unsaid: the next answer tells that it is the last one.
    const close =
      this.state === State.TUNNEL || this.answer.close || (this.context.draining && this.input === undefined);
    if (close) this.closeGracefully();
    else this.nextRequest();
  }

  answerOwn(problem: Problem, requestId: string, group?: string): void {
    this.exchange = undefined;
    this.sendOwn(problem, requestId, group, this.wishes(), this.mustCloseAfterOwn);
  }

  cut(): void {
    this.exchange = undefined;
    this.answer.flush();
    // Without a length or chunks the end of the connection would look like the end of the body (RFC 9112, 8).
    if (this.answer.http10) resetConnection(this.socket);
    this.close();
  }

  endOutput(): void {
    this.outlet.flush();
    this.socket.end();
  }

  // --- life of the connection --------------------------------------------------------------------------------------

  /** The gateway stops: an idle connection ends at once, or after a short grace if it was busy just now. */
  drain(): void {
    if (this.state !== State.HEAD || this.input !== undefined) return;
    const until = this.activeAt + DRAIN_GRACE;
    if (this.context.clock.now >= until) this.closeGracefully();
    else this.deadline = until;
  }

  destroy(): void {
    const exchange = this.exchange;
    this.exchange = undefined;
    exchange?.abort();
    this.close();
  }

  onDeadline(): void {
    switch (this.state) {
      case State.HEAD:
        if (this.input === undefined) this.closeGracefully();
        else this.refuseHead(headTimeout, this.input, 0);
        break;
      case State.BODY:
        if (this.outlet.backlog > 0) this.dropReader();
        else this.refuseBody(bodyTimeout);
        break;
      case State.RESPONSE:
      case State.FLUSH:
        this.dropReader();
        break;
      case State.LINGER:
        if (this.socket.writableFinished) this.destroy();
        else this.dropReader();
        break;
      case State.TUNNEL:
      case State.CLOSED:
        break;
    }
  }

  /**
   * The client does not take its answer. A close in order would leave what the kernel holds of it (megabytes) waiting for
   * minutes in a connection that belongs to nobody.
   */
  private dropReader(): void {
    resetConnection(this.socket);
    this.destroy();
  }

  private onData(chunk: Buffer): void {
    if (this.state === State.LINGER || this.state === State.CLOSED) return;
    const held = this.input;
    if (held === undefined) {
      this.consume(chunk);
      return;
    }
    const joined = Buffer.concat([held, chunk]);
    this.input = joined;
    if (this.state !== State.HEAD) {
      if (joined.length > INPUT_LIMIT) this.pauseInput();
      return;
    }
    // A head that trickles in is parsed again only when a line of it has ended, else its cost would be the square of its
    // size. Waiting for its last line would leave a malformed one unanswered until it times out.
    if (!chunk.includes(LF) && joined.length <= this.context.settings.limits.head) return;
    this.input = undefined;
    this.consume(joined);
  }

  private consume(bytes: Buffer): void {
    const end = bytes.length;
    let position = 0;
    this.consuming = true;
    while (position < end && position >= 0) {
      switch (this.state) {
        case State.HEAD:
          position = this.readHead(bytes, position, end);
          break;
        case State.BODY:
          position = this.readBody(bytes, position, end);
          break;
        case State.RESPONSE:
        case State.FLUSH:
          this.input = bytes.subarray(position);
          if (this.input.length > INPUT_LIMIT) this.pauseInput();
          position = -1;
          break;
        case State.TUNNEL:
          this.exchange?.onTunnelData(bytes, position, end);
          position = end;
          break;
        case State.LINGER:
        case State.CLOSED:
          position = -1;
          break;
      }
    }
    this.exchange?.onRequestReadEnd();
    this.consuming = false;
  }

  /** Returns where to go on, or -1 when there is nothing more to do with these bytes now. */
  private readHead(bytes: Buffer, start: number, end: number): number {
    const head = this.context.admission.head;
    const next = head.parse(bytes, start, end);
    if (next < 0) {
      this.refuseHead(problemOf(head.refusal!), bytes, start);
      return -1;
    }
    if (next === 0) {
      this.input = start === 0 ? bytes : bytes.subarray(start);
      if (!this.headBegun) this.deadline = this.context.clock.now + this.context.settings.timeouts.header;
      this.headBegun = true;
      return -1;
    }
    this.headBegun = false;
    if (head.emptyLines > 0 && this.offend(head.emptyLines)) return -1;
    this.headBytes = bytes;
    this.headStart = start;
    return this.beginRequest(bytes, next, end);
  }

  /** Routes and selects, then hands the request to its exchange. Returns where to go on. */
  private beginRequest(bytes: Buffer, bodyStart: number, end: number): number {
    const { context, body, answer } = this;
    const { admission } = context;
    const { head } = admission;
    context.counters.requests++;
    answer.expect(head);
    const allowed = body.begin(head, context.settings.limits.body);
    this.state = body.done ? State.RESPONSE : State.BODY;
    this.deadline = 0;
    const request = admission.admit(context, this.peer);
    if (request === undefined || !allowed) {
      const problem = allowed ? admission.problem : bodyTooLarge;
      tellRefused(context, this.peer, problem, admission.requestId, head);
      this.sendOwn(problem, admission.requestId, undefined, wishesOf(head), this.mustCloseAfterOwn);
      return bodyStart;
    }
    let next = bodyStart;
    if (!body.chunked && !body.done && body.remaining <= INLINE_BODY && end - bodyStart >= body.remaining) {
      next = bodyStart + body.remaining;
      request.text += bytes.latin1Slice(bodyStart, next);
      body.done = true;
      this.state = State.RESPONSE;
    }
    this.exchange = new Exchange(context, this, request);
    if (!body.done) {
      this.awaitBody();
      if (body.chunked) body.beginChunks(context.settings.limits);
    }
    this.exchange.start(body.done, body.chunked);
    return next;
  }

  private readBody(bytes: Buffer, start: number, end: number): number {
    const { body, exchange } = this;
    if (exchange === undefined) return -1;
    this.bodyBytes += end - start;
    if (this.bodyBytes >= leastBody(this.context.settings)) this.awaitBody();
    const extensions = body.extensions;
    const next = body.read(bytes, start, end, exchange);
    if (next < 0) this.refuseBody(body.problem!);
    else if (body.extensions > extensions && this.offend(body.extensions - extensions)) return -1;
    else if (body.done) this.endBody(body.trailers);
    return next;
  }

  private endBody(trailers: string): void {
    this.state = State.RESPONSE;
    this.deadline = 0;
    this.exchange?.onRequestEnd(trailers);
  }

  private awaitInput(): void {
    this.deadline = this.context.clock.now + this.context.settings.timeouts.idle;
  }

  private awaitBody(): void {
    this.bodyBytes = 0;
    this.awaitInput();
  }

  /** True: it was one offence too many, and this connection is refused. */
  private offend(weight: number): boolean {
    this.offences ??= new Offences();
    if (!this.offences.add(this.context.clock.now, weight)) return false;
    this.refuseBody(tooManyOffences);
    return true;
  }

  /** An answer of our own after which nothing more is read: the framing is lost, or a limit was passed. */
  private refuse(problem: Problem, requestId: string): void {
    this.sendOwn(problem, requestId, undefined, this.wishes(), true);
  }

  private refuseHead(problem: Problem, bytes: Buffer, start: number): void {
    this.headBytes = bytes;
    this.headStart = start;
    this.refuseUnknown(problem);
  }

  /** There is no request, as far as we know. */
  private refuseUnknown(problem: Problem): void {
    const requestId = this.context.requestIds.next();
    tellRefused(this.context, this.peer, problem, requestId, undefined);
    this.refuse(problem, requestId);
  }

  /** The body went wrong after its request was sent on. An answer that has begun cannot be replaced: it is cut. */
  private refuseBody(problem: Problem): void {
    const exchange = this.exchange;
    this.exchange = undefined;
    exchange?.abort(problem);
    if (exchange === undefined) this.refuseUnknown(problem);
    else if (exchange.answering) this.cut();
    else this.refuse(problem, exchange.requestId);
  }

  private wishes(): AnswerWishes {
    return answerWishes(this.context.admission.head, this.headBytes, this.headStart);
  }

  /** After an answer of our own to a request that was understood. */
  private get mustCloseAfterOwn(): boolean {
    const { answer, context, state } = this;
    return state === State.BODY || !answer.keepAlive || answer.http10 || context.draining;
  }

  private sendOwn(
    problem: Problem,
    requestId: string,
    group: string | undefined,
    wishes: AnswerWishes,
    close: boolean,
  ): void {
    this.headBytes = undefined;
    this.answer.own(problem, requestId, group, wishes, close);
    if (close) this.closeGracefully();
    else this.nextRequest();
  }

  private nextRequest(): void {
    this.activeAt = this.context.clock.now;
    this.awaitInput();
    // A client that pipelines and does not read would have us gather its answers without bound.
    if (this.outlet.backlog > OUTPUT_LIMIT) {
      this.state = State.FLUSH;
      return;
    }
    this.state = State.HEAD;
    // The outermost `consume` goes on by itself with what it has.
    if (this.consuming) return;
    const waiting = this.input;
    this.input = undefined;
    if (waiting !== undefined) this.consume(waiting);
    if (this.state !== State.HEAD) return;
    this.resumeInput();
    if (this.inputEnded && this.exchange === undefined) this.closeGracefully();
  }

  private onDrain(): void {
    if (this.state === State.RESPONSE) this.deadline = 0;
    if (this.state === State.FLUSH) this.onExchangeDone();
    else this.exchange?.onClientDrain();
  }

  /** All that was to be sent is in the kernel's hands; what the client still sends is taken in for a while. */
  private onFinish(): void {
    if (this.state === State.LINGER) this.deadline = this.context.clock.now + LINGER_TIME;
  }

  /** The client sent FIN: it may still wait for its answer (RFC 9112, 9.6 lets it), but sends nothing more. */
  private onEnd(): void {
    this.inputEnded = true;
    switch (this.state) {
      case State.HEAD:
      case State.LINGER:
        // Ended already, as after most answers that close: ending it again would build an error that nobody reads.
        if (!this.socket.writableEnded) this.socket.end();
        break;
      case State.BODY:
        // The server must never take a cut body for a whole one: its connection goes too.
        this.destroy();
        break;
      case State.TUNNEL:
        this.exchange?.onClientEnd();
        break;
      // What was pipelined before the FIN is still answered; the connection ends after that.
      case State.RESPONSE:
      case State.FLUSH:
      case State.CLOSED:
        break;
    }
  }

  private closeGracefully(): void {
    if (this.state === State.CLOSED) return;
    this.state = State.LINGER;
    this.input = undefined;
    // A slow client gets the time of one that is idle for the rest of its answer; `onFinish` sets the linger time.
    const time = this.socket.writableFinished ? LINGER_TIME : this.context.settings.timeouts.idle;
    this.deadline = this.context.clock.now + time;
    this.paused = false;
    this.socket.resume();
    this.socket.end();
  }

  private onClose(): void {
    this.destroy();
    this.onClosed(this);
  }

  private close(): void {
    if (this.state === State.CLOSED) return;
    this.state = State.CLOSED;
    this.deadline = 0;
    this.context.clock.unwatch(this);
    this.socket.destroy();
  }
}
