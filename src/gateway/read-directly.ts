import type { Socket } from "node:net";

const NOTHING = Buffer.alloc(0);

/**
 * Hands what is read from a socket to `onData` without a stream between: an event, a tick and some objects for each read
 * would cost a twentieth of a small request. What waits in the stream's buffer goes first, in its usual way, and so does
 * all that comes while the socket is paused. False from `onData` stops reading until `resume`.
 */
export function readDirectly(socket: Socket, onData: (chunk: Buffer) => boolean): void {
  const push = socket.push.bind(socket);
  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    if (chunk === null || socket.readableFlowing !== true || socket.readableLength > 0) {
      return push(chunk, encoding);
    }
    if (onData(chunk)) return true;
    // Tells the stream that the read it asked for is over: else it would not ask again after a pause.
    push(NOTHING);
    return false;
  };
  socket.on("data", onData);
}
