import { constants } from "node:crypto";
import { readFileSync } from "node:fs";
import type { OnReadOpts } from "node:net";
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import type { ServerTls } from "../config/tls-settings.ts";
import type { Target } from "../core/app.ts";
import type { AddressGuard } from "./address-guard.ts";
import { connectOptions } from "./connect-options.ts";
import { readToTheEnd } from "./read-to-the-end.ts";
import { tlsText, type TlsMaterial } from "./tls-material.ts";

/** One way to speak TLS to servers. Another object after each change of settings or files. */
export interface ServerTlsProfile {
  readonly context: SecureContext;
  /** Asked for and verified instead of the server's own name. */
  readonly serverName: string | undefined;
}

/** Where systems keep the authorities they trust, as Go looks for them: Debian, Fedora, openSUSE, Alpine and BSD. */
const SYSTEM_AUTHORITIES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** The ways to speak TLS to servers that apps may choose by `tls`. */
export class ServerTlsTable {
  private readonly named: ReadonlyMap<string, ServerTlsProfile>;
  private system: ServerTlsProfile | undefined;

  /** Throws what OpenSSL does not take; `checkTls` says it better. */
  constructor(settings: Readonly<Record<string, ServerTls>> = {}, material: TlsMaterial) {
    const entries = Object.entries(settings).map(([name, tls]) => [name, profileOf(tls, material)] as const);
    this.named = new Map(entries);
  }

  /** Undefined for `false` and for a name that the settings do not know. */
  find(tls: boolean | string): ServerTlsProfile | undefined {
    if (typeof tls === "string") return this.named.get(tls);
    return tls ? this.systemProfile() : undefined;
  }

  /** Made when first asked for: reading some 140 certificates takes its time. */
  private systemProfile(): ServerTlsProfile {
    this.system ??= {
      context: contextOf({ minVersion: "1.2" }, systemAuthorities()),
      serverName: undefined,
    };
    return this.system;
  }
}

/**
 * Options of `tls.connect` that speak as this profile says. What is verified is never what a client asked for: the
 * name is the operator's, or the server's own from the app document.
 */
export function verifiedConnection(profile: ServerTlsProfile, target: Target): ConnectionOptions {
  const { context, serverName } = profile;
  // A zone ("fe80::1%eth0") says which way to go, and no certificate has it; a final dot is not sent (RFC 6066, 3).
  const own = target.kind === "unix" ? undefined : target.host.replace(/%.*$|\.$/, "");
  const verified = serverName ?? own;
  const asked = serverName ?? (target.kind === "name" ? own : undefined);
  return {
    secureContext: context,
    rejectUnauthorized: true,
    ...(asked !== undefined && { servername: asked }),
    checkServerIdentity: (_host, certificate) =>
      verified === undefined
        ? new Error("a unix socket has no name to verify: serverTls needs a serverName")
        : checkServerIdentity(verified, certificate),
  };
}

/**
 * Begins a connection: "connect" when the server is reached, "secureConnect" when it is verified too. It reads to the end
 * even when it can no longer write (`readToTheEnd`).
 */
export function connectSecurely(
  profile: ServerTlsProfile,
  target: Target,
  guard: AddressGuard,
  { onread, session }: { readonly onread: OnReadOpts; readonly session: Buffer | undefined },
): TLSSocket {
  const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
    ...connectOptions(target, guard),
    ...verifiedConnection(profile, target),
    ...(session !== undefined && { session }),
    onread,
  };
  const socket = connect(options);
  socket.setNoDelay(true);
  readToTheEnd(socket);
  return socket;
}

function profileOf(tls: ServerTls, material: TlsMaterial): ServerTlsProfile {
  const { ca, certificate, serverName } = tls;
  const own = certificate && {
    cert: tlsText(material, certificate.cert),
    key: tlsText(material, certificate.key),
  };
  const authorities = ca === undefined ? systemAuthorities() : tlsText(material, ca);
  return { context: contextOf(tls, authorities, own), serverName };
}

function contextOf(
  { minVersion }: Pick<ServerTls, "minVersion">,
  ca: string | undefined,
  own?: { readonly cert: string; readonly key: string },
): SecureContext {
  return createSecureContext({
    ...own,
    // Undefined: the list that came with Node.js.
    ...(ca !== undefined && { ca }),
    minVersion: `TLSv${minVersion}`,
    maxVersion: "TLSv1.3",
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  });
}

/** SSL_CERT_FILE goes before the system's places, as for every program on OpenSSL. */
function systemAuthorities(): string | undefined {
  const chosen = process.env["SSL_CERT_FILE"];
  for (const path of chosen === undefined ? SYSTEM_AUTHORITIES : [chosen]) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      // Another system.
    }
  }
  return undefined;
}
