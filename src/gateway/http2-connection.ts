import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { GatewayLimits } from "../config/gateway-settings.ts";
import { Offences } from "../core/offences.ts";
import type { ClientPeer } from "./client-peer.ts";
import type { Deadlined } from "./clock.ts";
import { countError } from "./gateway-counters.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { tooManyOffences } from "./gateway-error.ts";
import { Http2Stream, type Http2StreamOwner } from "./http2-stream.ts";

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_FLAG_END_STREAM, NGHTTP2_SETTINGS_TIMEOUT } = constants;

/** Requests one connection may have under way: what nginx allows, and RFC 9113, 6.5.2 asks for at least 100. */
const MAX_STREAMS = 128;
/**
 * Bytes of bodies that all streams of a connection together may have on the way to us. Each stream has 64 KiB of its
 * own, which is what bounds memory; this only has to be more than one stream's, so that they do not wait for each other.
 */
const CONNECTION_WINDOW = 1024 * 1024;
/** MiB that node:http2 lets a session use before it refuses new streams: 128 answers with what one read brings. */
const SESSION_MEMORY = 32;
/** Milliseconds between two looks at a session, and at what its client does with it. */
const PULSE = 1000;
/** How long a connection that was ended may take to go. */
const LINGER_TIME = 2000;

// What an offence weighs: a connection may have 100 at once, and one a second is forgiven.
const CANCEL_WEIGHT = 0.2;
const PING_WEIGHT = 0.02;
/** Bytes that serve no request (control frames, padding, empty frames) and weigh as much as one offence. */
const IDLE_BYTES = 10 * 1024;

/**
 * One client's connection of HTTP/2. node:http2 does the framing; each stream becomes a request of its own. Here is what
 * belongs to all of them: limits, the end, and the count of what a client does to no honest end.
 */
export class Http2Connection implements Deadlined, Http2StreamOwner {
  deadline: number;
  clockSlot = -1;
  private readonly context: GatewayContext;
  private readonly socket: Socket;
  private readonly peer: ClientPeer;
  private readonly onClosed: (connection: Http2Connection) => void;
  private readonly session: ServerHttp2Session;
  private readonly streams = new Set<Http2Stream>();
  private readonly offences = new Offences();
  private readonly begunAt: number;
  private activeAt: number;
  private settled = false;
  private ending = false;
  private gone = false;
  /** Streams that were served, less those that were cancelled. */
  private credit = 0;
  /** Bytes of heads and bodies that came. */
  private useful = 0;
  /** Bytes that served no request, at the last look. */
  private idleBytes = 0;
  /** Highest stream that was seen as a request; the one that is being looked at, and since when. */
  private lastStream = 0;
  private awaited = 0;
  private awaitedSince = 0;

  constructor(
    context: GatewayContext,
    socket: Socket,
    peer: ClientPeer,
    onClosed: (connection: Http2Connection) => void,
  ) {
    this.context = context;
    this.socket = socket;
    this.peer = { ...peer, http2: true };
    this.onClosed = onClosed;
    this.begunAt = context.clock.now;
    this.activeAt = context.clock.now;
    this.deadline = context.clock.now + PULSE;
    context.clock.watch(this);
    const session = performServerHandshake(socket, sessionOptions(context.settings.limits));
    this.session = session;
    session.on(
      "stream",
      (stream: ServerHttp2Stream, _fields: unknown, flags: number, raw: readonly string[]) =>
        this.onStream(stream, flags, raw),
    );
    session.on("remoteSettings", () => this.onSettings());
    session.on("ping", () => this.offend(PING_WEIGHT));
    // The reasons do not matter: "close" follows.
    session.on("error", ignore);
    session.on("frameError", ignore);
    socket.on("error", ignore);
    session.on("close", () => this.onClose());
    socket.on("close", () => this.onClose());
    // Half a connection is of no use here: without the client's side no window opens and nothing is acknowledged.
    socket.on("end", () => this.destroy());
    session.setLocalWindowSize(CONNECTION_WINDOW);
  }

  /**
   * The gateway stops: no more streams, those under way end. Requests that cross the GOAWAY are above the stream it
   * names, so their client knows that nobody has seen them, and may repeat even a POST elsewhere (RFC 9113, 8.7). The
   * notice ahead of it that RFC 9113, 6.8 suggests cannot be had: node:http2 stops taking streams with any GOAWAY.
   */
  drain(): void {
    // Not in the turn that made the session: what was read before it is handed to it at the end of that turn.
    setImmediate(() => this.end());
  }

  destroy(): void {
    for (const stream of this.streams) stream.destroy();
    if (!this.session.destroyed) this.session.destroy();
    this.socket.destroy();
  }

  onUseful(bytes: number): void {
    this.useful += bytes;
  }

  onStreamOffence(): void {
    this.offend(1);
  }

  onStreamClosed(stream: Http2Stream, cancelled: boolean): void {
    this.streams.delete(stream);
    this.activeAt = this.context.clock.now;
    if (!cancelled) this.credit++;
    // CVE-2023-44487: streams opened only to be reset. Who takes back less than every second request is a browser.
    else if (--this.credit < 0) {
      this.credit = 0;
      this.offend(CANCEL_WEIGHT);
    }
    if (this.ending) this.linger();
  }

  onDeadline(now: number): void {
    const { timeouts } = this.context.settings;
    const { session } = this;
    // Also by itself: the client said GOAWAY, or broke a rule that ends the connection.
    this.ending ||= session.closed || session.destroyed;
    if (this.ending) {
      if (session.destroyed || this.streams.size === 0) this.destroy();
      return;
    }
    this.deadline = now + PULSE;
    if (!this.settled && now - this.begunAt >= timeouts.header) {
      this.terminate(NGHTTP2_SETTINGS_TIMEOUT);
    } else if (this.streams.size === 0 && now - this.activeAt >= timeouts.idle) this.end();
    else if (this.headIsLate(now)) this.terminate(NGHTTP2_ENHANCE_YOUR_CALM);
    else this.weighIdleBytes();
  }

  private onStream(stream: ServerHttp2Stream, flags: number, fields: readonly string[]): void {
    const { context } = this;
    this.lastStream = Math.max(this.lastStream, stream.id ?? 0);
    this.activeAt = context.clock.now;
    for (const part of fields) this.useful += part.length;
    const ended = (flags & NGHTTP2_FLAG_END_STREAM) !== 0;
    const request = new Http2Stream(context, this, stream, ended);
    this.streams.add(request);
    // What was reset before its turn came is not even looked at.
    if (!stream.closed && !stream.destroyed) request.begin(fields, this.peer);
  }

  private onSettings(): void {
    // The first ones are owed (RFC 9113, 3.4).
    if (this.settled) this.offend(1);
    this.settled = true;
  }

  /**
   * A head that began (HEADERS without END_HEADERS) and does not come to its end. node:http2 says nothing of it before
   * it is whole; but it counts the stream. It counts those too that it refused, hence the ping: in the middle of a head
   * nobody may answer it (RFC 9113, 4.3).
   */
  private headIsLate(now: number): boolean {
    const last = this.session.state.lastProcStreamID ?? 0;
    if (last <= this.lastStream) {
      this.awaited = 0;
      return false;
    }
    if (last !== this.awaited) {
      this.awaited = last;
      this.awaitedSince = now;
      this.session.ping((error) => {
        if (error === null && this.lastStream < last) this.lastStream = last;
      });
    }
    return now - this.awaitedSince >= this.context.settings.timeouts.header;
  }

  /**
   * Floods of frames that cost their sender next to nothing and us a little: PRIORITY, WINDOW_UPDATE, padding. What we
   * send is let count for as much, as it has to be acknowledged.
   */
  private weighIdleBytes(): void {
    let useful = this.useful;
    for (const stream of this.streams) useful += stream.unread;
    const idle = this.socket.bytesRead - useful - this.socket.bytesWritten;
    if (idle > this.idleBytes) this.offend((idle - this.idleBytes) / IDLE_BYTES);
    this.idleBytes = idle;
  }

  /** RFC 9113, 10.5. */
  private offend(weight: number): void {
    if (this.gone || !this.offences.add(this.context.clock.now, weight)) return;
    countError(this.context.counters, tooManyOffences.code);
    this.terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** GOAWAY with this code, and the end of everything under way. */
  private terminate(code: number): void {
    if (this.session.destroyed) return;
    this.ending = true;
    this.session.destroy(new Error("ended by the gateway"), code);
    this.linger();
  }

  private end(): void {
    if (this.ending || this.session.destroyed) return;
    this.ending = true;
    this.session.close();
    this.linger();
  }

  private linger(): void {
    if (this.streams.size === 0 && !this.gone) this.deadline = this.context.clock.now + LINGER_TIME;
  }

  private onClose(): void {
    if (this.gone) return;
    this.gone = true;
    this.deadline = 0;
    this.context.clock.unwatch(this);
    this.destroy();
    this.onClosed(this);
  }
}

function sessionOptions(limits: GatewayLimits): Parameters<typeof performServerHandshake>[1] {
  return {
    maxSessionMemory: SESSION_MEMORY,
    // Above our own limit, so that it is us who answer 431: crumbs of cookies are joined only afterwards.
    maxHeaderListPairs: 2 * limits.headers + 32,
    maxSendHeaderBlockLength: 2 * limits.head + 32 * limits.headers,
    settings: {
      enablePush: false,
      enableConnectProtocol: true,
      maxConcurrentStreams: MAX_STREAMS,
      // HTTP/2 counts 32 bytes more for each field (RFC 9113, 6.5.2).
      maxHeaderListSize: 2 * limits.head + 64 * limits.headers,
    },
  };
}

const ignore = (): void => {};
