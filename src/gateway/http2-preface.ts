import type { Socket } from "node:net";
import type { Deadlined } from "./clock.ts";
import type { GatewayContext } from "./gateway-context.ts";

/** With these bytes a client that knows that we speak HTTP/2 begins (RFC 9113, 3.4). */
const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/**
 * Waits for the first bytes of a connection on a plain listener that takes both protocols, and says by them which one
 * it is. The bytes stay with the socket: whoever is handed it reads them as if nobody had looked.
 */
export class Http2Preface implements Deadlined {
  deadline: number;
  clockSlot = -1;
  private readonly context: GatewayContext;
  private readonly socket: Socket;
  private readonly whenKnown: (http2: boolean) => void;
  private readonly whenClosed: () => void;
  private held: Buffer | undefined;

  constructor(
    context: GatewayContext,
    socket: Socket,
    then: { readonly known: (http2: boolean) => void; readonly closed: () => void },
  ) {
    this.context = context;
    this.socket = socket;
    this.whenKnown = then.known;
    this.whenClosed = then.closed;
    this.deadline = context.clock.now + context.settings.timeouts.idle;
    context.clock.watch(this);
    socket.on("data", this.onData);
    socket.on("end", this.onEnd);
    socket.on("error", ignore);
    socket.on("close", this.onClose);
  }

  /** Nothing was asked yet: a gateway that stops lets it go. */
  drain(): void {
    this.socket.destroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  onDeadline(): void {
    this.socket.destroy();
  }

  private readonly onData = (chunk: Buffer): void => {
    const bytes = this.held === undefined ? chunk : Buffer.concat([this.held, chunk]);
    const compared = Math.min(bytes.length, PREFACE.length);
    const alike = bytes.compare(PREFACE, 0, compared, 0, compared) === 0;
    if (alike && compared < PREFACE.length) {
      if (this.held === undefined) {
        this.deadline = this.context.clock.now + this.context.settings.timeouts.header;
      }
      this.held = bytes;
    } else this.handOver(bytes, alike);
  };

  /** Nobody can go on: half a preface is no request, and no bytes at all are none either. */
  private readonly onEnd = (): void => {
    if (this.held === undefined) this.socket.destroy();
    else this.handOver(this.held, false);
  };

  private readonly onClose = (): void => {
    this.context.clock.unwatch(this);
    this.whenClosed();
  };

  private handOver(bytes: Buffer, http2: boolean): void {
    const { socket } = this;
    this.context.clock.unwatch(this);
    socket.pause();
    socket.off("data", this.onData);
    socket.off("end", this.onEnd);
    socket.off("error", ignore);
    socket.off("close", this.onClose);
    socket.unshift(bytes);
    this.whenKnown(http2);
    if (!http2) socket.resume();
  }
}

const ignore = (): void => {};
