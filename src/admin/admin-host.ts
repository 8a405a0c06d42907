import type { ListenAddress } from "../config/gateway-settings.ts";
import { addressSet, canonicalAddress } from "../config/address-set.ts";

const LOOPBACK = addressSet(["127.0.0.0/8", "::1"]);
const WILDCARDS = new Set(["0.0.0.0", "::"]);

/** Where the admin listener is known. */
export interface AdminHosts {
  /** As configured, and as bound: a name there, its address here. */
  readonly listen: readonly ListenAddress[];
  /** `admin.hosts`: names in lower case, addresses in their one spelling. */
  readonly hosts: readonly string[];
}

/**
 * Is this Host field one under which the admin listener is really known? The attack is DNS rebinding: a page of
 * evil.example has its name resolve to 127.0.0.1 and then talks to this listener as its own origin (CVE-2018-7160 in
 * Node's inspector). It needs a name, so a listener on all addresses takes whatever address it is called by.
 */
export function isAdminHost(field: string, { listen, hosts }: AdminHosts): boolean {
  const host = hostOf(field);
  if (host === undefined) return false;
  const address = canonicalAddress(host);
  if (hosts.includes(address ?? host)) return true;
  const own = listen.flatMap((one) => (one.kind === "tcp" ? [canonicalAddress(one.host) ?? one.host] : []));
  if (address === undefined) return host === "localhost" || own.some((name) => name.toLowerCase() === host);
  return LOOPBACK.match(address) !== undefined || own.some((one) => one === address || WILDCARDS.has(one));
}

/** What is expected in Host, for people. */
export function adminHostsText({ listen, hosts }: AdminHosts): string {
  const own = listen.flatMap((one) => {
    if (one.kind === "unix") return [];
    return WILDCARDS.has(canonicalAddress(one.host) ?? "") ? ["any IP address"] : [one.host];
  });
  const configured = hosts.length === 0 ? "nothing so far" : hosts.join(", ");
  return `${["localhost", ...new Set(own)].join(", ")}, or what admin.hosts of halftone.yaml names (${configured})`;
}

/** Without port and brackets, in lower case. CVE-2022-32212 was an address check that took "0x7f.1" for one. */
function hostOf(field: string): string | undefined {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(field);
  return (parts?.[1] ?? parts?.[2])?.toLowerCase();
}
