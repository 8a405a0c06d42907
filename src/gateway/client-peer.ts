import type { Socket } from "node:net";
import { canonicalAddress } from "../config/address-set.ts";
import type { Endpoint, ProxiedConnection } from "../http1/proxy-header.ts";
import type { GatewayError } from "./gateway-error.ts";
import type { ClientCertificate } from "./tls-client-certificate.ts";

/** Who is at the other end of a client's connection, as its listener found out. */
export interface ClientPeer {
  /** Canonical address of the peer itself, be it client or proxy. */
  readonly address: string;
  /** The peer's port; 0 on a unix socket. */
  readonly port: number;
  /** Where the connection came in; undefined on a unix socket. Asks the kernel, which few connections need. */
  readonly local: () => Endpoint | undefined;
  /** The connection is encrypted. */
  readonly secure: boolean;
  /** It speaks HTTP/2 to us. */
  readonly http2?: boolean;
  /** The peer's certificate, verified; undefined: it showed none, or none was asked for. */
  readonly certificate?: ClientCertificate | undefined;
  /** Set: nothing of this connection is served, every request gets this answer. */
  readonly refusal?: GatewayError | undefined;
}

/** The peer of a connection that was just accepted. One of a unix socket is on this machine. */
export function peerOf(socket: Socket): ClientPeer {
  return {
    address: canonicalAddress(socket.remoteAddress ?? "") ?? "127.0.0.1",
    port: socket.remotePort ?? 0,
    local: () => {
      const address = canonicalAddress(socket.localAddress ?? "");
      return address === undefined ? undefined : { address, port: socket.localPort ?? 0 };
    },
    secure: false,
  };
}

/** The one for whom the peer says it stands. */
export function proxiedPeer(peer: ClientPeer, connection: ProxiedConnection | undefined): ClientPeer {
  if (connection === undefined) return peer;
  const { source, destination } = connection;
  return { ...peer, address: source.address, port: source.port, local: () => destination };
}
