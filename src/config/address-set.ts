import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

import type { AddressSet } from "../core/app.ts";

const DOT = 46;
const ZERO = 48;

/**
 * The one spelling of an address: IPv6 as RFC 5952 writes it, IPv4-mapped IPv6 as IPv4, no zone. It is the spelling
 * sockets use, up to the last two. Undefined for what is no address (octal or shortened IPv4 included).
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return undefined;
  const address = ipaddr.IPv6.parse(inHex(withoutZone(text)));
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toString();
}

/** Is this an entry an address set can hold: an address, or a CIDR range like "10.9.0.0/16"? */
export function isAddressOrRange(text: string): boolean {
  return parseEntry(text) !== undefined;
}

/**
 * A set of addresses and CIDR ranges. Entries that are neither throw: check them with `isAddressOrRange` first.
 *
 * `match` runs once or more per request. An address written out is one look-up; ranges are looked up once per prefix
 * length that occurs, the longest first, so their number does not matter. Neither allocates anything for IPv4. A range
 * covers its own family only: "::/0" is not every IPv4 client, as in nginx.
 */
export function addressSet(entries: readonly string[]): AddressSet {
  const exact = new Map<string, string>();
  const ranges: Ranges = { ipv4: [], ipv6: [] };
  for (const entry of entries) {
    const parsed = parseEntry(entry);
    if (parsed === undefined) throw new Error(`not an address or CIDR range: ${entry}`);
    if (parsed.kind === "address") {
      if (!exact.has(parsed.address)) exact.set(parsed.address, entry);
    } else if (parsed.bytes.length === 4) {
      addRange(ranges.ipv4, parsed.prefix, networkNumber(numberOf(parsed.bytes), parsed.prefix), entry);
    } else addRange(ranges.ipv6, parsed.prefix, networkBits(parsed.bytes, parsed.prefix), entry);
  }
  const hasRanges = ranges.ipv4.length + ranges.ipv6.length > 0;
  return {
    size: entries.length,
    match(address: string): string | undefined {
      const found = exact.get(address);
      if (found !== undefined || entries.length === 0) return found;
      if (isUnusual(address)) return matchUnusual(address);
      return hasRanges ? matchRange(ranges, address) : undefined;
    },
  };

  function matchUnusual(address: string): string | undefined {
    const canonical = canonicalAddress(address);
    if (canonical === undefined) return undefined;
    return exact.get(canonical) ?? (hasRanges ? matchRange(ranges, canonical) : undefined);
  }
}

/** One prefix length: the ranges of that length by their network bits. */
interface RangesOfLength<Network> {
  readonly prefix: number;
  readonly byNetwork: Map<Network, string>;
}

/** Networks of IPv4 as numbers, of IPv6 as texts of as many characters as bytes. */
interface Ranges {
  readonly ipv4: RangesOfLength<number>[];
  readonly ipv6: RangesOfLength<string>[];
}

type Entry =
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "range"; readonly bytes: readonly number[]; readonly prefix: number };

function parseEntry(text: string): Entry | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) {
    const address = text.includes("%") ? undefined : canonicalAddress(text);
    return address === undefined ? undefined : { kind: "address", address };
  }
  const network = text.slice(0, slash);
  const digits = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const prefix = Number(digits);
  if (isIPv4(network)) return prefix <= 32 ? range(network, prefix) : undefined;
  if (!isIPv6(network) || network.includes("%") || prefix > 128) return undefined;
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8: clients of such a range are known by their IPv4.
  const canonical = canonicalAddress(network)!;
  return isIPv4(canonical) && prefix >= 96 ? range(canonical, prefix - 96) : range(network, prefix);
}

function range(network: string, prefix: number): Entry {
  return { kind: "range", bytes: ipaddr.parse(inHex(network)).toByteArray(), prefix };
}

function addRange<Network>(
  lengths: RangesOfLength<Network>[],
  prefix: number,
  network: Network,
  entry: string,
): void {
  let ofLength = lengths.find((one) => one.prefix === prefix);
  if (ofLength === undefined) {
    ofLength = { prefix, byNetwork: new Map() };
    lengths.push(ofLength);
    lengths.sort((a, b) => b.prefix - a.prefix);
  }
  if (!ofLength.byNetwork.has(network)) ofLength.byNetwork.set(network, entry);
}

/** `address`: canonical. */
function matchRange(ranges: Ranges, address: string): string | undefined {
  if (!address.includes(":")) return matchIPv4(ranges.ipv4, address);
  const lengths = ranges.ipv6;
  if (lengths.length === 0 || !ipaddr.isValid(address)) return undefined;
  const bytes = ipaddr.parse(address).toByteArray();
  for (const { prefix, byNetwork } of lengths) {
    const entry = byNetwork.get(networkBits(bytes, prefix));
    if (entry !== undefined) return entry;
  }
  return undefined;
}

function matchIPv4(lengths: readonly RangesOfLength<number>[], address: string): string | undefined {
  if (lengths.length === 0 || !isIPv4(address)) return undefined;
  let number = 0;
  let part = 0;
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code === DOT) {
      number = number * 256 + part;
      part = 0;
    } else part = part * 10 + code - ZERO;
  }
  number = number * 256 + part;
  // Not "for of": it would allocate an iterator for every request.
  for (let i = 0; i < lengths.length; i++) {
    const { prefix, byNetwork } = lengths[i]!;
    const entry = byNetwork.get(networkNumber(number, prefix));
    if (entry !== undefined) return entry;
  }
  return undefined;
}

function numberOf(bytes: readonly number[]): number {
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}

/** The number as which a range of IPv4 is looked up; a shift by 32 would be one by 0. */
function networkNumber(address: number, prefix: number): number {
  return prefix === 0 ? 0 : address >>> (32 - prefix);
}

function networkBits(bytes: readonly number[], prefix: number): string {
  let bits = "";
  for (let index = 0; index * 8 < prefix; index++) {
    const kept = Math.min(8, prefix - index * 8);
    bits += String.fromCharCode(bytes[index]! & (0xff00 >> kept));
  }
  return bits;
}

/** Spellings sockets use for an address that has a shorter one: IPv4-mapped, or with a zone. */
function isUnusual(address: string): boolean {
  return address.startsWith("::ffff:") || address.includes("%");
}

/**
 * An IPv6 address whose dotted tail, if it has one, is written in hex. The library reads "::10.0.0.1" (IPv4-compatible,
 * RFC 4291 2.5.5.1) as "::ffff:10.0.0.1", which would let it pass for 10.0.0.1.
 */
function inHex(address: string): string {
  const tail = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  if (tail === null) return address;
  const [high, low] = [Number(tail[2]) * 256 + Number(tail[3]), Number(tail[4]) * 256 + Number(tail[5])];
  return `${tail[1]}${high.toString(16)}:${low.toString(16)}`;
}

function withoutZone(address: string): string {
  const zone = address.indexOf("%");
  return zone < 0 ? address : address.slice(0, zone);
}
