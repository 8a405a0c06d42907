import { open } from "node:fs/promises";
import type { GatewaySettings } from "../config/gateway-settings.ts";

/**
 * Everything a process needs besides its settings to speak TLS. One process reads the files and gives their texts to
 * all others: they all have the same certificates, and a worker that starts later does not depend on files that have
 * been replaced, damaged or locked away since.
 */
export interface TlsMaterial {
  /** PEM texts by the paths that settings name them by. */
  readonly files: TlsFiles;
  /** Random bytes, base64: the keys of session tickets are made of them, so that every worker takes every ticket. */
  readonly ticketSecret: string;
}

export type TlsFiles = Readonly<Record<string, string>>;

/** A PEM file that cannot be used. Never holds anything of the file's text. */
export interface TlsProblem {
  readonly file: string;
  readonly found: string;
  readonly expected: string;
  /** Only its dates are wrong: usable for whoever prefers an old certificate to none. */
  readonly outOfDate?: boolean;
}

/** No TLS is spoken. */
export const NO_TLS: TlsMaterial = { files: {}, ticketSecret: "" };

/** More than any chain needs: system bundles have 250 KB. */
const MAX_SIZE = 4 * 1024 ** 2;

/** The paths of all files that these settings name, each once. */
export function tlsPathsOf(settings: Pick<GatewaySettings, "listen" | "serverTls">): readonly string[] {
  const paths = new Set<string>();
  for (const { tls } of settings.listen) {
    for (const { cert, key } of tls?.certificates ?? []) paths.add(cert).add(key);
    if (tls?.clientCertificates !== undefined) paths.add(tls.clientCertificates.ca);
  }
  for (const { ca, certificate } of Object.values(settings.serverTls ?? {})) {
    if (ca !== undefined) paths.add(ca);
    if (certificate !== undefined) paths.add(certificate.cert).add(certificate.key);
  }
  return [...paths];
}

/** Reads all of them; what cannot be read is told and left out. */
export async function readTlsFiles(
  settings: Pick<GatewaySettings, "listen" | "serverTls">,
): Promise<{ readonly files: TlsFiles; readonly problems: readonly TlsProblem[] }> {
  const files: [string, string][] = [];
  const problems: TlsProblem[] = [];
  for (const path of tlsPathsOf(settings)) {
    try {
      files.push([path, await readText(path)]);
    } catch (error) {
      problems.push({ file: path, found: reasonOf(error), expected: "a PEM file that can be read" });
    }
  }
  return { files: Object.fromEntries(files), problems };
}

/** The text of a file that settings name. */
export function tlsText(material: TlsMaterial, path: string): string {
  const text = material.files[path];
  if (text === undefined) throw new Error(`${path} was not read`);
  return text;
}

/** One line a problem, for logs and refusals. */
export function tlsProblemText({ file, found, expected }: TlsProblem): string {
  return `${file}: found ${found}, expected ${expected}`;
}

async function readText(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const info = await file.stat();
    if (!info.isFile()) throw new Error("something that is no file");
    if (info.size > MAX_SIZE) throw new Error(`a file of ${info.size} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "no file";
  if (code === "EACCES") return "a file this process may not read";
  return message;
}
