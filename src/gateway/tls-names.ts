import type { X509Certificate } from "node:crypto";

/** The DNS names of a certificate, lower-case: "shop.example.com", "*.example.com". */
export function certificateNames(certificate: X509Certificate): readonly string[] {
  return subjectAltNames(certificate.subjectAltName ?? "")
    .filter((entry) => entry.startsWith("DNS:"))
    .map((entry) => entry.slice("DNS:".length).toLowerCase());
}

/**
 * The entries of a subjectAltName as Node.js writes it: "DNS:a.test, IP Address:127.0.0.1, email:a@b.test". An entry
 * that holds a comma is quoted there as JSON (CVE-2021-44532): splitting at every comma would make two of it, the
 * second of the certificate owner's choosing.
 */
export function subjectAltNames(text: string): readonly string[] {
  const entries: string[] = [];
  let rest = text;
  while (rest !== "") {
    const match = /^([A-Za-z ]+:)(?:("(?:[^"\\]|\\.)*")|([^,"]*))(?:, |$)/.exec(rest);
    // Something new in its grammar: better no name than a wrong one.
    if (match === null) return [];
    const [whole, kind = "", quoted, plain = ""] = match;
    entries.push(kind + (quoted === undefined ? plain : unquoted(quoted)));
    rest = rest.slice(whole.length);
  }
  return entries;
}

/** Finds what belongs to a name: exactly, else by the wildcard that covers its first label (RFC 6125, 6.4.3). */
export class NameTable<Value> {
  private readonly exact = new Map<string, Value>();

  /** The first value given for a name stays. */
  add(name: string, value: Value): void {
    if (!this.exact.has(name)) this.exact.set(name, value);
  }

  find(name: string): Value | undefined {
    const lower = name.toLowerCase();
    const found = this.exact.get(lower);
    if (found !== undefined) return found;
    const dot = lower.indexOf(".");
    return dot <= 0 ? undefined : this.exact.get(`*${lower.slice(dot)}`);
  }
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return "";
  }
}
