import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { GatewaySettings } from "../config/gateway-settings.ts";
import type { CertificateFiles } from "../config/tls-settings.ts";
import { certificateNames } from "./tls-names.ts";
import type { TlsFiles, TlsProblem } from "./tls-material.ts";

/**
 * Everything wrong with these files, for the uses the settings have for them. Files that are missing in `files` were
 * told by whoever read them. `now`: milliseconds since the epoch.
 */
export function checkTls(
  settings: Pick<GatewaySettings, "listen" | "serverTls">,
  files: TlsFiles,
  now: number,
): readonly TlsProblem[] {
  const problems: TlsProblem[] = [];
  for (const { tls } of settings.listen) {
    for (const [index, certificate] of (tls?.certificates ?? []).entries()) {
      problems.push(...pairProblems(certificate, files, now));
      if (index > 0) problems.push(...namelessProblems(certificate, files));
    }
    if (tls?.clientCertificates !== undefined) {
      problems.push(...authorityProblems(tls.clientCertificates.ca, files));
    }
  }
  for (const { ca, certificate } of Object.values(settings.serverTls ?? {})) {
    if (ca !== undefined) problems.push(...authorityProblems(ca, files));
    if (certificate !== undefined) problems.push(...pairProblems(certificate, files, now));
  }
  const told = new Set<string>();
  return problems.filter(({ file, found }) => {
    const line = `${file} ${found}`;
    return !told.has(line) && told.add(line);
  });
}

function pairProblems(paths: CertificateFiles, files: TlsFiles, now: number): TlsProblem[] {
  const [cert, key] = [files[paths.cert], files[paths.key]];
  if (cert === undefined || key === undefined) return [];
  const chain = certificatesIn(paths.cert, cert);
  const own = privateKeyIn(paths.key, key);
  const problems = [
    ...("problem" in chain ? [chain.problem] : []),
    ...("problem" in own ? [own.problem] : []),
  ];
  if ("problem" in chain || "problem" in own) return problems;
  const [leaf] = chain.certificates;
  if (!leaf.checkPrivateKey(own.key)) {
    const expected = `the private key of ${paths.cert}`;
    return [{ file: paths.key, found: "the key of another certificate", expected }];
  }
  try {
    // What only OpenSSL knows: keys that are too small, signatures that are too weak.
    createSecureContext({ cert, key });
  } catch (error) {
    const found = `what OpenSSL does not take (${opensslReason(error)})`;
    return [{ file: paths.cert, found, expected: "a certificate and key for TLS 1.2 and 1.3" }];
  }
  return dateProblems(paths.cert, leaf, now);
}

function dateProblems(file: string, leaf: X509Certificate, now: number): TlsProblem[] {
  const expected = "a certificate that is valid now";
  if (now > Date.parse(leaf.validTo)) {
    return [{ file, found: `one that expired on ${leaf.validTo}`, expected, outOfDate: true }];
  }
  if (now < Date.parse(leaf.validFrom)) {
    return [{ file, found: `one that is not valid before ${leaf.validFrom}`, expected, outOfDate: true }];
  }
  return [];
}

/** Only the first certificate is for clients that ask for no name; another one without names would be for nobody. */
function namelessProblems({ cert }: CertificateFiles, files: TlsFiles): TlsProblem[] {
  const chain = files[cert] === undefined ? undefined : certificatesIn(cert, files[cert]);
  if (chain === undefined || "problem" in chain || certificateNames(chain.certificates[0]).length > 0)
    return [];
  const expected = "one with DNS names in its subjectAltName, or in the first place";
  return [{ file: cert, found: "a certificate without names", expected }];
}

function authorityProblems(path: string, files: TlsFiles): TlsProblem[] {
  const text = files[path];
  if (text === undefined) return [];
  const read = certificatesIn(path, text);
  return "problem" in read ? [read.problem] : [];
}

type Certificates = readonly [X509Certificate, ...X509Certificate[]];

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(
  file: string,
  text: string,
): { readonly certificates: Certificates } | { readonly problem: TlsProblem } {
  const expected = "a PEM file of certificates";
  const begun = text.split("-----BEGIN CERTIFICATE-----").length - 1;
  const blocks = text.match(BLOCK) ?? [];
  if (begun === 0) return { problem: { file, found: "no certificate", expected } };
  if (blocks.length < begun) return { problem: { file, found: "a certificate that breaks off", expected } };
  try {
    const [first, ...others] = blocks.map((block) => new X509Certificate(block));
    return { certificates: [first!, ...others] };
  } catch (error) {
    return { problem: { file, found: `a damaged certificate (${opensslReason(error)})`, expected } };
  }
}

function privateKeyIn(
  file: string,
  text: string,
): { readonly key: KeyObject } | { readonly problem: TlsProblem } {
  const expected = "a private key in PEM, without a passphrase";
  if (!text.includes("PRIVATE KEY-----")) return { problem: { file, found: "no private key", expected } };
  if (/ENCRYPTED/.test(text)) return { problem: { file, found: "a key with a passphrase", expected } };
  try {
    return { key: createPrivateKey(text) };
  } catch (error) {
    return { problem: { file, found: `a damaged key (${opensslReason(error)})`, expected } };
  }
}

/** The reason alone: the rest are addresses of code. */
function opensslReason(error: unknown): string {
  const { reason, code, message } = error as Error & { readonly reason?: string; readonly code?: string };
  return reason ?? code ?? message;
}
