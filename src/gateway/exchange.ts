import { resolvePool } from "../core/fallback.ts";
import { abandonProbe, recordFailure, recordSuccess } from "../core/health.ts";
import { isIdempotent, mayRepeat } from "../core/retry.ts";
import type { Selection } from "../core/select.ts";
import { BodyKind, type ResponseHead } from "../http1/response-head.ts";
import type { AppRuntime } from "./app-runtime.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { GatewayContext } from "./gateway-context.ts";
import {
  badResponse,
  connectFailed,
  groupDown,
  noServer,
  serverCut,
  type GatewayError,
} from "./gateway-error.ts";
import { HeldBody } from "./held-body.ts";
import type { Outlet } from "./outlet.ts";
import { interimHeadText, responseHeadText } from "./response-emitter.ts";
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
export class Exchange implements UpstreamListener {
  readonly requestMethod: string;
  readonly requestId: string;
  private readonly context: GatewayContext;
  private readonly client: ClientConnection;
  private readonly runtime: AppRuntime;
  private readonly selection: Selection;
  /** What the balancer `hash` turns on. */
  private readonly clientKey: string;
  private readonly head: string;
  private readonly upgrade: boolean;
  private body: HeldBody | undefined;
  private bodyComplete = false;
  private chunkedBody = false;
  private server: UpstreamServer | undefined;
  private upstream: UpstreamConnection | undefined;
  private tried: UpstreamServer[] = [];
  private sentAt = 0;
  private tries = 0;
  private refused = 0;
  /** The request went to the connection that is on now. */
  private sent = false;
  private staleSeen = false;
  /** This try is the one by which a server whose die time is over is judged. */
  private probe = false;
  private responseStarted = false;
  private chunkedOut = false;
  private closeAfter = false;
  private tunnel = false;

  constructor(
    context: GatewayContext,
    client: ClientConnection,
    runtime: AppRuntime,
    selection: Selection,
    request: { method: string; head: string; id: string; clientKey: string; upgrade: boolean },
  ) {
    this.context = context;
    this.client = client;
    this.runtime = runtime;
    this.selection = selection;
    this.requestMethod = request.method;
    this.requestId = request.id;
    this.clientKey = request.clientKey;
    this.head = request.head;
    this.upgrade = request.upgrade;
  }

  /** Sends the request off. `bodyComplete`: it has no body, or its head text holds it already. */
  start(bodyComplete: boolean, chunkedBody: boolean): void {
    this.bodyComplete = bodyComplete;
    this.chunkedBody = chunkedBody;
    if (!bodyComplete) this.body = new HeldBody();
    this.context.counters.inFlight++;
    this.runtime.budget.onRequest(this.context.clock.now);
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

  /** The client is gone: nobody waits for the answer. */
  abort(): void {
    this.leaveProbe();
    this.dropUpstream();
    this.finish();
  }

  // --- the response, from the server -------------------------------------------------------------------------------

  onConnected(): void {
    this.send();
  }

  onInterimHead(head: ResponseHead): void {
    // 1xx is unknown to HTTP/1.0 (RFC 9110, 15.2), and a 100 is for those who asked for it.
    if (this.client.http10 || (head.status === 100 && !this.client.expectsContinue)) return;
    this.client.outlet.append(interimHeadText(head));
  }

  onResponseHead(head: ResponseHead, bodyKind: BodyKind): boolean {
    if (head.status === 101) return this.onSwitch(head);
    if (this.runtime.app.retry.on.includes(head.status)) {
      this.blame(`status ${head.status}`);
      if (this.tryElsewhere()) return false;
    } else this.praise();
    const client = this.client;
    const unframed = bodyKind === BodyKind.CHUNKED || bodyKind === BodyKind.UNTIL_CLOSE;
    this.responseStarted = true;
    this.chunkedOut = unframed && !client.http10;
    this.closeAfter =
      !client.keepAlive || this.context.draining || !this.bodyComplete || (unframed && client.http10);
    client.outlet.append(
      responseHeadText(head, {
        bodyKind,
        http10: client.http10,
        close: this.closeAfter,
        httpDate: this.context.clock.httpDate,
        group:
          this.selection.rule.kind === "tester" || this.runtime.app.expose ? (this.server?.group ?? "") : "",
      }),
    );
    return true;
  }

  onResponseData(bytes: Buffer, start: number, end: number): void {
    const outlet = this.client.outlet;
    if (this.chunkedOut) {
      outlet.append(`${(end - start).toString(16)}\r\n`);
      outlet.appendBytes(bytes, start, end);
      outlet.append("\r\n");
    } else outlet.appendBytes(bytes, start, end);
  }

  onReadEnd(): void {
    const outlet = this.client.outlet;
    if (outlet.flush()) this.upstream?.lendBuffer();
    if (outlet.backlog > BACKLOG_LIMIT) {
      this.upstream?.pause();
      this.client.onBlocked();
    }
  }

  onResponseEnd(trailers: string): void {
    if (this.chunkedOut) this.client.outlet.append(`0\r\n${trailers}\r\n`);
    const upstream = this.upstream;
    if (this.client.outlet.flush()) upstream?.lendBuffer();
    this.upstream = undefined;
    this.endTry();
    // Answered before the request was through: what the server makes of the rest, nobody knows.
    if (this.bodyComplete) upstream?.release();
    else upstream?.destroy();
    this.finish();
    this.client.onExchangeDone(this.closeAfter);
  }

  onTryFailed(error: GatewayError, detail: string): void {
    const { upstream, server } = this;
    if (this.tunnel) {
      this.dropUpstream();
      this.finish();
      this.client.onExchangeDone(true);
      return;
    }
    // A connection that lay idle may have been closed by the server just before our request arrived: no fault of its.
    const stale =
      upstream?.reused === true && error === serverCut && !this.responseStarted && !this.staleSeen;
    const refused = error === connectFailed;
    // Nor is one that hangs up on a client who has not sent all of its request: else any client could kill servers.
    const excused = stale || (error === serverCut && !this.bodyComplete && !this.responseStarted);
    if (stale) this.staleSeen = true;
    if (!excused) this.blame(`${error.code}: ${detail}`);
    else this.leaveProbe();
    this.upstream = undefined;
    if (this.responseStarted) {
      this.endTry();
      this.finish();
      this.context.counters.cuts++;
      this.client.cut();
      return;
    }
    if (stale || refused) this.tries--;
    if (refused) this.refused++;
    if (!stale && server !== undefined) this.tried.push(server);
    const again = stale || refused ? this.isRepeatable() : this.mayTryAgain();
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
    this.tries++;
    this.server = server;
    this.sentAt = this.context.clock.now;
    server.inFlight++;
    server.requests++;
    const idle = this.staleSeen ? undefined : server.takeIdle();
    if (idle === undefined) {
      this.upstream = new UpstreamConnection(this.context, server, this);
      return;
    }
    this.upstream = idle;
    idle.assign(this);
    this.send();
  }

  private choose(): UpstreamServer | undefined {
    const { runtime, selection, context } = this;
    const now = context.clock.now;
    let name = selection.pool;
    if (name !== "all") {
      const resolved = resolvePool(
        runtime.app,
        selection,
        runtime.pool("test").hasLive(now),
        runtime.pool("rest").hasLive(now),
      );
      name = resolved.pool;
      if (resolved.because === "shareFallback") context.counters.shareFallbacks++;
      else if (resolved.because === "testerFallback") context.counters.testerFallbacks++;
      else if (resolved.because === "emergencySpill") context.counters.emergencySpills++;
    }
    const pool = runtime.pool(name);
    const server = pool.pick(now, this.clientKey, this.tried);
    this.probe = pool.probing;
    if (pool.panicking) context.counters.panics++;
    if (server === undefined && name === "test" && selection.rule.kind === "share") {
      context.counters.shareFallbacks++;
      return runtime.pool("rest").pick(now, this.clientKey, this.tried);
    }
    return server;
  }

  private send(): void {
    const upstream = this.upstream!;
    const outlet = upstream.outlet;
    this.sent = true;
    outlet.append(this.head);
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
      responseStarted: this.responseStarted,
    });
  }

  private mayTryAgain(): boolean {
    const { app, budget } = this.runtime;
    // Clients who are in a test by chance do not pay for it: the others' pool is a try more.
    const byShare = this.selection.rule.kind === "share" && this.selection.pool === "test";
    if (this.tries >= app.retry.tries + (byShare ? 1 : 0) || !this.isRepeatable()) return false;
    if (budget.tryRetry(this.context.clock.now)) return true;
    this.context.counters.retriesRefused++;
    return false;
  }

  private giveUp(error: GatewayError): void {
    this.finish();
    const { runtime, selection } = this;
    const group = selection.rule.kind === "tester" ? runtime.groupUnderTest : undefined;
    const down = group !== undefined && !runtime.pool("test").hasLive(this.context.clock.now);
    this.client.answer(down ? groupDown : error, this.requestId, group?.name);
  }

  private onSwitch(head: ResponseHead): boolean {
    if (!this.upgrade || !head.upgrade) {
      // A 101 that nobody asked for would make the rest of the connection unreadable.
      this.upstream = undefined;
      this.blame("unasked 101");
      this.endTry();
      this.giveUp(badResponse);
      return false;
    }
    this.praise();
    this.responseStarted = true;
    this.tunnel = true;
    this.client.outlet.append(interimHeadText(head));
    this.client.onTunnel();
    return true;
  }

  private blame(detail: string): void {
    const server = this.server;
    if (server === undefined) return;
    server.failures++;
    server.lastError = detail;
    const { health } = this.runtime.app;
    if (recordFailure(server.health, health, this.context.clock.now, Math.random(), this.sentAt)) {
      this.context.onServerDied(server, detail);
    }
  }

  private praise(): void {
    const server = this.server;
    if (server !== undefined && recordSuccess(server.health)) this.context.onServerRevived(server);
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
  }

  private finish(): void {
    this.context.counters.inFlight--;
  }
}

function appendPiece(outlet: Outlet, piece: string | Buffer): void {
  if (typeof piece === "string") outlet.append(piece);
  else outlet.appendBytes(piece, 0, piece.length);
}
