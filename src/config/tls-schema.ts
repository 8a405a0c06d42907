import path from "node:path";
import * as z from "zod";

import { checkedText, closedObject, flag, nonEmptyListOf, patternText } from "./schema-fields.ts";
import { isHostName } from "./server-address.ts";
import type { CertificateFiles, ListenTls, ServerTls, TlsVersion } from "./tls-settings.ts";

const filePath = checkedText((text) => text !== "" && !text.includes("\0"), "the path of a PEM file");

const VERSION_EXPECTED = '"1.2" or "1.3"';

/** YAML reads an unquoted 1.2 as a number. */
const minVersion: z.ZodType<TlsVersion> = z.preprocess(
  (value) => (typeof value === "number" ? String(value) : value),
  z.enum(["1.2", "1.3"], VERSION_EXPECTED),
);

/** The TLS of a listener, as written. */
export interface WrittenListenTls {
  readonly certificates: readonly CertificateFiles[];
  readonly minVersion?: TlsVersion;
  readonly clientCertificates?: { readonly ca: string; readonly required?: boolean };
}

export const listenTlsSchema: z.ZodType<WrittenListenTls> = closedObject(
  {
    certificates: nonEmptyListOf(
      closedObject({ cert: filePath, key: filePath }, "a certificate with its key, {cert, key}"),
      "certificates, {cert, key}",
    ),
    minVersion: minVersion.exactOptional(),
    clientCertificates: closedObject(
      { ca: filePath, required: flag().exactOptional() },
      "the authorities of clients, {ca, required}",
    ).exactOptional(),
  },
  "TLS settings, {certificates, minVersion, clientCertificates}",
);

/** A named way to speak TLS to servers, as written. */
export interface WrittenServerTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly minVersion?: TlsVersion;
}

const SERVER_TLS_EXPECTED = "TLS settings, {ca, cert, key, serverName, minVersion}";

const serverTls = closedObject(
  {
    ca: filePath.exactOptional(),
    cert: filePath.exactOptional(),
    key: filePath.exactOptional(),
    serverName: checkedText(isHostName, "a host name").exactOptional(),
    minVersion: minVersion.exactOptional(),
  },
  SERVER_TLS_EXPECTED,
)
  .refine(({ cert, key }) => cert === undefined || key !== undefined, {
    path: ["key"],
    error: "the key of the certificate beside it",
  })
  .refine(({ cert, key }) => key === undefined || cert !== undefined, {
    path: ["cert"],
    error: "the certificate of the key beside it",
  });

const TLS_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

/** What `tls` of an app document may name. */
export const tlsName: z.ZodType<string> = patternText(
  TLS_NAME,
  "a name of 1 to 64 letters, digits, _ . or -, the first one a letter, digit or _",
);

export const serverTlsSchema: z.ZodType<Readonly<Record<string, WrittenServerTls>>> = z.record(
  tlsName,
  serverTls,
  "ways to speak TLS to servers by name, {internal: {ca, cert, key, serverName, minVersion}, …}",
);

/** `baseFolder`: where relative paths start. */
export function listenTls(written: WrittenListenTls, baseFolder: string): ListenTls {
  const { certificates, minVersion = "1.2", clientCertificates: clients } = written;
  return {
    certificates: certificates.map((files) => absolute(files, baseFolder)),
    minVersion,
    ...(clients !== undefined && {
      clientCertificates: { ca: path.resolve(baseFolder, clients.ca), required: clients.required ?? false },
    }),
  };
}

export function serverTlsByName(
  written: Readonly<Record<string, WrittenServerTls>>,
  baseFolder: string,
): Readonly<Record<string, ServerTls>> {
  const entries = Object.entries(written).map(([name, { ca, cert, key, serverName, minVersion = "1.2" }]) => {
    const settings: ServerTls = {
      ...(ca !== undefined && { ca: path.resolve(baseFolder, ca) }),
      ...(cert !== undefined && key !== undefined && { certificate: absolute({ cert, key }, baseFolder) }),
      ...(serverName !== undefined && { serverName }),
      minVersion,
    };
    return [name, settings] as const;
  });
  return Object.fromEntries(entries);
}

function absolute({ cert, key }: CertificateFiles, baseFolder: string): CertificateFiles {
  return { cert: path.resolve(baseFolder, cert), key: path.resolve(baseFolder, key) };
}
