import type { TLSSocket } from "node:tls";
import type { ListenTls } from "../config/tls-settings.ts";
import type { ClientPeer } from "./client-peer.ts";
import { certificateRefused, certificateRequired } from "./gateway-error.ts";
import { clientCertificateOf } from "./tls-client-certificate.ts";

/**
 * The peer of a secured connection. One whose certificate does not do is answered rather than cut: OpenSSL is past the
 * point where it could say why, and a browser shows nothing but "connection reset".
 */
export function securePeer(address: string, socket: TLSSocket, tls: ListenTls): ClientPeer {
  const { clientCertificates } = tls;
  if (clientCertificates === undefined) return { address, secure: true };
  const found = clientCertificateOf(socket);
  switch (found.kind) {
    case "verified":
      return { address, secure: true, certificate: found.certificate };
    case "unverified":
      return { address, secure: true, refusal: certificateRefused };
    case "none":
      return clientCertificates.required
        ? { address, secure: true, refusal: certificateRequired }
        : { address, secure: true };
  }
}
