import type { TLSSocket } from "node:tls";
import type { ListenTls } from "../config/tls-settings.ts";
import type { ClientPeer } from "./client-peer.ts";
import { certificateRefused, certificateRequired } from "./gateway-error.ts";
import { clientCertificateOf } from "./tls-client-certificate.ts";

/**
 * The peer of a secured connection. One whose certificate does not do is answered rather than cut: OpenSSL is past the
 * point where it could say why, and a browser shows nothing but "connection reset".
 */
export function securePeer(plain: ClientPeer, socket: TLSSocket, tls: ListenTls): ClientPeer {
  const { clientCertificates } = tls;
  const peer: ClientPeer = { ...plain, secure: true };
  if (clientCertificates === undefined) return peer;
  const found = clientCertificateOf(socket);
  switch (found.kind) {
    case "verified":
      return { ...peer, certificate: found.certificate };
    case "unverified":
      return { ...peer, refusal: certificateRefused };
    case "none":
      return clientCertificates.required ? { ...peer, refusal: certificateRequired } : peer;
  }
}
