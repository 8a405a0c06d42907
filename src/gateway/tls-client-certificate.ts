import type { PeerCertificate, TLSSocket } from "node:tls";
import { CERTIFICATE_ATTRIBUTES, type CertificateAttribute } from "../core/client.ts";
import { subjectAltNames } from "./tls-names.ts";

/** What rules may ask of a client's verified certificate. */
export type ClientCertificate = Readonly<Record<CertificateAttribute, readonly string[]>>;

/** What a connection says of its client's certificate. */
export type ClientCertificateFinding =
  | { readonly kind: "none" }
  | { readonly kind: "verified"; readonly certificate: ClientCertificate }
  /** `reason`: OpenSSL's code, like "CERT_HAS_EXPIRED". */
  | { readonly kind: "unverified"; readonly reason: string };

/** Only for connections on which a certificate was asked for. */
export function clientCertificateOf(socket: TLSSocket): ClientCertificateFinding {
  const shown = socket.getPeerCertificate() as PeerCertificate | undefined;
  // A session resumed without a certificate counts as authorized in TLS 1.3: what decides is the certificate itself.
  if (shown?.raw === undefined) return { kind: "none" };
  if (!socket.authorized) return { kind: "unverified", reason: String(socket.authorizationError) };
  const subject = shown.subject as unknown as Readonly<
    Record<string, string | readonly string[] | undefined>
  >;
  const entries = CERTIFICATE_ATTRIBUTES.map((attribute) => {
    if (attribute === "san") return [attribute, subjectAltNames(shown.subjectaltname ?? "")] as const;
    const values = subject[attribute] ?? [];
    return [attribute, typeof values === "string" ? [values] : values] as const;
  });
  return { kind: "verified", certificate: Object.fromEntries(entries) as ClientCertificate };
}
