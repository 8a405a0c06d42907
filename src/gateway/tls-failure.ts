/** What OpenSSL's codes mean, for `lastError` and logs. */
const MEANINGS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is of an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate is of an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is of an unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is of an unknown authority, or its chain is incomplete",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "it wants a certificate of ours",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    "it refuses the handshake, perhaps as it wants a certificate of ours",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "it does not know the authority of our certificate",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "it speaks no version of TLS that is allowed here",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "it speaks no version of TLS that is allowed here",
  ECONNRESET: "it closed the connection within the handshake",
};

/** Of the names in a server's certificate, which are the server's choice. */
const MAX_NAMES = 200;

/** Why TLS with a server did not come about, with the code to search for. */
export function tlsFailureText(error: NodeJS.ErrnoException | undefined): string {
  // Without any error: it just closed the connection.
  const code = error === undefined ? "ECONNRESET" : (error.code ?? "");
  const meaning = MEANINGS[code];
  if (meaning === undefined) return code === "" ? (error?.message ?? "") : code;
  const names = code === "ERR_TLS_CERT_ALTNAME_INVALID" ? ` (${altNamesIn(error)})` : "";
  return `${meaning}${names} [${code}]`;
}

/**
 * The other side refused our certificate, or that we have none. In TLS 1.3 it says so only after our side of the
 * handshake is over, when a request may be under way; no server has taken it then.
 */
export function isTlsAlert(error: NodeJS.ErrnoException | undefined): boolean {
  return error?.code !== undefined && /^ERR_SSL_.*_ALERT_/.test(error.code);
}

/** "Host: b.test. is not in the cert's altnames: DNS:a.test": what was looked for and what is there. */
function altNamesIn(error: NodeJS.ErrnoException | undefined): string {
  const { host = "", cert } = (error ?? {}) as {
    readonly host?: string;
    readonly cert?: { readonly subjectaltname?: string };
  };
  return `${(cert?.subjectaltname ?? "none").slice(0, MAX_NAMES)}, not ${host}`;
}
