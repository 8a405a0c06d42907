import type { ListenAddress } from "../config/gateway-settings.ts";
import { canonicalAddress } from "../config/address-set.ts";

/**
 * Is this Host field one under which the admin listener is really known? The attack is DNS rebinding: a page of
 * evil.example has its name resolve to 127.0.0.1 and then talks to this listener as its own origin (CVE-2018-7160 in
 * Node's inspector). It needs a name, so addresses are taken; of names only localhost and the configured one.
 */
export function isAdminHost(field: string, listen: ListenAddress): boolean {
  const host = hostOf(field);
  if (host === undefined) return false;
  if (host === "localhost" || canonicalAddress(host) !== undefined) return true;
  return listen.kind === "tcp" && host === listen.host.toLowerCase();
}

/** Without port and brackets, in lower case. CVE-2022-32212 was an address check that took "0x7f.1" for one. */
function hostOf(field: string): string | undefined {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(field);
  return (parts?.[1] ?? parts?.[2])?.toLowerCase();
}
