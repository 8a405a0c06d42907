import { valuesOf } from "./strict-message.ts";

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Fields a gateway writes, changes or drops by rules of its own; all others must pass as they came. */
const OWN: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ..."content-length host proxy via forwarded x-forwarded-for x-forwarded-proto x-forwarded-host x-request-id".split(
    " ",
  ),
  ..."x-halftone-group x-halftone-error max-forwards expect trailer x-real-ip".split(" "),
  ..."x-forwarded-port x-forwarded-prefix x-forwarded-server x-forwarded-ssl x-forwarded-scheme".split(" "),
]);

/** Fields that `Connection` cannot strip, as the gateway or the server behind relies on them (CVE-2026-33805). */
const PROTECTED: ReadonlySet<string> = new Set(["cookie", "set-cookie", "authorization"]);

/** The framing fields a head must carry. */
export interface EmittedFraming {
  readonly chunked: boolean;
  /** -1 for no Content-Length. */
  readonly contentLength: number;
  /** Values of Connection: none, or one. */
  readonly connection: string;
  /** The protocol in Upgrade; "" for none. */
  readonly upgrade: string;
}

/**
 * Is what goes out framed once and canonically, free of the other side's hop-by-hop fields, and otherwise what came
 * in? Both lists as name, value, name, value; names of `sent` in lower case. `owed`: a field that is added when it did
 * not come, or "". Answers "" or what is wrong.
 */
export function emissionFault(
  came: readonly string[],
  sent: readonly string[],
  framing: EmittedFraming,
  owed: string,
): string {
  const lengths = valuesOf(sent, "content-length");
  const codings = valuesOf(sent, "transfer-encoding");
  if (codings.join("|") !== (framing.chunked ? "chunked" : "")) return "another Transfer-Encoding";
  const length = framing.chunked || framing.contentLength < 0 ? "" : String(framing.contentLength);
  if (lengths.join("|") !== length) return "another Content-Length";
  if (valuesOf(sent, "connection").join("|") !== framing.connection) return "another Connection";
  if (valuesOf(sent, "upgrade").join("|") !== framing.upgrade) return "another Upgrade";
  for (const name of ["keep-alive", "proxy-connection", "te"]) {
    if (valuesOf(sent, name).length > 0) return `${name} passed on`;
  }
  return passedFault(came, sent, owed);
}

/** The fields that are nobody's business but the two ends': all of them, in order, byte by byte. */
function passedFault(came: readonly string[], sent: readonly string[], owed: string): string {
  const named = nominated(came);
  const expected: string[] = [];
  let isAdded = owed !== "";
  for (let i = 0; i < came.length; i += 2) {
    const name = came[i]!.toLowerCase();
    if (OWN.has(name) || (named.has(name) && !PROTECTED.has(name))) continue;
    expected.push(name, came[i + 1]!);
    if (name === owed) isAdded = false;
  }
  let at = 0;
  for (let i = 0; i < sent.length; i += 2) {
    if (OWN.has(sent[i]!) || (isAdded && sent[i] === owed)) continue;
    if (sent[i] !== expected[at] || sent[i + 1] !== expected[at + 1])
      return "a field added, lost, moved or changed";
    at += 2;
  }
  return at < expected.length ? "a field lost" : "";
}

/** The options of Connection that name fields, in lower case. */
function nominated(came: readonly string[]): ReadonlySet<string> {
  const named = new Set<string>();
  for (let i = 0; i < came.length; i += 2) {
    if (came[i]!.length !== 10 || came[i]!.toLowerCase() !== "connection") continue;
    for (const option of came[i + 1]!.split(",")) named.add(option.trim().toLowerCase());
  }
  return named;
}
