import { FieldTable } from "./field-table.ts";
import type { HeadLimits } from "./limits.ts";
import type { Refusal } from "./refusal.ts";

/**
 * Fields that mean something before the body is read: framing, routing, modifiers, authentication, response
 * control, how to process the content, and hop-by-hop ones. In a trailer section they are dropped, lest a
 * server behind merges them into the head (RFC 9110 6.5.1).
 */
const FORBIDDEN: ReadonlySet<string> = new Set(
  `content-length transfer-encoding trailer host
  cache-control expect max-forwards pragma range te if-match if-none-match if-modified-since
  if-unmodified-since if-range
  authorization proxy-authorization proxy-authenticate proxy-authentication-info www-authenticate
  authentication-info cookie set-cookie
  age date expires location retry-after vary warning
  content-encoding content-type content-range
  connection keep-alive proxy-connection upgrade proxy
  forwarded x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-real-ip x-request-id via
  x-halftone-group x-halftone-error`.split(/\s+/),
);

/**
 * Reads a whole trailer section, empty line included: the lines to pass on, as latin1 text, or a refusal.
 * `removesSpace` as in `FieldTable`.
 */
export function readTrailers(
  bytes: Buffer,
  end: number,
  limits: HeadLimits,
  removesSpace: boolean,
): string | Refusal | undefined {
  const table = new FieldTable(limits.headers, removesSpace);
  const after = table.scan(bytes, 0, end);
  if (after < 0) return table.refusal;
  let kept = "";
  for (let i = 0; i < table.count; i++) {
    const name = bytes.latin1Slice(table.nameStart[i]!, table.nameEnd[i]!);
    if (!FORBIDDEN.has(name.toLowerCase())) kept += `${name}: ${table.value(i)}\r\n`;
  }
  return kept;
}
