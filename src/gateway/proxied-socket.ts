import type { Socket } from "node:net";
import { debuglog } from "node:util";
import { readProxyHeader, type ProxiedConnection } from "../http1/proxy-header.ts";
import type { Deadlined } from "./clock.ts";
import type { GatewayContext } from "./gateway-context.ts";

/** Printed to stderr with NODE_DEBUG=halftone: peers may cause as many of these lines as they like. */
const debug = debuglog("halftone");

/**
 * A connection from a peer that sends PROXY headers, until its header was read. Without a valid one it is closed
 * without a word: the peer is a proxy that passes on bytes, and what it does not say nobody can know.
 */
export class ProxiedSocket implements Deadlined {
  deadline: number;
  clockSlot = -1;
  private readonly context: GatewayContext;
  private readonly socket: Socket;
  private readonly listener: ProxiedSocketListener;
  private held: Buffer | undefined;
  private over = false;

  constructor(context: GatewayContext, socket: Socket, listener: ProxiedSocketListener) {
    this.context = context;
    this.socket = socket;
    this.listener = listener;
    this.deadline = context.clock.now + context.settings.timeouts.header;
    context.clock.watch(this);
    socket.on("error", ignore);
    socket.on("data", this.onData);
    socket.on("end", this.onEnd);
    socket.on("close", this.onClose);
  }

  onDeadline(): void {
    this.refuse("no whole PROXY header in time");
  }

  /** Its request, if one comes, is about to come: it gets its answer. */
  drain(): void {}

  destroy(): void {
    this.socket.destroy();
  }

  private readonly onData = (chunk: Buffer): void => {
    const bytes = this.held === undefined ? chunk : Buffer.concat([this.held, chunk]);
    const header = readProxyHeader(bytes);
    switch (header.kind) {
      case "incomplete":
        this.held = bytes;
        break;
      case "malformed":
        this.refuse(header.reason);
        break;
      case "complete":
        this.pass(header.connection, bytes.subarray(header.length));
        break;
    }
  };

  private readonly onEnd = (): void => this.refuse("closed before a whole PROXY header");

  private readonly onClose = (): void => this.end();

  /**
   * Hands the connection on as if nothing had been read of it. It is paused: who reads by `data` events has to resume
   * it, a TLS or HTTP/2 session takes what lies in its buffer by itself.
   */
  private pass(connection: ProxiedConnection | undefined, rest: Buffer): void {
    const { socket } = this;
    this.leave();
    socket.off("error", ignore);
    socket.off("data", this.onData);
    socket.off("end", this.onEnd);
    socket.off("close", this.onClose);
    socket.pause();
    if (rest.length > 0) socket.unshift(rest);
    this.listener.passed(connection);
  }

  private refuse(reason: string): void {
    if (this.over) return;
    this.context.counters.proxyHeaders++;
    debug("connection from %s closed: %s", this.socket.remoteAddress, reason);
    this.socket.destroy();
    this.end();
  }

  private end(): void {
    if (this.over) return;
    this.leave();
    this.listener.closed();
  }

  private leave(): void {
    this.over = true;
    this.deadline = 0;
    this.context.clock.unwatch(this);
  }
}

/** Exactly one of the two is called, once. */
export interface ProxiedSocketListener {
  /** `connection` undefined: the peer speaks for itself. */
  passed(connection: ProxiedConnection | undefined): void;
  closed(): void;
}

function ignore(): void {
  // "close" follows.
}
