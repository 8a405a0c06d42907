import { Socket, type OnReadOpts, type SocketConstructorOpts } from "node:net";
import { BodyKind, type ResponseHead } from "../http1/response-head.ts";
import { REFUSED } from "./address-guard.ts";
import type { Deadlined } from "./clock.ts";
import { connectOptions, refusedError } from "./connect-options.ts";
import type { GatewayContext } from "./gateway-context.ts";
import {
  badResponse,
  connectFailed,
  connectTimeout,
  noDescriptor,
  responseTimeout,
  serverCut,
  tlsFailed,
  serverRefused,
  type GatewayError,
} from "./gateway-error.ts";
import { Outlet } from "./outlet.ts";
import { readToTheEnd } from "./read-to-the-end.ts";
import { ResponseBody, type ResponseBodySink } from "./response-body.ts";
import { isTlsAlert, tlsFailureText } from "./tls-failure.ts";
import { connectSecurely, type ServerTlsProfile } from "./tls-servers.ts";
import type { UpstreamServer } from "./upstream-server.ts";

/** What an upstream connection tells the exchange that is on it. */
export interface UpstreamListener extends ResponseBodySink {
  onConnected(): void;
  /** The try failed before or within the response. `refused`: no connection came about, so nothing was sent. */
  onTryFailed(error: GatewayError, detail: string): void;
  /** A 1xx response other than 101. */
  onInterimHead(head: ResponseHead): void;
  /** The final head, or a 101. False: the exchange does not want this response (it will be retried elsewhere). */
  onResponseHead(head: ResponseHead, bodyKind: BodyKind): boolean;
  onResponseEnd(trailers: string): void;
  /** Everything of one read was passed on: time to send what was gathered. */
  onReadEnd(): void;
  onTunnelEnd(): void;
  onUpstreamDrain(): void;
  readonly requestMethod: string;
  /** A part of the request has yet to come from the client. */
  readonly requestPending: boolean;
}

const State = { CONNECTING: 0, IDLE: 1, HEAD: 2, BODY: 3, TUNNEL: 4, CLOSED: 5 } as const;
type State = (typeof State)[keyof typeof State];

const SMALL_BUFFER = 16 * 1024;
const LARGE_BUFFER = 64 * 1024;
/**
 * Whole buffers of one server in a row before the others have their turn: libuv itself would go on for 32 of them, in which
 * time all other connections wait.
 */
const READS_IN_A_ROW = 4;
const LF = 10;
/** Interim responses one response may have; a server that sends more is broken. */
const MAX_INTERIM = 16;
/**
 * Milliseconds a connection may lie idle: less than the 5 s after which servers on Node.js close it (most others wait
 * longer), so that requests which must not be repeated do not meet a connection that is just being closed.
 */
const IDLE_TIME = 4000;

/**
 * One connection to a server. It parses what comes back and hands it to the exchange on it; between exchanges it
 * lies idle with its server. A connection that sent one byte more than its response, was answered early, or whose
 * request was not fully written is never used again: the exchange then destroys it.
 *
 * It reads into a buffer of its own (`onread`): no allocation per read. When a large write to a slow client still
 * refers to that buffer, the next read gets another one.
 */
export class UpstreamConnection implements Deadlined {
  readonly server: UpstreamServer;
  readonly profile: ServerTlsProfile | undefined;
  readonly outlet: Outlet;
  /** Carried a request before: a failure may then only mean that the server had closed it meanwhile. */
  reused = false;
  deadline = 0;
  clockSlot = -1;
  private readonly context: GatewayContext;
  private readonly socket: Socket;
  private listener: UpstreamListener | undefined;
  private state: State = State.CONNECTING;
  private buffer: Buffer = Buffer.allocUnsafeSlow(SMALL_BUFFER);
  private bufferLent = false;
  private wantLarge = false;
  /** Reads that filled the buffer, without one between that did not. */
  private fullReads = 0;
  /** Bytes of a head that is not complete. */
  private partial: Buffer | undefined;
  private readonly body: ResponseBody = new ResponseBody();
  private interim = 0;
  private keepAlive = false;
  private paused = false;
  /** Of TLS: the connection stands, and the handshake is under way or over. */
  private reached = false;
  private readonly proxyHeader: string;
  private error: NodeJS.ErrnoException | undefined;

  /**
   * `profile`: how TLS is spoken; undefined: not at all. `proxyHeader`: goes before everything else; "": none. Such a
   * connection carries one request.
   */
  constructor(
    context: GatewayContext,
    server: UpstreamServer,
    listener: UpstreamListener,
    profile: ServerTlsProfile | undefined,
    proxyHeader: string,
  ) {
    this.context = context;
    this.server = server;
    this.listener = listener;
    this.profile = profile;
    this.proxyHeader = proxyHeader;
    const onread = {
      buffer: () => this.nextBuffer(),
      callback: (size: number) => this.onRead(size),
    };
    const refusal = context.guard.refusal(server.server.target);
    if (refusal !== undefined) this.socket = new Socket().destroy(refusedError(refusal));
    else this.socket = profile === undefined ? this.plain(onread) : this.secure(profile, onread);
    this.outlet = new Outlet(this.socket);
    this.socket.on("drain", () => this.listener?.onUpstreamDrain());
    this.socket.on("end", () => this.onEnd());
    this.socket.on("error", (error) => {
      this.error = error;
    });
    this.socket.on("close", () => this.onClose());
    this.deadline = context.clock.now + context.settings.timeouts.connect;
    context.clock.watch(this);
  }

  /** Puts an idle connection to use. */
  assign(listener: UpstreamListener): void {
    this.listener = listener;
    this.reused = true;
    this.awaitResponse();
  }

  /** The request (or a part of its body) was written: the server's silence counts from here. */
  touch(): void {
    this.deadline = this.context.clock.now + this.context.settings.timeouts.response;
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.deadline = 0;
    this.socket.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.state !== State.TUNNEL) this.touch();
    this.socket.resume();
  }

  /** A write that is not through refers to the read buffer: the next read takes another one. */
  lendBuffer(): void {
    this.bufferLent = true;
  }

  /** The exchange is over and all went well: back to the server's idle connections, if it may be used again. */
  release(): void {
    this.listener = undefined;
    // What a PROXY header says is true of one client only.
    if (!this.keepAlive || this.proxyHeader !== "" || this.paused || this.outlet.backlog > 0) {
      this.destroy();
      return;
    }
    this.state = State.IDLE;
    this.wantLarge = false;
    this.deadline = this.context.clock.now + IDLE_TIME;
    if (!this.server.putIdle(this)) this.destroy();
  }

  /** Sends FIN: the other side of a tunnel has nothing more to say. */
  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.listener = undefined;
    this.close();
  }

  onDeadline(): void {
    switch (this.state) {
      case State.CONNECTING:
        this.fail(connectTimeout, `no connection within ${this.context.settings.timeouts.connect} ms`);
        break;
      case State.HEAD:
      case State.BODY:
        // A server that was given all there is waits for the client as we do: a stalled upload is not its fault.
        if (this.listener?.requestPending === true && this.outlet.backlog === 0) this.touch();
        else this.fail(responseTimeout, `silent for ${this.context.settings.timeouts.response} ms`);
        break;
      case State.IDLE:
        this.server.removeIdle(this);
        this.destroy();
        break;
      case State.TUNNEL:
      case State.CLOSED:
        break;
    }
  }

  private plain(onread: OnReadOpts): Socket {
    // The constructor takes `onread`, as `net.connect` hands its options on; its type does not say so.
    const socket = new Socket({ onread } as SocketConstructorOpts);
    readToTheEnd(socket);
    socket.connect({ ...connectOptions(this.server.server.target, this.context.guard), noDelay: true });
    socket.on("connect", () => this.onConnect());
    return socket;
  }

  private secure(profile: ServerTlsProfile, onread: OnReadOpts): Socket {
    const { server, context } = this;
    const socket = connectSecurely(profile, server.server.target, context.guard, {
      onread,
      session: server.sessionOf(profile),
    });
    socket.on("connect", () => {
      this.reached = true;
    });
    socket.on("session", (ticket) => server.keepSession(profile, ticket));
    socket.on("secureConnect", () => this.onConnect());
    return socket;
  }

  private onConnect(): void {
    if (this.state !== State.CONNECTING) return;
    if (this.proxyHeader !== "") this.outlet.append(this.proxyHeader);
    this.awaitResponse();
    this.listener?.onConnected();
  }

  private awaitResponse(): void {
    this.state = State.HEAD;
    this.keepAlive = false;
    this.interim = 0;
    this.touch();
  }

  private nextBuffer(): Buffer {
    const size = this.wantLarge ? LARGE_BUFFER : SMALL_BUFFER;
    if (this.bufferLent || this.buffer.length !== size) {
      this.bufferLent = false;
      this.buffer = Buffer.allocUnsafeSlow(size);
    }
    return this.buffer;
  }

  /** False stops reading until `resume`. */
  private onRead(size: number): boolean {
    const bytes = this.buffer;
    if (this.state !== State.TUNNEL && this.state !== State.IDLE) this.touch();
    const full = size === bytes.length;
    if (full) this.wantLarge = true;
    this.fullReads = full ? this.fullReads + 1 : 0;
    switch (this.state) {
      case State.HEAD:
        this.readHead(bytes, size);
        break;
      case State.BODY:
        this.readBody(bytes, 0, size);
        break;
      case State.TUNNEL:
        this.listener?.onResponseData(bytes, 0, size);
        break;
      case State.IDLE:
        // A byte nobody asked for: were it taken for the next answer, all later answers would be shifted by one.
        this.server.removeIdle(this);
        this.destroy();
        break;
      case State.CONNECTING:
      case State.CLOSED:
        break;
    }
    this.listener?.onReadEnd();
    const isGreedy = this.fullReads >= READS_IN_A_ROW;
    if (isGreedy) this.letOthers();
    return !this.paused && !isGreedy;
  }

  /** Reads on in the next turn of the loop. */
  private letOthers(): void {
    this.socket.pause();
    setImmediate(() => {
      this.fullReads = 0;
      if (!this.paused) this.socket.resume();
    });
  }

  private readHead(bytes: Buffer, size: number): void {
    let start = 0;
    let end = size;
    if (this.partial !== undefined) {
      const lineEnded = bytes.subarray(0, size).includes(LF);
      bytes = Buffer.concat([this.partial, bytes.subarray(0, size)]);
      end = bytes.length;
      this.partial = undefined;
      // As with a client's head: parsed again only when a line of it has ended.
      if (end <= this.context.settings.limits.head && !lineEnded) {
        this.partial = bytes;
        return;
      }
    }
    const head = this.context.responseHead;
    while (this.state === State.HEAD && start < end) {
      const bodyStart = head.parse(bytes, start, end);
      if (bodyStart < 0) {
        this.fail(badResponse, head.refusal?.detail ?? "malformed response");
        return;
      }
      if (bodyStart === 0) {
        this.partial = Buffer.from(bytes.subarray(start, end));
        return;
      }
      start = bodyStart;
      if (head.status < 200 && head.status !== 101) {
        if (++this.interim > MAX_INTERIM) {
          this.fail(badResponse, "too many interim responses");
          return;
        }
        this.listener?.onInterimHead(head);
        continue;
      }
      this.beginResponse(head, bytes, start, end);
      return;
    }
  }

  private beginResponse(head: ResponseHead, bytes: Buffer, start: number, end: number): void {
    const listener = this.listener;
    if (listener === undefined) return;
    this.keepAlive = head.keepAlive;
    const bodyKind = head.bodyKind(listener.requestMethod);
    this.body.begin(bodyKind, head.contentLength, this.context.settings.limits);
    if (!listener.onResponseHead(head, bodyKind)) {
      this.destroy();
      return;
    }
    if (head.status === 101) {
      this.state = State.TUNNEL;
      this.deadline = 0;
      this.socket.setKeepAlive(true, 60_000);
      if (start < end) listener.onResponseData(bytes, start, end);
      return;
    }
    this.state = State.BODY;
    this.readBody(bytes, start, end);
  }

  private readBody(bytes: Buffer, start: number, end: number): void {
    const { body, listener } = this;
    if (listener === undefined) return;
    const next = body.read(bytes, start, end, listener);
    if (this.listener !== listener) return;
    if (next < 0) this.fail(badResponse, body.refusal);
    else if (body.done) {
      // Surplus bytes: nobody can say what they belong to.
      if (next < end) this.keepAlive = false;
      listener.onResponseEnd(body.trailers);
    }
  }

  /** The server sent FIN. */
  private onEnd(): void {
    switch (this.state) {
      case State.BODY:
        if (this.body.kind === BodyKind.UNTIL_CLOSE) {
          this.keepAlive = false;
          this.listener?.onResponseEnd("");
        } else this.fail(serverCut, "closed within the response body");
        break;
      case State.TUNNEL:
        this.listener?.onTunnelEnd();
        break;
      case State.HEAD:
        // Of TLS the alert that says why comes after the end, with "close".
        if (this.profile === undefined || this.reused) this.fail(serverCut, "closed before a response");
        break;
      case State.IDLE:
        this.server.removeIdle(this);
        this.destroy();
        break;
      case State.CONNECTING:
      case State.CLOSED:
        break;
    }
  }

  private onClose(): void {
    const { state, error } = this;
    const cause = error?.code ?? error?.message ?? "closed";
    if (state === State.IDLE) this.server.removeIdle(this);
    const tls =
      (state === State.CONNECTING && this.reached) ||
      (state === State.HEAD && !this.reused && isTlsAlert(error));
    if (tls) this.fail(tlsFailed, tlsFailureText(error));
    else if (state === State.CONNECTING && cause === REFUSED) this.fail(serverRefused, error!.message);
    else if (state === State.CONNECTING) this.fail(isOurs(cause) ? noDescriptor : connectFailed, cause);
    else if (state !== State.CLOSED) this.fail(serverCut, cause);
  }

  private fail(failure: GatewayError, detail: string): void {
    const listener = this.listener;
    this.destroy();
    listener?.onTryFailed(failure, detail);
  }

  private close(): void {
    if (this.state === State.CLOSED) return;
    this.state = State.CLOSED;
    this.deadline = 0;
    this.context.clock.unwatch(this);
    this.socket.destroy();
  }
}

/** No connection came about for want of something on our side: descriptors, buffers, local ports. */
function isOurs(code: string): boolean {
  return code === "EMFILE" || code === "ENFILE" || code === "ENOBUFS" || code === "EADDRNOTAVAIL";
}
