import { canonicalAddress } from "../config/address-set.ts";
import type { AddressSet } from "../core/app.ts";
import { Field, type FieldTable } from "../http1/field-table.ts";

/**
 * The client a trusted peer speaks for: the right-most entry of X-Forwarded-For that is not itself a trusted proxy.
 * Everything left of it was written by parties nobody vouches for. An entry that is no address ends the search: what
 * stands left of it cannot be trusted either.
 */
export function clientAddress(peer: string, fields: FieldTable, trusted: AddressSet): string {
  let address = peer;
  for (let line = fields.count - 1; line >= 0; line--) {
    if (fields.kind[line] !== Field.X_FORWARDED_FOR) continue;
    const entries = fields.bytes.latin1Slice(fields.valueStart[line]!, fields.valueEnd[line]!).split(",");
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = canonicalAddress(entries[i]!.trim());
      if (entry === undefined) return address;
      address = entry;
      if (trusted.match(entry) === undefined) return address;
    }
  }
  return address;
}
