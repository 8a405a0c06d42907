import { isIPv6 } from "node:net";

import { canonicalAddress } from "./address-set.ts";
import type { ListenAddress } from "./gateway-settings.ts";
import { isHostName, parseServerAddress } from "./server-address.ts";

/** What a listen address must look like, for people. */
export const LISTEN_EXPECTED =
  'an address to listen on, like "0.0.0.0:8080", ":8080", "8080", "[::]:8080" or "unix:/path"';

/** Undefined for what is none. Without a host all IPv4 addresses are meant; port 0 lets the system choose one. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith("unix:")) {
    const address = parseServerAddress(text);
    return address?.kind === "unix" ? address : undefined;
  }
  const parts = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  if (parts === null) return undefined;
  const [, literal, plain, digits] = parts;
  const port = Number(digits);
  if (port > 65_535) return undefined;
  if (literal !== undefined) return isIPv6(literal) ? { kind: "tcp", host: literal, port } : undefined;
  const host = plain === undefined || plain === "" ? "0.0.0.0" : plain;
  return canonicalAddress(host) !== undefined || isHostName(host) ? { kind: "tcp", host, port } : undefined;
}
