import { constants, createHmac, X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from "node:tls";
import type { ListenTls } from "../config/tls-settings.ts";
import { connectionBelow } from "./reset-connection.ts";
import { tlsText, type TlsMaterial } from "./tls-material.ts";
import { certificateNames, NameTable } from "./tls-names.ts";

/** Who is told how a handshake ended: exactly one of the two is called, once, unless the connection is destroyed. */
export interface HandshakeListener {
  onSecured(socket: TLSSocket): void;
  /** `code`: Node's or OpenSSL's, like "ERR_SSL_HTTP_REQUEST". */
  onHandshakeFailed(code: string): void;
}

/** Seconds for which a session may be resumed, as in nginx and OpenSSL itself. */
const SESSION_TIME = 300;

/**
 * The server side of TLS for one listener, made of one state of its settings and files. It is never changed: new files
 * make a new one, and connections that stand keep what they have.
 */
export class TlsAcceptor {
  private readonly server: Server;
  private readonly contexts: NameTable<SecureContext> = new NameTable();
  private readonly listeners: WeakMap<object, HandshakeListener> = new WeakMap();

  /** `alpn`: protocols offered, best first. Throws what OpenSSL does not take; `checkTls` says it better. */
  constructor(tls: ListenTls, material: TlsMaterial, alpn: readonly string[]) {
    const all = tls.certificates.map(({ cert, key }) => ({
      names: certificateNames(new X509Certificate(tlsText(material, cert))),
      options: contextOptions(tls, material, { cert, key }),
    }));
    for (const { names, options } of all) {
      const context = createSecureContext(options);
      for (const name of names) this.contexts.add(name, context);
    }
    this.server = createServer({
      ...all[0]?.options,
      ALPNProtocols: [...alpn],
      requestCert: tls.clientCertificates !== undefined,
      // A client without a fitting certificate is told so in HTTP; a connection that just ends tells nobody anything.
      rejectUnauthorized: false,
      // The deadline of a handshake counts from its start; Node's begins anew with every byte.
      handshakeTimeout: 0,
      // Must not throw: that would end the process (CVE-2026-21637). Undefined leaves the first certificate.
      SNICallback: (name, done) => done(null, this.contexts.find(name)),
    });
    this.server.on("secureConnection", (socket) => {
      const raw = connectionBelow(socket);
      const listener = this.listeners.get(raw);
      this.listeners.delete(raw);
      socket.allowHalfOpen = true;
      listener?.onSecured(socket);
    });
    this.server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      const raw = connectionBelow(socket);
      const listener = this.listeners.get(raw);
      this.listeners.delete(raw);
      listener?.onHandshakeFailed(error.code ?? error.message);
    });
  }

  /** Begins the handshake on a connection of which nothing has been read, or whose rest was put back. */
  accept(raw: Socket, listener: HandshakeListener): void {
    this.listeners.set(raw, listener);
    // A client that sends FIN within the handshake is gone; one that does so later may wait for its answer.
    raw.allowHalfOpen = false;
    this.server.emit("connection", raw);
  }
}

function contextOptions(
  tls: ListenTls,
  material: TlsMaterial,
  certificate: { readonly cert: string; readonly key: string },
): SecureContextOptions & { readonly ticketKeys: Buffer } {
  const ca = tls.clientCertificates && tlsText(material, tls.clientCertificates.ca);
  return {
    cert: tlsText(material, certificate.cert),
    key: tlsText(material, certificate.key),
    minVersion: `TLSv${tls.minVersion}`,
    maxVersion: "TLSv1.3",
    // Nobody needs it, and it makes one handshake a second out of one connection.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionTimeout: SESSION_TIME,
    ...(ca !== undefined && { ca }),
    ...resumption(tls, ca, material),
  };
}

/**
 * Keys of session tickets: the same in all workers and whatever the certificates, but others for each policy on client
 * certificates. A session begun where none is asked for must not be resumed where one is (CVE-2025-23419 in nginx).
 */
function resumption(
  tls: ListenTls,
  ca: string | undefined,
  material: TlsMaterial,
): { readonly ticketKeys: Buffer; readonly sessionIdContext: string } {
  const policy = JSON.stringify([tls.clientCertificates?.required, ca]);
  const keys = createHmac("sha512", Buffer.from(material.ticketSecret, "base64")).update(policy).digest();
  return { ticketKeys: keys.subarray(0, 48), sessionIdContext: keys.subarray(48).toString("hex") };
}
