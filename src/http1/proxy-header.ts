import { isIPv4, isIPv6 } from "node:net";
import { canonicalAddress } from "../config/address-set.ts";
import { crc32c } from "./crc32c.ts";

// The PROXY protocol, versions 1 and 2: how a proxy that does not speak HTTP says whose connection it passes on.
// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
//
// A reader that guesses is as dangerous as one of HTTP: what it takes for the header decides who the client is, and
// where HTTP begins. So nothing is repaired, and every header is read in one way only.

/** One end of a TCP connection. */
export interface Endpoint {
  /** Canonical: IPv4-mapped IPv6 is IPv4. */
  readonly address: string;
  readonly port: number;
}

/** The ends of a client's connection, as its proxy saw them. */
export interface ProxiedConnection {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

export type ProxyHeader =
  /** All bytes so far may be the beginning of one. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed"; readonly reason: string }
  /** HTTP (or TLS) begins at `length`. Without `connection` the sender speaks for nobody: LOCAL, UNKNOWN, unix socket. */
  | {
      readonly kind: "complete";
      readonly length: number;
      readonly connection: ProxiedConnection | undefined;
    };

/** Section 2.1: "a 108-byte buffer is always enough", its final NUL included. */
const MAX_V1 = 107;
/** The whole header of version 2. Its addresses need 232 bytes at most; TLVs may hold a certificate. As in nginx. */
const MAX_V2 = 4096;

const SIGNATURE_V1 = latin1("PROXY ");
const SIGNATURE_V2 = latin1("\r\n\r\n\0\r\nQUIT\n");
const FIXED_V2 = 16;
const CR = 13;
const LF = 10;
const TLV_CRC32C = 0x03;

const INCOMPLETE: ProxyHeader = { kind: "incomplete" };

/** Reads the header at the beginning of a connection. The answer to a longer beginning never contradicts this one. */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (beginsLike(bytes, SIGNATURE_V1))
    return bytes.length <= SIGNATURE_V1.length ? INCOMPLETE : readV1(bytes);
  if (beginsLike(bytes, SIGNATURE_V2))
    return bytes.length <= SIGNATURE_V2.length ? INCOMPLETE : readV2(bytes);
  return malformed("no PROXY header");
}

/** The header to send. `connection` undefined: nobody's, such as a health check. */
export function proxyHeader(version: "v1" | "v2", connection: ProxiedConnection | undefined): Uint8Array {
  return version === "v1" ? headerV1(connection) : headerV2(connection);
}

function readV1(bytes: Uint8Array): ProxyHeader {
  const end = bytes.indexOf(CR, SIGNATURE_V1.length);
  const lineFeed = bytes.indexOf(LF, SIGNATURE_V1.length);
  if (lineFeed >= 0 && (end < 0 || lineFeed < end)) return malformed("a line that ends without CR");
  if (end < 0) return bytes.length < MAX_V1 - 1 ? INCOMPLETE : malformed(TOO_LONG_V1);
  if (end > MAX_V1 - 2) return malformed(TOO_LONG_V1);
  const line = text(bytes.subarray(SIGNATURE_V1.length, end));
  const read = connectionOf(line);
  if (typeof read === "string") return malformed(read);
  if (end + 1 === bytes.length) return INCOMPLETE;
  if (bytes[end + 1] !== LF) return malformed("a CR without LF");
  return { kind: "complete", length: end + 2, connection: read.connection };
}

const TOO_LONG_V1 = `a line of more than ${MAX_V1} bytes`;

/** What stands between "PROXY " and the end of the line; a text says what is wrong. */
function connectionOf(line: string): string | { readonly connection: ProxiedConnection | undefined } {
  // What follows UNKNOWN is to be ignored (section 2.1).
  if (line === "UNKNOWN" || line.startsWith("UNKNOWN ")) return { connection: undefined };
  const [family, source = "", destination = "", sourcePort = "", destinationPort = "", ...more] =
    line.split(" ");
  if (family !== "TCP4" && family !== "TCP6") return "neither TCP4, TCP6 nor UNKNOWN";
  if (more.length > 0) return "more than two addresses and two ports";
  const isAddress = family === "TCP4" ? isIPv4 : isPlainIPv6;
  if (!isAddress(source) || !isAddress(destination)) return `an address that is none of ${family}`;
  if (!isPort(sourcePort) || !isPort(destinationPort)) return "a port that is no number from 0 to 65535";
  return {
    connection: {
      source: { address: canonicalAddress(source)!, port: Number(sourcePort) },
      destination: { address: canonicalAddress(destination)!, port: Number(destinationPort) },
    },
  };
}

function readV2(bytes: Uint8Array): ProxyHeader {
  const command = bytes[12]!;
  // Section 2.2: other versions and commands must be refused.
  if (command !== LOCAL && command !== PROXY) return malformed("neither LOCAL nor PROXY of version 2");
  const family = bytes[13];
  if (family === undefined) return INCOMPLETE;
  const addressLength = ADDRESS_LENGTH[family];
  if (command === PROXY && addressLength === undefined) return malformed("an unknown address family");
  if (bytes.length < FIXED_V2) return INCOMPLETE;
  const length = FIXED_V2 + bytes[14]! * 256 + bytes[15]!;
  if (length > MAX_V2) return malformed(`a header of more than ${MAX_V2} bytes`);
  if (command === PROXY && length < FIXED_V2 + addressLength!)
    return malformed("too short for its addresses");
  if (bytes.length < length) return INCOMPLETE;
  // All that follows a LOCAL is to be skipped, whatever it is; so are the contents of an unspecified family.
  if (command === LOCAL || family === UNSPECIFIED) return { kind: "complete", length, connection: undefined };
  const wrong = wrongTlv(bytes.subarray(0, length), FIXED_V2 + addressLength!);
  if (wrong !== undefined) return malformed(wrong);
  return { kind: "complete", length, connection: addressesV2(bytes, addressLength!) };
}

const LOCAL = 0x20;
const PROXY = 0x21;
const UNSPECIFIED = 0x00;
/**
 * Bytes of both addresses and ports by family and transport; others must be refused (section 2.2). The transport is
 * the client's to the proxy: one that came by QUIC is passed on as 0x12 or 0x22.
 */
const ADDRESS_LENGTH: Readonly<Record<number, number>> = {
  [UNSPECIFIED]: 0,
  0x11: 12,
  0x12: 12,
  0x21: 36,
  0x22: 36,
  0x31: 216,
  0x32: 216,
};

function addressesV2(bytes: Uint8Array, length: number): ProxiedConnection | undefined {
  const at = (offset: number): number => bytes[FIXED_V2 + offset]! * 256 + bytes[FIXED_V2 + offset + 1]!;
  const endpoint = (address: string, port: number): Endpoint => ({
    address: canonicalAddress(address)!,
    port: at(port),
  });
  if (length === 12) {
    const ipv4 = (offset: number): string =>
      bytes.subarray(FIXED_V2 + offset, FIXED_V2 + offset + 4).join(".");
    return { source: endpoint(ipv4(0), 8), destination: endpoint(ipv4(4), 10) };
  }
  if (length === 36) {
    const ipv6 = (offset: number): string =>
      Array.from({ length: 8 }, (_, group) => at(offset + 2 * group).toString(16)).join(":");
    return { source: endpoint(ipv6(0), 32), destination: endpoint(ipv6(16), 34) };
  }
  return undefined;
}

/** Everything behind the addresses: records that must fill it exactly. One is looked at, the checksum. */
function wrongTlv(header: Uint8Array, start: number): string | undefined {
  let position = start;
  while (position < header.length) {
    if (position + 3 > header.length) return "a cut TLV";
    const length = header[position + 1]! * 256 + header[position + 2]!;
    const value = position + 3;
    if (value + length > header.length) return "a TLV that is longer than the header";
    // Section 2.2.3: who knows the checksum must verify it.
    if (header[position] === TLV_CRC32C && (length !== 4 || !isIntact(header, value)))
      return "a wrong checksum";
    position = value + length;
  }
  return undefined;
}

/** The checksum counts over the whole header, with zeros where it stands itself. */
function isIntact(header: Uint8Array, position: number): boolean {
  const found = new DataView(header.buffer, header.byteOffset + position, 4).getUint32(0);
  const copy = header.slice();
  copy.fill(0, position, position + 4);
  return crc32c(copy) === found;
}

function headerV1(connection: ProxiedConnection | undefined): Uint8Array {
  if (connection === undefined) return latin1("PROXY UNKNOWN\r\n");
  const { source, destination } = connection;
  const family = isBothIPv4(connection) ? "TCP4" : "TCP6";
  const spell = family === "TCP4" ? (address: string): string => address : asIPv6;
  const addresses = `${spell(source.address)} ${spell(destination.address)}`;
  return latin1(`PROXY ${family} ${addresses} ${source.port} ${destination.port}\r\n`);
}

function headerV2(connection: ProxiedConnection | undefined): Uint8Array {
  const both = connection !== undefined && isBothIPv4(connection);
  const length = connection === undefined ? 0 : both ? 12 : 36;
  const header = new Uint8Array(FIXED_V2 + length);
  header.set(SIGNATURE_V2);
  header[12] = connection === undefined ? LOCAL : PROXY;
  header[13] = connection === undefined ? UNSPECIFIED : both ? 0x11 : 0x21;
  header[15] = length;
  if (connection === undefined) return header;
  const { source, destination } = connection;
  const size = both ? 4 : 16;
  const octets = both ? octetsOf : (address: string): number[] => octetsOfIPv6(asIPv6(address));
  header.set(octets(source.address), FIXED_V2);
  header.set(octets(destination.address), FIXED_V2 + size);
  const ports = [source.port >> 8, source.port & 255, destination.port >> 8, destination.port & 255];
  header.set(ports, FIXED_V2 + 2 * size);
  return header;
}

function isBothIPv4({ source, destination }: ProxiedConnection): boolean {
  return isIPv4(source.address) && isIPv4(destination.address);
}

/** Where the two ends are of different families, IPv4 is written as mapped IPv6. */
function asIPv6(address: string): string {
  return isIPv4(address) ? `::ffff:${address}` : address;
}

function octetsOf(ipv4: string): number[] {
  return ipv4.split(".").map(Number);
}

function octetsOfIPv6(address: string): number[] {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (mapped !== null) return [...Array.from({ length: 10 }, () => 0), 255, 255, ...octetsOf(mapped[1]!)];
  const [left = "", right] = address.split("::");
  const groups = (text: string): number[] => (text === "" ? [] : text.split(":").map((g) => parseInt(g, 16)));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return [...head, ...zeros, ...tail].flatMap((group) => [group >> 8, group & 255]);
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

/** As far as both go. */
function beginsLike(bytes: Uint8Array, signature: Uint8Array): boolean {
  const length = Math.min(bytes.length, signature.length);
  for (let i = 0; i < length; i++) if (bytes[i] !== signature[i]) return false;
  return true;
}

function malformed(reason: string): ProxyHeader {
  return { kind: "malformed", reason };
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
