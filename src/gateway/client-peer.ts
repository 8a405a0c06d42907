import type { GatewayError } from "./gateway-error.ts";
import type { ClientCertificate } from "./tls-client-certificate.ts";

/** Who is at the other end of a client's connection, as its listener found out. */
export interface ClientPeer {
  /** Canonical address of the peer itself, be it client or proxy. */
  readonly address: string;
  /** The connection is encrypted. */
  readonly secure: boolean;
  /** The peer's certificate, verified; undefined: it showed none, or none was asked for. */
  readonly certificate?: ClientCertificate | undefined;
  /** Set: nothing of this connection is served, every request gets this answer. */
  readonly refusal?: GatewayError | undefined;
}
