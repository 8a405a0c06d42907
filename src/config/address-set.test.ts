import * as fc from "fast-check";
import { BlockList, isIPv6 } from "node:net";
import { describe, expect, it } from "vitest";

import { addressSet, canonicalAddress, isAddressOrRange } from "./address-set.ts";

describe("canonicalAddress", () => {
  it.each([
    ["10.0.0.1", "10.0.0.1"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["::FFFF:0a00:0001", "10.0.0.1"],
    ["::10.0.0.1", "::a00:1"],
    ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
    ["FD00:0:0::1", "fd00::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["010.0.0.1", undefined],
    ["10.1", undefined],
    ["0x7f.0.0.1", undefined],
    ["[::1]", undefined],
    ["", undefined],
    ["::g", undefined],
  ])("of %j is %j", (text, expected) => {
    expect(canonicalAddress(text)).toBe(expected);
  });
});

describe("addressSet", () => {
  const set = addressSet([
    "10.0.0.1",
    "10.9.0.0/16",
    "10.9.1.0/24",
    "FD00::1",
    "2001:db8::/32",
    "::ffff:192.168.0.0/112",
  ]);

  it.each([
    ["10.0.0.1", "10.0.0.1"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["10.0.0.2", undefined],
    ["10.9.255.255", "10.9.0.0/16"],
    ["10.9.1.7", "10.9.1.0/24"],
    ["::ffff:10.9.1.7", "10.9.1.0/24"],
    ["10.10.0.0", undefined],
    ["fd00::1", "FD00::1"],
    ["fd00::1%eth0", "FD00::1"],
    ["2001:db8:ffff::1", "2001:db8::/32"],
    ["2001:db9::1", undefined],
    ["192.168.255.1", "::ffff:192.168.0.0/112"],
    ["not an address", undefined],
    ["", undefined],
    ["::ffff:nonsense", undefined],
  ])("covers %j by %j", (address, entry) => {
    expect(set.match(address)).toBe(entry);
  });

  it("agrees with the block list of Node.js on any address and range", () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    // Few distinct bits, so that addresses often fall into ranges.
    const nearby = fc
      .tuple(fc.constantFrom("10.0.", "fd00::"), fc.nat(3), fc.nat(3))
      .map(([prefix, a, b]) => (prefix === "10.0." ? `${prefix}${a}.${b}` : `${prefix}${a}:${b}`));
    const entry = fc.tuple(fc.oneof(address, nearby), fc.nat(128));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), fc.oneof(nearby, address), (entries, probe) => {
        const canonical = canonicalAddress(probe)!;
        const family = isIPv6(canonical) ? "ipv6" : "ipv4";
        const list = new BlockList();
        const written = entries.flatMap(([network, bits]) => {
          const base = canonicalAddress(network)!;
          // The list takes IPv4 clients for IPv4-mapped ones and has "::/0" cover them; the set does not.
          if (isIPv6(base) !== (family === "ipv6")) return [`${base}/${bits % 33}`];
          const prefix = family === "ipv6" ? bits : bits % 33;
          list.addSubnet(base, prefix, family);
          return [`${base}/${prefix}`];
        });
        const covered = list.check(canonical, family);
        expect(addressSet(written).match(probe) !== undefined).toBe(covered);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "host",
    "fe80::1%eth0",
    "10.0.0.0/8/8",
  ])("does not take %j", (entry) => {
    expect(isAddressOrRange(entry)).toBe(false);
  });
});
