import type { AddressSet } from "../core/app.ts";
import { addressSet } from "./address-set.ts";

/** Why a server is never to stand at an address. */
export type ForbiddenAddress =
  | "an unspecified address"
  | "a multicast address"
  | "a broadcast address"
  | "a link-local address"
  | "the address of a cloud's metadata service";

/**
 * Addresses at which no server of an app stands, but something else that answers: the machine itself (connecting to
 * 0.0.0.0 reaches it), or a cloud's metadata service, which hands out credentials to whoever may ask from here
 * (SSRF, as in the Capital One breach of 2019). Private ranges and loopback are where servers do stand.
 */
const FORBIDDEN: readonly (readonly [ForbiddenAddress, readonly string[]])[] = [
  ["an unspecified address", ["0.0.0.0/8", "::"]],
  ["a multicast address", ["224.0.0.0/4", "ff00::/8"]],
  ["a broadcast address", ["255.255.255.255"]],
  [
    "the address of a cloud's metadata service",
    // Most clouds; AWS and Google by IPv6; Alibaba; Azure's wire server.
    ["169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16"],
  ],
  ["a link-local address", ["169.254.0.0/16", "fe80::/10"]],
];

const reasonOf = new Map(FORBIDDEN.flatMap(([reason, entries]) => entries.map((entry) => [entry, reason])));
const forbidden = addressSet([...reasonOf.keys()]);

/** `allowed`: addresses at which servers may stand in spite of this. */
export function forbiddenAddress(address: string, allowed: AddressSet): ForbiddenAddress | undefined {
  const entry = forbidden.match(address);
  if (entry === undefined || (allowed.size > 0 && allowed.match(address) !== undefined)) return undefined;
  return reasonOf.get(entry);
}
