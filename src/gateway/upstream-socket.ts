import { Socket, type OnReadOpts, type SocketConstructorOpts } from "node:net";

/**
 * A connection to a server that reads to the end even when it can no longer write.
 *
 * A server that refuses an upload answers, and closes with the rest of it unread; that resets the connection. Node.js
 * destroys a socket at its first failed write, and the answer, which the kernel still holds, would be lost with it. So
 * the first write error waits for two turns of the loop, in which all that has arrived is read: after a reset nothing
 * more can come.
 */
export class UpstreamSocket extends Socket {
  private writeFailed = false;

  /** `onread`: where to read into, so that a read allocates nothing. */
  constructor(onread: OnReadOpts) {
    // The constructor takes it, as `net.connect` hands its options on; its type does not say so.
    super({ onread } as SocketConstructorOpts);
  }

  override destroy(error?: NodeJS.ErrnoException): this {
    if (error?.syscall !== "write") return super.destroy(error);
    if (!this.writeFailed) setImmediate(() => setImmediate(() => super.destroy(error)));
    this.writeFailed = true;
    return this;
  }
}

/** Makes the same of a socket that somebody else constructs, as `tls.connect` does. */
export function readToTheEnd(socket: Socket): void {
  const destroy = socket.destroy.bind(socket);
  let writeFailed = false;
  socket.destroy = (error?: NodeJS.ErrnoException) => {
    if (error?.syscall !== "write") return destroy(error);
    if (!writeFailed) setImmediate(() => setImmediate(() => destroy(error)));
    writeFailed = true;
    return socket;
  };
}
