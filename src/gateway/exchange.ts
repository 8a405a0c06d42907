import { performance } from "node:perf_hooks";
import { abandonProbe } from "../core/health.ts";
import { isIdempotent, mayRepeat } from "../core/retry.ts";
import type { BodyKind, ResponseHead } from "../http1/response-head.ts";
import { type LoggedRequest, targetOf, tellLog } from "./access-log.ts";
import type { Admitted } from "./admission.ts";
import { byNewestDocument, chooseServer } from "./choose-server.ts";
import type { Deadlined } from "./clock.ts";
import { CountedRequest, NO_LATENCY } from "./counted-request.ts";
import type { AnswerSink, Downstream } from "./downstream.ts";
import type { GatewayContext } from "./gateway-context.ts";
import {
  badResponse,
  connectFailed,
  groupDown,
  noDescriptor,
  noServer,
  requestTimeout,
  serverCut,
  tlsFailed,
  tlsUnknown,
  serverRefused,
  type GatewayError,
} from "./gateway-error.ts";
import type { Failure, GroupMeter } from "./group-meter.ts";
import { HeldBody } from "./held-body.ts";
import type { Outlet } from "./outlet.ts";
import type { Problem } from "./own-answer.ts";
import { withTraceparent } from "./request-trace.ts";
import { blameServer, noteRefusal, praiseServer } from "./server-judgement.ts";
import type { ServerTlsProfile } from "./tls-servers.ts";
import { UpstreamConnection, type UpstreamListener } from "./upstream-connection.ts";
import type { UpstreamServer } from "./upstream-server.ts";

/** Bytes waiting for one side before the other side is no longer read. */
const BACKLOG_LIMIT = 64 * 1024;
/** A refused connection costs no try, as nothing was sent; but nobody waits for a thousand of them. */
const MAX_REFUSED = 16;

/**
 * One request's way through the gateway, from its head to the last byte of its answer: choose a server, send, relay;
 * when a try fails, judge whether it may be repeated and choose again. It keeps the snapshot of the app it began with.
 */
export class Exchange implements UpstreamListener, Deadlined {
  readonly requestMethod: string;
  /** The request's as a whole; most gateways set none. */
  deadline = 0;
  clockSlot = -1;
  private readonly context: GatewayContext;
  private readonly client: Downstream;
  private readonly answer: AnswerSink;
  /** By the newest document when its try began. */
  private request: Admitted;
  private body: HeldBody | undefined;
  private bodyComplete = false;
  private chunkedBody = false;
  private server: UpstreamServer | undefined;
  private upstream: UpstreamConnection | undefined;
  private tried: UpstreamServer[] = [];
  private tls: ServerTlsProfile | undefined;
  private sentAt = 0;
  /** What the shedder of load is told when all is over. */
  private begunAt = 0;
  private tries = 0;
  private refused = 0;
  /** The request went to the connection that is on now. */
  private sent = false;
  private staleSeen = false;
  /** This try is the one by which a server whose die time is over is judged. */
  private probe = false;
  /** The server began to speak: it did get the request, so its connection was not a stale one. */
  private interimSeen = false;
  /** The client heard of this try: another server's answer must not follow (RFC 9110, 9.2.2). */
  private interimRelayed = false;
  private responseStarted = false;
  private tunnel = false;
  /** The server that was asked last. */
  private asked: UpstreamServer | undefined;
  /** How many requests this one stands for; 0: it is not timed. */
  private timed = 0;
  /** When it began; 0: nobody has looked. */
  private timedFrom = 0;
  /** Milliseconds until there was a connection, of a request that is timed. */
  private connecting = 0;
  /** Of the answer; 0: there is none. */
  private status = 0;
  /** Of its body, as far as it came. */
  private bytes = 0;
  /** Undefined: nothing is counted for a verdict. */
  private readonly counted: CountedRequest | undefined;

  constructor(context: GatewayContext, client: Downstream, request: Admitted) {
    this.context = context;
    this.client = client;
    this.answer = client.answer;
    this.request = request;
    this.requestMethod = request.method;
    this.counted = CountedRequest.of(context.clock, request);
  }

  /** Sends the request off. `bodyComplete`: it has no body, or its head text holds it already. */
  start(bodyComplete: boolean, chunkedBody: boolean): void {
    this.bodyComplete = bodyComplete;
    this.chunkedBody = chunkedBody;
    if (!bodyComplete) this.body = new HeldBody();
    const { counters, settings, clock, accessLog } = this.context;
    counters.inFlight++;
    if (accessLog !== undefined) this.timedFrom = performance.now();
    this.begunAt = clock.shedder.begin();
    if (settings.timeouts.request !== null) {
      this.deadline = clock.now + settings.timeouts.request;
      clock.watch(this);
    }
    this.request.runtime.budget.onRequest(clock.now);
    this.attempt();
  }

  // --- the request's body, from the client -------------------------------------------------------------------------

  onRequestData(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    if (this.chunkedBody) this.passBody(`${(end - start).toString(16)}\r\n`);
    this.passBody(bytes.subarray(start, end));
    if (this.chunkedBody) this.passBody("\r\n");
  }

  onRequestEnd(trailers: string): void {
    if (this.chunkedBody) this.passBody(`0\r\n${trailers}\r\n`);
    this.bodyComplete = true;
  }

  /** Everything of one read was passed on. */
  onRequestReadEnd(): void {
    const upstream = this.upstream;
    if (upstream !== undefined && this.sent) {
      upstream.outlet.flush();
      if (!this.tunnel) upstream.touch();
      if (upstream.outlet.backlog > BACKLOG_LIMIT) this.client.pauseInput();
    } else if (this.body?.full === true) this.client.pauseInput();
  }

  /** The client has not sent all of its request yet. */
  get requestPending(): boolean {
    return !this.bodyComplete;
  }

  get requestId(): string {
    return this.request.id;
  }

  /** The answer has begun: it can be cut, but not replaced. */
  get answering(): boolean {
    return this.responseStarted;
  }

  onTunnelData(bytes: Buffer, start: number, end: number): void {
    this.upstream?.outlet.appendBytes(bytes, start, end);
  }

  onClientDrain(): void {
    this.upstream?.resume();
  }

  /** The client of a tunnel has nothing more to say. */
  onClientEnd(): void {
    this.upstream?.end();
  }

  /** The client is gone: nobody waits for the answer. `problem`: its request went wrong, and that is answered instead. */
  abort(problem?: Problem): void {
    this.counted?.left(this.tryLatency(this.latency()));
    if (!this.responseStarted) {
      if (problem === undefined) this.ownMeter().unanswered();
      else this.answered(problem.status, NO_LATENCY);
    }
    this.leaveProbe();
    const why = problem?.code ?? (this.tunnel ? "" : "left");
    if (why !== "") this.request.trace?.tryFailed(why);
    this.dropUpstream();
    this.finish(why);
  }

  onDeadline(): void {
    if (this.bodyComplete) this.counted?.failed(this.tryLatency(this.latency()));
    else this.counted?.excused();
    this.leaveProbe();
    this.request.trace?.tryFailed(requestTimeout.code);
    this.dropUpstream();
    if (this.responseStarted) this.cut();
    else this.giveUp(requestTimeout);
  }

  // --- the response, from the server -------------------------------------------------------------------------------

  onConnected(): void {
    if (this.timed > 0) this.connecting = performance.now() - this.timedFrom;
    this.send();
  }

  onInterimHead(head: ResponseHead): void {
    this.interimSeen = true;
    if (this.answer.interim(head)) this.interimRelayed = true;
  }

  onResponseHead(head: ResponseHead, bodyKind: BodyKind): boolean {
    this.request.trace?.tryAnswered(head.status);
    if (head.status === 101) return this.onSwitch(head);
    const { app } = this.request.runtime;
    const failed = app.retry.on.includes(head.status);
    const refusal = this.answer.refusal(head);
    const latency = this.latency();
    this.counted?.answered(failed || head.status >= 500 || refusal !== undefined, this.tryLatency(latency));
    if (head.status >= 500 && !failed && this.server !== undefined) this.server.errors++;
    if (failed) {
      this.blame("status", `status ${head.status}`);
      if (this.tryElsewhere()) return false;
    } else this.praise();
    if (refusal !== undefined) {
      this.upstream = undefined;
      this.endTry();
      this.giveUp(refusal);
      return false;
    }
    this.responseStarted = true;
    this.answered(head.status, latency);
    if (head.status >= 500) this.counted?.met();
    const told = this.request.selection.rule.kind === "tester" || app.expose;
    const group = told ? (this.server?.group ?? "") : "";
    this.answer.begin(head, { bodyKind, group, requestComplete: this.bodyComplete });
    return true;
  }

  onResponseData(bytes: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    this.answer.data(bytes, start, end);
  }

  onReadEnd(): void {
    const { answer } = this;
    if (answer.flush()) this.upstream?.lendBuffer();
    if (answer.backlog > BACKLOG_LIMIT) {
      this.upstream?.pause();
      this.client.onBlocked();
    }
  }

  onResponseEnd(trailers: string): void {
    this.answer.end(trailers);
    const upstream = this.upstream;
    if (this.answer.flush()) upstream?.lendBuffer();
    this.upstream = undefined;
    this.endTry();
    // Answered before the request was through: what the server makes of the rest, nobody knows.
    if (this.bodyComplete) upstream?.release();
    else upstream?.destroy();
    this.finish();
    this.client.onExchangeDone();
  }

  onTryFailed(error: GatewayError, detail: string): void {
    const { upstream, server } = this;
    if (this.tunnel) {
      this.dropUpstream();
      this.finish();
      this.client.onExchangeDone();
      return;
    }
    this.request.trace?.tryFailed(error.code);
    // A connection that lay idle may have been closed by the server just before our request arrived: no fault of its.
    const stale =
      upstream?.reused === true &&
      error === serverCut &&
      !this.responseStarted &&
      !this.interimSeen &&
      !this.staleSeen;
    // An address we do not connect to is the operator's fault: it costs the server's health nothing, nor a try.
    const forbidden = error === serverRefused;
    const refused = error === connectFailed || error === tlsFailed || forbidden;
    // Our own lack of descriptors says nothing of the server, and another one cannot be reached either.
    const ours = error === noDescriptor;
    // Nor is one that hangs up on a client who has not sent all of its request: else any client could kill servers.
    const excused =
      stale || ours || forbidden || (error === serverCut && !this.bodyComplete && !this.responseStarted);
    if (stale) this.staleSeen = true;
    if (excused) {
      if (!stale) this.counted?.excused();
      this.leaveProbe();
    } else {
      this.counted?.failed(error.status === 504 ? this.tryLatency(this.latency()) : NO_LATENCY);
      this.blame(error.code as Failure, `${error.code}: ${detail}`);
    }
    if (forbidden && server !== undefined) noteRefusal(this.context, server, `${error.code}: ${detail}`);
    this.upstream = undefined;
    if (this.responseStarted) {
      this.endTry();
      this.cut();
      return;
    }
    if (stale || refused) this.tries--;
    if (refused) this.refused++;
    if (!stale && server !== undefined) this.tried.push(server);
    const again = !ours && (stale || refused ? this.isRepeatable() : this.mayTryAgain());
    this.endTry();
    if (again && this.refused < MAX_REFUSED) this.attempt(error);
    else this.giveUp(error);
  }

  onTunnelEnd(): void {
    this.client.endOutput();
  }

  onUpstreamDrain(): void {
    this.client.resumeInput();
  }

  // --- tries -------------------------------------------------------------------------------------------------------

  /** Chooses a server and sends the request there. `last`: why the try before failed. */
  private attempt(last: GatewayError = noServer): void {
    const { tls } = this.request.runtime.app;
    if (tls !== false) {
      this.tls = this.context.serverTls.find(tls);
      if (this.tls === undefined) {
        this.giveUp(tlsUnknown);
        return;
      }
    }
    const server = this.choose();
    if (server === undefined) this.giveUp(last);
    else {
      if (last !== noServer) this.context.counters.retries++;
      this.sendTo(server);
    }
  }

  /** After a status that counts as a failure. False: there is nobody else to try, and this answer is the answer. */
  private tryElsewhere(): boolean {
    this.tried.push(this.server!);
    const server = this.mayTryAgain() ? this.choose() : undefined;
    if (server === undefined) return false;
    this.endTry();
    this.context.counters.retries++;
    this.sendTo(server);
    return true;
  }

  private sendTo(server: UpstreamServer): void {
    this.request.trace?.tryBegins(server, this.tls !== undefined, this.sentTimes);
    this.tries++;
    this.server = server;
    this.asked = server;
    this.sentAt = this.context.clock.now;
    server.inFlight++;
    server.requests++;
    const { proxyHeader } = this.request;
    const idle = this.staleSeen || proxyHeader !== "" ? undefined : server.takeIdle(this.tls);
    if (idle === undefined) {
      this.upstream = new UpstreamConnection(this.context, server, this, this.tls, proxyHeader);
      return;
    }
    this.upstream = idle;
    idle.assign(this);
    this.send();
  }

  private choose(): UpstreamServer | undefined {
    this.request = byNewestDocument(this.context, this.request);
    const choice = chooseServer(this.context, this.request, this.tried);
    if (this.asked === undefined && choice.server !== undefined) this.startTimer(choice.server);
    this.counted?.chosen(choice, this.request);
    this.probe = choice.probe;
    return choice.server;
  }

  private send(): void {
    const upstream = this.upstream!;
    const outlet = upstream.outlet;
    this.sent = true;
    const { text, trace } = this.request;
    outlet.append(trace === undefined ? text : withTraceparent(text, trace.parent));
    if (this.body !== undefined) {
      for (const piece of this.body.all()) appendPiece(outlet, piece);
      if (this.body.full) this.body.drop();
      this.client.resumeInput();
    }
    outlet.flush();
  }

  private passBody(piece: string | Buffer): void {
    const body = this.body!;
    if (body.replayable) body.push(piece);
    if (!this.sent) return;
    appendPiece(this.upstream!.outlet, piece);
    if (body.full) body.drop();
  }

  private isRepeatable(): boolean {
    return mayRepeat({
      sent: this.sent ? "some" : "nothing",
      idempotent: isIdempotent(this.requestMethod),
      bodyHeld: this.body?.replayable !== false,
      responseStarted: this.responseStarted || this.interimRelayed,
    });
  }

  private mayTryAgain(): boolean {
    const { runtime, selection } = this.request;
    const { app, budget } = runtime;
    // Clients who are in a test by chance do not pay for it: the others' pool is a try more.
    const byShare = selection.rule.kind === "share" && selection.pool === "test";
    if (this.tries >= app.retry.tries + (byShare ? 1 : 0) || !this.isRepeatable()) return false;
    if (budget.tryRetry(this.context.clock.now)) return true;
    this.context.counters.retriesRefused++;
    return false;
  }

  private giveUp(error: GatewayError): void {
    if (error.status >= 500) this.counted?.met();
    const { runtime, selection, id } = this.request;
    const group = selection.rule.kind === "tester" ? runtime.groupUnderTest : undefined;
    const down = group !== undefined && !runtime.pool("test").hasLive(this.context.clock.now);
    const problem = down ? groupDown : error;
    this.answered(problem.status, this.latency());
    this.finish(problem.code);
    this.client.answerOwn(problem, id, group?.name);
  }

  private onSwitch(head: ResponseHead): boolean {
    const { upgrade } = this.request;
    if (upgrade === "" || head.upgrade !== upgrade || this.answer.refusal(head) !== undefined) {
      // A 101 that nobody asked for, or to something else, would make the rest of the connection unreadable.
      this.upstream = undefined;
      this.counted?.failed(NO_LATENCY);
      this.request.trace?.tryFailed(badResponse.code);
      this.blame("bad_response", "unasked 101");
      this.endTry();
      this.giveUp(badResponse);
      return false;
    }
    const latency = this.latency();
    this.counted?.answered(false, this.tryLatency(latency));
    this.praise();
    this.responseStarted = true;
    this.answered(head.status, latency);
    this.tunnel = true;
    this.deadline = 0;
    this.answer.switchProtocols(head);
    this.client.onTunnel();
    return true;
  }

  // --- what is counted ---------------------------------------------------------------------------------------------

  private startTimer({ meter }: UpstreamServer): void {
    this.timed = meter.startTimer(this.context.clock.now);
    if (this.timed > 0 && this.timedFrom === 0) this.timedFrom = performance.now();
  }

  private answered(status: number, latency: number): void {
    this.status = status;
    this.ownMeter().answered(status, latency, Number.isNaN(latency) ? 0 : this.timed);
  }

  /** Ms since the request began; NaN: it is not timed. */
  private latency(): number {
    return this.timed === 0 ? NO_LATENCY : performance.now() - this.timedFrom;
  }

  /**
   * The same without what passed until the request went out, for the comparison of versions: connecting is rarer the more
   * requests a server gets, so that the group with the smaller share would look slow. NaN also if it has not gone out.
   */
  private tryLatency(latency: number): number {
    return this.sent ? latency - this.connecting : NO_LATENCY;
  }

  private ownMeter(): GroupMeter {
    return this.asked?.meter ?? this.request.runtime.servers.meter("");
  }

  private blame(why: Failure, detail: string): void {
    if (this.server === undefined) return;
    const { health } = this.request.runtime.app;
    blameServer(this.context, this.server, health, this.sentAt, why, detail);
  }

  private praise(): void {
    if (this.server !== undefined) praiseServer(this.context, this.server);
  }

  /** The probe ends without an outcome: another request may be it. */
  private leaveProbe(): void {
    if (this.probe && this.server !== undefined) abandonProbe(this.server.health);
    this.probe = false;
  }

  private dropUpstream(): void {
    const upstream = this.upstream;
    this.upstream = undefined;
    upstream?.destroy();
    this.endTry();
  }

  private endTry(): void {
    if (this.server !== undefined) this.server.inFlight--;
    this.server = undefined;
    this.sent = false;
    this.request.trace?.tryEnds();
  }

  /** An answer has begun that will not be whole. */
  private cut(): void {
    this.finish("cut");
    this.counted?.cut();
    this.context.counters.cuts++;
    this.client.cut();
  }

  /** `error`: as in `LoggedRequest`. */
  private finish(error: string = ""): void {
    const { clock, counters, accessLog } = this.context;
    counters.inFlight--;
    clock.shedder.end(this.begunAt);
    clock.unwatch(this);
    const { trace } = this.request;
    const logged = accessLog?.wants(this.status, error) === true;
    if (!logged && trace?.sampled !== true) return;
    const told = this.told(error);
    if (logged) tellLog(this.context, told);
    trace?.ends(told);
  }

  /** Servers it was sent to, those that cost no try too. */
  private get sentTimes(): number {
    return this.tries + this.refused + (this.staleSeen ? 1 : 0);
  }

  private told(error: string): LoggedRequest {
    const { request, asked, timedFrom } = this;
    const { app } = request.runtime;
    return {
      app: app.name,
      group: asked?.group ?? "",
      server: asked?.server.id ?? "",
      client: request.address,
      method: request.method,
      target: targetOf(request.text),
      status: this.status,
      error,
      bytes: this.bytes,
      duration: timedFrom === 0 ? NO_LATENCY : performance.now() - timedFrom,
      tries: this.sentTimes,
      id: request.id,
      rule: request.selection.rule,
      release: app.draw,
    };
  }
}

function appendPiece(outlet: Outlet, piece: string | Buffer): void {
  if (typeof piece === "string") outlet.append(piece);
  else outlet.appendBytes(piece, 0, piece.length);
}
