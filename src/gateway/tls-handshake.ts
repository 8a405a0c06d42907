import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Deadlined } from "./clock.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { countTlsFailure } from "./gateway-counters.ts";
import type { HandshakeListener, TlsAcceptor } from "./tls-acceptor.ts";

/** What a browser shows who was led here by `http://`; nothing of the request was parsed, so there is no id. */
const PLAIN_HTTP =
  "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 38\r\n" +
  "X-Halftone-Error: plain_http\r\nConnection: close\r\n\r\nThis port speaks HTTPS: use https://.\r\n";

/** A client's connection until it is secured. One that stalls costs a socket and a deadline, and nobody else anything. */
export class TlsHandshake implements Deadlined, HandshakeListener {
  deadline: number;
  clockSlot = -1;
  private readonly context: GatewayContext;
  private readonly raw: Socket;
  private readonly whenSecured: (socket: TLSSocket) => void;
  private readonly whenFailed: () => void;
  private over = false;

  constructor(
    context: GatewayContext,
    acceptor: TlsAcceptor,
    raw: Socket,
    then: { readonly secured: (socket: TLSSocket) => void; readonly failed: () => void },
  ) {
    this.context = context;
    this.raw = raw;
    this.whenSecured = then.secured;
    this.whenFailed = then.failed;
    this.deadline = context.clock.now + context.settings.timeouts.header;
    context.clock.watch(this);
    raw.on("error", () => {});
    // However it ends: a connection that was reset before it was accepted never gets as far as TLS.
    raw.on("close", () => this.onHandshakeFailed("ECONNRESET"));
    acceptor.accept(raw, this);
  }

  onSecured(socket: TLSSocket): void {
    if (this.over) {
      socket.destroy();
      return;
    }
    this.leave();
    const { tls } = this.context.counters;
    tls.handshakes++;
    if (socket.isSessionReused()) tls.resumed++;
    this.whenSecured(socket);
  }

  onHandshakeFailed(code: string): void {
    if (this.over) return;
    if (code === "ERR_SSL_HTTP_REQUEST") this.raw.end(PLAIN_HTTP);
    this.fail(code);
  }

  onDeadline(): void {
    this.fail("ETIMEDOUT");
    this.raw.destroy();
  }

  /** It has no request yet that would have to be answered; but one is about to come, and gets its answer. */
  drain(): void {}

  destroy(): void {
    this.leave();
    this.raw.destroy();
  }

  private fail(code: string): void {
    if (this.over) return;
    this.leave();
    countTlsFailure(this.context.counters, code);
    this.whenFailed();
  }

  private leave(): void {
    this.over = true;
    this.deadline = 0;
    this.context.clock.unwatch(this);
  }
}
