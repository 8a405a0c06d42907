import { Field, type FieldTable } from "../http1/field-table.ts";
import { forwardedElement, forwardedFor, forwardedNode } from "../http1/forwarded.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { addressOfNode } from "./client-address.ts";

/** Who the client is, as far as the gateway believes it. */
export interface Forwarding {
  /** The peer's address. */
  readonly peer: string;
  /** The peer is a trusted proxy: what it says of its client is passed on. */
  readonly trusted: boolean;
  readonly proto: "http" | "https";
  /** Name by which the gateway signs Via (RFC 9110, 7.6.3). */
  readonly via: string;
  /** Version in which the request came, if it is not the head's own: HTTP/2 comes as a head of HTTP/1.1. */
  readonly received?: "2.0" | undefined;
  /** Forwarded (RFC 7239) is sent too. */
  readonly forwarded: boolean;
  /** Protocol that this connection is to turn into, as far as the app allows it; "" for none. */
  readonly upgrade: string;
  /** Request id in force: the gateway's own, or the one a trusted proxy sent. */
  readonly requestId: string;
  /**
   * The client's trace. passed: as it came. continued: `traceparent` is left out, as each try has its own. begun: `tracestate`
   * too, as it belongs to no trace, or to another one. Default passed.
   */
  readonly trace?: "passed" | "continued" | "begun";
}

/**
 * The head that goes to the server. Start line, Host and the framing fields are written anew in canonical form; the
 * other field lines are copied as ranges, as the parser has checked every byte of them; what belongs to the client's
 * connection alone (RFC 9110, 7.6.1) is left out, and so are forwarding fields of peers that are not trusted.
 */
export function requestHeadText(head: RequestHead, to: Forwarding): string {
  const fields = head.fields;
  const kept = keptLines(fields, KEPT[to.trace ?? "passed"][to.trusted ? "trusted" : "untrusted"]);
  const before = to.trusted ? forwardersOf(fields) : NOBODY;
  let text =
    `${head.method} ${head.target} HTTP/1.1\r\nHost: ${head.host}\r\n${kept}` +
    `X-Forwarded-For: ${before.addresses}${to.peer}\r\n`;
  if (!to.trusted || fields.get("x-forwarded-proto") === undefined)
    text += `X-Forwarded-Proto: ${to.proto}\r\n`;
  if (!to.trusted || fields.get("x-forwarded-host") === undefined)
    text += `X-Forwarded-Host: ${head.host}\r\n`;
  if (to.forwarded) {
    text += `Forwarded: ${before.elements}${forwardedElement(to.peer, head.host, to.proto)}\r\n`;
  } else if (before.elements !== "") text += `Forwarded: ${before.elements.slice(0, -2)}\r\n`;
  text += `X-Request-Id: ${to.requestId}\r\nVia: ${to.received ?? `1.${head.minor}`} ${to.via}\r\n`;
  if (head.maxForwards > 0) text += `Max-Forwards: ${head.maxForwards - 1}\r\n`;
  if (head.expectContinue) text += "Expect: 100-continue\r\n";
  if (head.chunked) text += "Transfer-Encoding: chunked\r\n";
  else if (head.contentLength >= 0) text += `Content-Length: ${head.contentLength}\r\n`;
  return to.upgrade === "" ? `${text}\r\n` : `${text}Connection: Upgrade\r\nUpgrade: ${to.upgrade}\r\n\r\n`;
}

/** The lines of a head whose kind is marked in `keep`, neighbours copied as one range. */
export function keptLines(fields: FieldTable, keep: Uint8Array): string {
  const { bytes, count, kind, nameStart, lineEnd } = fields;
  let text = "";
  let from = -1;
  let to = 0;
  for (let i = 0; i < count; i++) {
    if (keep[kind[i]!] === 1) {
      if (from < 0) from = nameStart[i]!;
      to = lineEnd[i]!;
    } else if (from >= 0) {
      text += bytes.latin1Slice(from, to);
      from = -1;
    }
  }
  return from < 0 ? text : text + bytes.latin1Slice(from, to);
}

/** A table for `keptLines` that keeps every kind but these. */
export function keepAllBut(...dropped: readonly number[]): Uint8Array {
  const keep = new Uint8Array(256).fill(1);
  for (const kind of dropped) keep[kind] = 0;
  return keep;
}

/** Fields of one connection, never passed on: RFC 9110, 7.6.1, with the framing that is written anew. */
export const CONNECTION_FIELDS: readonly number[] = [
  Field.CONTENT_LENGTH,
  Field.TRANSFER_ENCODING,
  Field.CONNECTION,
  Field.KEEP_ALIVE,
  Field.PROXY_CONNECTION,
  Field.TE,
  Field.UPGRADE,
  Field.NOMINATED,
];

// `Proxy` would become the HTTP_PROXY variable of a CGI program behind us (httpoxy, CVE-2016-5385).
const NEVER = [
  ...CONNECTION_FIELDS,
  Field.HOST,
  Field.EXPECT,
  Field.PROXY,
  Field.X_REQUEST_ID,
  Field.X_FORWARDED_FOR,
  Field.FORWARDED,
  Field.X_HALFTONE_GROUP,
  Field.X_HALFTONE_ERROR,
];
const OF_TRUSTED_ALONE = [
  Field.X_REAL_IP,
  Field.X_FORWARDED_PROTO,
  Field.X_FORWARDED_HOST,
  Field.X_FORWARDED_PORT,
  Field.X_FORWARDED_PREFIX,
  Field.X_FORWARDED_SERVER,
  Field.X_FORWARDED_SSL,
  Field.X_FORWARDED_SCHEME,
];

function keptBut(...more: readonly number[]): Readonly<Record<"trusted" | "untrusted", Uint8Array>> {
  return {
    trusted: keepAllBut(...NEVER, ...more),
    untrusted: keepAllBut(...NEVER, ...OF_TRUSTED_ALONE, ...more),
  };
}

const KEPT = {
  passed: keptBut(),
  continued: keptBut(Field.TRACEPARENT),
  begun: keptBut(Field.TRACEPARENT, Field.TRACESTATE),
};

/** What a trusted proxy says of those before it, in both notations, with a comma at the end; "" for nothing. */
interface Forwarders {
  readonly addresses: string;
  readonly elements: string;
}

const NOBODY: Forwarders = { addresses: "", elements: "" };

/**
 * Each field as it was sent. If only one of the two was, the other one is made of it: else it would end at the proxy. A
 * malformed Forwarded is dropped, as an open quote in it would swallow what is appended.
 */
function forwardersOf(fields: FieldTable): Forwarders {
  const addresses = valuesOf(fields, Field.X_FORWARDED_FOR);
  const elements = valuesOf(fields, Field.FORWARDED);
  const nodes = elements === "" ? [] : forwardedFor(elements.slice(0, -2));
  if (nodes === undefined) return { addresses, elements: "" };
  return {
    addresses: addresses === "" ? listOf(nodes, (node) => node) : addresses,
    elements: elements === "" ? listOf(addresses.split(",").slice(0, -1), forwardedNode) : elements,
  };
}

function listOf(nodes: readonly string[], write: (address: string) => string): string {
  return nodes.map((node) => `${write(addressOfNode(node.trim()) ?? "unknown")}, `).join("");
}

/** The values of all fields of that kind as one list, each with ", " after it. */
function valuesOf(fields: FieldTable, kind: number): string {
  let values = "";
  for (let i = 0; i < fields.count; i++) {
    if (fields.kind[i] === kind && fields.valueEnd[i]! > fields.valueStart[i]!)
      values += `${fields.value(i)}, `;
  }
  return values;
}
