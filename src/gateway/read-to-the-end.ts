import type { Socket } from "node:net";

/**
 * Makes a connection to a server read to the end even when it can no longer write.
 *
 * A server that refuses an upload answers, and closes with the rest of it unread; that resets the connection. Node.js
 * destroys a socket at its first failed write, and the answer, which the kernel still holds, would be lost with it. So
 * the first write error waits for two turns of the loop, in which all that has arrived is read: after a reset nothing
 * more can come.
 */
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
