import type { OutgoingHttpHeaders } from "node:http2";
import type { FieldTable } from "../http1/field-table.ts";

/**
 * Names that node:http2 takes once only: it throws at the second line. A server that sent two is combined as RFC 9110,
 * 5.3 lets a recipient do, so that nothing is dropped and nothing chosen.
 */
const SINGLE: ReadonlySet<string> = new Set(
  `access-control-allow-credentials access-control-max-age access-control-request-method age authorization
  content-encoding content-language content-length content-location content-md5 content-range content-type date dnt
  etag expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location
  max-forwards proxy-authorization range referer retry-after tk upgrade-insecure-requests user-agent
  x-content-type-options`.split(/\s+/),
);

/** Belongs to a connection that upgrades, like Upgrade itself; the table of HTTP/1 fields does not know it. */
const SETTINGS = "http2-settings";

/** Fields of an answer as node:http2 takes them; several lines of one name stay several. */
export function newHttp2Fields(status: number): OutgoingHttpHeaders {
  const fields = Object.create(null) as OutgoingHttpHeaders;
  fields[":status"] = status;
  return fields;
}

/** Adds the lines of a head whose kind is marked in `keep`. */
export function addKeptFields(to: OutgoingHttpHeaders, table: FieldTable, keep: Uint8Array): void {
  const { bytes, count, kind, nameStart, nameEnd } = table;
  for (let i = 0; i < count; i++) {
    if (keep[kind[i]!] !== 1) continue;
    addField(to, bytes.latin1Slice(nameStart[i]!, nameEnd[i]!).toLowerCase(), table.value(i));
  }
}

/** Adds fields that are written as lines, `Name: value CRLF` each. */
export function addFieldLines(to: OutgoingHttpHeaders, lines: string): void {
  for (const line of lines.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) addField(to, line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
}

function addField(to: OutgoingHttpHeaders, name: string, value: string): void {
  if (name === SETTINGS) return;
  const before = to[name];
  if (before === undefined) to[name] = value;
  else if (SINGLE.has(name)) to[name] = `${String(before)}, ${value}`;
  else if (Array.isArray(before)) before.push(value);
  else to[name] = [String(before), value];
}
