import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalAddress } from "../config/address-set.ts";
import { crc32c } from "./crc32c.ts";
import { proxyHeader, readProxyHeader, type ProxiedConnection, type ProxyHeader } from "./proxy-header.ts";

const V2 = "\r\n\r\n\0\r\nQUIT\n";
const REST = "GET / HTTP/1.1\r\n";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const read = (text: string): ProxyHeader => readProxyHeader(bytes(text));

/** A header of version 2 with this in its length field, and these bytes behind it. */
function v2(command: number, family: number, payload: string, length: number = payload.length): string {
  return V2 + String.fromCharCode(command, family, length >> 8, length & 255) + payload;
}

const IPV4 = "\xc0\x00\x02\x07\x0a\x00\x00\x01\xd4\x31\x01\xbb";
const IPV4_READ: ProxiedConnection = {
  source: { address: "192.0.2.7", port: 54_321 },
  destination: { address: "10.0.0.1", port: 443 },
};

function complete(text: string, connection: ProxiedConnection | undefined): void {
  const whole = { kind: "complete", length: text.length, connection };
  expect(read(text)).toEqual(whole);
  expect(read(text + REST)).toEqual(whole);
  expect(read(text + text)).toEqual(whole);
  for (let end = 0; end < text.length; end++)
    expect(read(text.slice(0, end))).toEqual({ kind: "incomplete" });
}

/** Refused, with this reason; once refused nothing that follows changes that, and nothing before it was accepted. */
function refused(text: string, reason: RegExp | string): void {
  expect(read(text)).toEqual({ kind: "malformed", reason: expect.stringMatching(reason) as string });
  expect(read(text + REST).kind).toBe("malformed");
  for (let end = 0; end < text.length; end++) expect(read(text.slice(0, end)).kind).not.toBe("complete");
}

describe("version 1", () => {
  it("is read byte by byte", () => {
    complete("PROXY TCP4 192.0.2.7 10.0.0.1 54321 443\r\n", IPV4_READ);
    complete("PROXY TCP4 255.255.255.255 255.255.255.255 65535 0\r\n", {
      source: { address: "255.255.255.255", port: 65_535 },
      destination: { address: "255.255.255.255", port: 0 },
    });
    complete("PROXY TCP6 2001:DB8::7 ::1 54321 443\r\n", {
      source: { address: "2001:db8::7", port: 54_321 },
      destination: { address: "::1", port: 443 },
    });
  });

  it("knows an IPv4 client who came to an IPv6 socket by its IPv4", () => {
    complete("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:a00:1 54321 443\r\n", IPV4_READ);
  });

  it("takes the connection for itself when its sender knows nothing", () => {
    complete("PROXY UNKNOWN\r\n", undefined);
    complete("PROXY UNKNOWN what:ever 1 2 3  4\r\n", undefined);
    complete(`PROXY UNKNOWN ${"f".repeat(91)}\r\n`, undefined);
  });

  it.each([
    ["", "GET / HTTP/1.1\r\n", "no PROXY header"],
    ["in lower case", "proxy TCP4 192.0.2.7 10.0.0.1 1 2\r\n", "no PROXY header"],
    ["a space before it", " PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n", "no PROXY header"],
    ["a tab", "PROXY\tTCP4 192.0.2.7 10.0.0.1 1 2\r\n", "no PROXY header"],
    ["an unknown family", "PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n", "neither"],
    ["nothing", "PROXY \r\n", "neither"],
    ["a family in lower case", "PROXY tcp4 192.0.2.7 10.0.0.1 1 2\r\n", "neither"],
    ["a name that only begins like UNKNOWN", "PROXY UNKNOWNS\r\n", "neither"],
    ["two spaces", "PROXY TCP4  192.0.2.7 10.0.0.1 1 2\r\n", "more than|address"],
    ["a space at the end", "PROXY TCP4 192.0.2.7 10.0.0.1 1 2 \r\n", "more than"],
    ["one address", "PROXY TCP4 192.0.2.7 1 2\r\n", "address"],
    ["no ports", "PROXY TCP4 192.0.2.7 10.0.0.1\r\n", "port"],
    ["the other family", "PROXY TCP4 ::1 ::1 1 2\r\n", "none of TCP4"],
    ["the other family", "PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n", "none of TCP6"],
    ["an octal address", "PROXY TCP4 0300.0.2.7 10.0.0.1 1 2\r\n", "address"],
    ["a leading zero in an address", "PROXY TCP4 192.0.2.07 10.0.0.1 1 2\r\n", "address"],
    ["an address in brackets", "PROXY TCP6 [::1] ::1 1 2\r\n", "address"],
    ["an address with a zone", "PROXY TCP6 fe80::1%lo ::1 1 2\r\n", "address"],
    ["a name", "PROXY TCP4 localhost 10.0.0.1 1 2\r\n", "address"],
    ["a port that is too large", "PROXY TCP4 192.0.2.7 10.0.0.1 65536 2\r\n", "port"],
    ["a port with a sign", "PROXY TCP4 192.0.2.7 10.0.0.1 +1 2\r\n", "port"],
    ["a port in hex", "PROXY TCP4 192.0.2.7 10.0.0.1 0x1 2\r\n", "port"],
    ["a port with a leading zero", "PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n", "port"],
    ["LF alone", "PROXY TCP4 192.0.2.7 10.0.0.1 1 2\n", "without CR"],
    ["CR alone", "PROXY TCP4 192.0.2.7 10.0.0.1 1 2\rX", "without LF"],
    ["CR within UNKNOWN", "PROXY UNKNOWN a\rb\r\n", "without LF"],
    ["NUL", "PROXY TCP4 192.0.2.7\0 10.0.0.1 1 2\r\n", "address"],
    ["108 bytes", `PROXY UNKNOWN ${"f".repeat(92)}\r\n`, "107"],
    ["no end of line", `PROXY UNKNOWN ${"f".repeat(93)}`, "107"],
  ])("refuses %s: %j", (_, text, reason) => refused(text, reason));
});

describe("version 2", () => {
  it("is read byte by byte", () => {
    complete(v2(0x21, 0x11, IPV4), IPV4_READ);
    const [client, here] = [`\x20\x01\x0d\xb8${"\0".repeat(11)}\x07`, `${"\0".repeat(15)}\x01`];
    complete(v2(0x21, 0x21, `${client}${here}\xd4\x31\x01\xbb`), {
      source: { address: "2001:db8::7", port: 54_321 },
      destination: { address: "::1", port: 443 },
    });
  });

  it("knows the address of a client who came by UDP (QUIC) as well", () => {
    complete(v2(0x21, 0x12, IPV4), IPV4_READ);
  });

  it("knows an IPv4 client who came to an IPv6 socket by its IPv4", () => {
    const mapped = (ipv4: string): string => `${"\0".repeat(10)}\xff\xff${ipv4}`;
    complete(v2(0x21, 0x21, mapped(IPV4.slice(0, 4)) + mapped(IPV4.slice(4, 8)) + IPV4.slice(8)), IPV4_READ);
  });

  it("takes the connection for itself when its sender speaks for nobody", () => {
    complete(v2(0x20, 0x00, ""), undefined);
    complete(v2(0x20, 0x11, IPV4), undefined);
    complete(v2(0x20, 0xff, "any\r\nthing"), undefined);
    complete(v2(0x21, 0x00, ""), undefined);
    complete(v2(0x21, 0x00, "any\r\nthing"), undefined);
    complete(v2(0x21, 0x31, "/run/client.sock".padEnd(216, "\0")), undefined);
  });

  it("skips records that say more", () => {
    complete(v2(0x21, 0x11, `${IPV4}\x01\0\x02h2\x04\0\0\xea\0\x03aws`), IPV4_READ);
  });

  it("verifies a checksum", () => {
    const header = (checksum: string): string => v2(0x21, 0x11, `${IPV4}\x04\0\x01x\x03\0\x04${checksum}`);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32c(bytes(header("\0\0\0\0"))));
    complete(header(sum.toString("latin1")), IPV4_READ);
    refused(header("\0\0\0\0"), "checksum");
    refused(header(sum.toString("latin1")).replace("\xc0\0\x02\x07", "\xc0\0\x02\x08"), "checksum");
    refused(v2(0x21, 0x11, `${IPV4}\x03\0\x03abc`), "checksum");
  });

  it("computes what RFC 3720 says", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd_794e);
  });

  it("takes as much as nginx does", () => {
    complete(v2(0x21, 0x11, `${IPV4}\xe0\x0f\xe1${"x".repeat(4065)}`), IPV4_READ);
    refused(v2(0x21, 0x11, `${IPV4}\xe0\x0f\xe2${"x".repeat(4066)}`), "4096");
  });

  it.each([
    ["version 1", v2(0x11, 0x11, IPV4), "version 2"],
    ["version 3", v2(0x31, 0x11, IPV4), "version 2"],
    ["an unknown command", v2(0x22, 0x11, IPV4), "LOCAL"],
    ["an unknown family", v2(0x21, 0x41, IPV4), "family"],
    ["an unknown transport", v2(0x21, 0x13, IPV4), "family"],
    ["a family without transport", v2(0x21, 0x10, IPV4), "family"],
    ["too little for its addresses", v2(0x21, 0x11, IPV4.slice(1)), "too short"],
    ["the length of IPv4 for IPv6", v2(0x21, 0x21, IPV4), "too short"],
    ["a cut record", v2(0x21, 0x11, `${IPV4}\x04\0`), "cut TLV"],
    ["a record that is too long", v2(0x21, 0x11, `${IPV4}\x04\0\x02x`), "TLV"],
    ["a wrong signature", v2(0x21, 0x11, IPV4).replace("QUIT", "QUIC"), "no PROXY header"],
    ["65535 bytes", v2(0x21, 0x11, IPV4, 65_535), "4096"],
  ])("refuses %s", (_, text, reason) => refused(text, reason));
});

describe("the writer", () => {
  it.each([
    [IPV4_READ, "PROXY TCP4 192.0.2.7 10.0.0.1 54321 443\r\n"],
    [
      { source: { address: "2001:db8::7", port: 1 }, destination: IPV4_READ.destination },
      "PROXY TCP6 2001:db8::7 ::ffff:10.0.0.1 1 443\r\n",
    ],
    [undefined, "PROXY UNKNOWN\r\n"],
  ])("writes version 1 as nginx and HAProxy do", (connection, expected) => {
    expect(Buffer.from(proxyHeader("v1", connection)).toString("latin1")).toBe(expected);
  });

  it("writes version 2", () => {
    expect(Buffer.from(proxyHeader("v2", IPV4_READ)).toString("latin1")).toBe(v2(0x21, 0x11, IPV4));
    expect(Buffer.from(proxyHeader("v2", undefined)).toString("latin1")).toBe(v2(0x20, 0x00, ""));
  });

  const address = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => canonicalAddress(text)!);
  const endpoint = fc.record({ address, port: fc.integer({ min: 0, max: 65_535 }) });
  const connection = fc.record({ source: endpoint, destination: endpoint });
  const version = fc.constantFrom("v1" as const, "v2" as const);

  it("writes what the reader reads, in whatever pieces it comes", () => {
    fc.assert(
      fc.property(version, connection, fc.uint8Array(), (version, connection, rest) => {
        const header = proxyHeader(version, connection);
        const whole = Buffer.concat([header, rest]);
        for (let end = 0; end < header.length; end++)
          expect(readProxyHeader(whole.subarray(0, end)).kind).toBe("incomplete");
        expect(readProxyHeader(whole)).toEqual({ kind: "complete", length: header.length, connection });
      }),
    );
  });
});

describe("any bytes", () => {
  const start = fc.constantFrom("", "PROXY ", "PROXY TCP4 1.2.3.4 1.2.3.4 1 ", V2, `${V2}\x21\x11\0\x0c`);
  const damaged = fc.tuple(start, fc.uint8Array({ maxLength: 300 }));

  it("are read without an exception, and the same whatever follows", () => {
    fc.assert(
      fc.property(damaged, fc.uint8Array(), ([start, bytes], more) => {
        const whole = Buffer.concat([Buffer.from(start, "latin1"), bytes]);
        const read = readProxyHeader(whole);
        const longer = readProxyHeader(Buffer.concat([whole, more]));
        if (read.kind === "complete") expect(longer).toEqual(read);
        if (read.kind === "malformed") expect(longer.kind).toBe("malformed");
        if (read.kind === "incomplete") expect(whole.length).toBeLessThan(4096);
      }),
      { numRuns: 2000 },
    );
  });
});
