import { canonicalAddress } from "../config/address-set.ts";
import type { AddressSet } from "../core/app.ts";
import { Field, type FieldTable } from "../http1/field-table.ts";
import { forwardedFor } from "../http1/forwarded.ts";

/** `10.0.0.1`, `[fd00::1]`, both with an optional port (or its stand-in of RFC 7239 6.3). */
const NODE = /^(?:\[([^\]]*)\]|(\d[\d.]*))(?::(?:\d{1,5}|_[\w.-]+))?$/;

/**
 * The client a trusted peer speaks for: the right-most entry of X-Forwarded-For, or of Forwarded if there is no such
 * field, that is not itself a trusted proxy. Everything left of it was written by parties nobody vouches for. An entry
 * that is no address ends the search: what stands left of it cannot be trusted either.
 */
export function clientAddress(peer: string, fields: FieldTable, trusted: AddressSet): string {
  const kind = fields.has(Field.X_FORWARDED_FOR) ? Field.X_FORWARDED_FOR : Field.FORWARDED;
  let address = peer;
  for (let line = fields.count - 1; line >= 0; line--) {
    if (fields.kind[line] !== kind) continue;
    const value = fields.value(line);
    const entries = kind === Field.FORWARDED ? (forwardedFor(value) ?? [""]) : value.split(",");
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = addressOfNode(entries[i]!.trim());
      if (entry === undefined) return address;
      address = entry;
      if (trusted.match(entry) === undefined) return address;
    }
  }
  return address;
}

/** The canonical address of an entry, which may have brackets and a port. */
export function addressOfNode(node: string): string | undefined {
  const [, literal, plain] = NODE.exec(node) ?? [];
  if (literal !== undefined) return literal.includes(":") ? canonicalAddress(literal) : undefined;
  return canonicalAddress(plain ?? node);
}
