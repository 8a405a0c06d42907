import { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/**
 * Ends a connection so that the other side cannot take it for an end in order: by RST where there is one. A unix socket
 * knows none.
 */
export function resetConnection(socket: Socket): void {
  const below = socket instanceof TLSSocket ? connectionBelow(socket) : socket;
  // Node throws for whatever is not TCP, and only TCP has an address.
  if (below instanceof Socket && below.remoteAddress !== undefined) below.resetAndDestroy();
  socket.destroy();
}

/**
 * The connection that a server's TLS socket was made from. Node documents no way back to it; the name is as old as
 * TLSSocket itself, and every test of TLS fails without it.
 */
export function connectionBelow(socket: TLSSocket): object {
  return (socket as unknown as { readonly _parent: object })._parent;
}
