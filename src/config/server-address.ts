import { isIPv6 } from "node:net";

import type { Server, Target } from "../core/app.ts";
import { canonicalAddress } from "./address-set.ts";
import type { ServerDocument } from "./app-document.ts";

/** What a server address must look like, for people. */
export const SERVER_ADDRESS_EXPECTED = "an IPv4 or IPv6 address, host name or unix:/path, with optional port";

/** Port of servers and apps that name none. */
export const DEFAULT_PORT = 80;

/** The kernel's limit for the path of a unix socket, in bytes (sun_path less its end mark; 104 on some systems). */
const MAX_UNIX_PATH = 107;

/** An address as written: the port is undefined where none stands. */
export type ServerAddress =
  | { readonly kind: "ip" | "name"; readonly host: string; readonly port: number | undefined }
  | { readonly kind: "unix"; readonly path: string };

/** "10.0.4.175", "10.0.4.176:8081", "fd00::1", "[fd00::1]:80", "app.internal:80", "unix:/path"; undefined otherwise. */
export function parseServerAddress(text: string): ServerAddress | undefined {
  if (text.startsWith("unix:")) return unixAddress(text.slice("unix:".length));
  if (isIPv6(text)) return { kind: "ip", host: canonicalHost(text), port: undefined };
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, literal, plain, digits] = parts;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && !isPort(port)) return undefined;
  if (literal !== undefined) {
    return isIPv6(literal) ? { kind: "ip", host: canonicalHost(literal), port } : undefined;
  }
  if (canonicalAddress(plain!) !== undefined) return { kind: "ip", host: plain!, port };
  return isHostName(plain!) ? { kind: "name", host: plain!.toLowerCase(), port } : undefined;
}

/** A server of a checked document, or undefined if its address is none or has a port beside a `port`. */
export function serverOf(
  server: ServerDocument,
  defaults: { readonly port: number; readonly weight: number },
): Server | undefined {
  const written = typeof server === "string" ? { address: server } : server;
  const address = parseServerAddress(written.address);
  if (address === undefined) return undefined;
  const weight = written.weight ?? defaults.weight;
  if (written.port !== undefined && (address.kind === "unix" || address.port !== undefined)) return undefined;
  const target = targetOf(address, written.port ?? defaults.port);
  return { id: serverId(target), target, weight };
}

/** The canonical address: equal for two servers exactly when they are the same. */
function serverId(target: Target): string {
  if (target.kind === "unix") return `unix:${target.path}`;
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return `${host}:${target.port}`;
}

/**
 * A host name as the resolver takes it; underscores occur in real ones (Docker, SRV). One whose last label is a number
 * is a mistyped IPv4 address ("10.0.4.999"), never a name, as in the WHATWG URL standard.
 */
export function isHostName(text: string): boolean {
  const labels = (text.endsWith(".") ? text.slice(0, -1) : text).split(".");
  return (
    text.length <= 253 &&
    labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label)) &&
    !/^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1)!)
  );
}

function targetOf(address: ServerAddress, defaultPort: number): Target {
  return address.kind === "unix" ? address : { ...address, port: address.port ?? defaultPort };
}

function unixAddress(path: string): ServerAddress | undefined {
  const fits =
    path.startsWith("/") && path.length > 1 && new TextEncoder().encode(path).length <= MAX_UNIX_PATH;
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return fits && !/[\u0000-\u001f\u007f]/.test(path) ? { kind: "unix", path } : undefined;
}

/** Like `canonicalAddress`, but a zone stays: a link-local server cannot be reached without it. */
function canonicalHost(address: string): string {
  const zone = address.indexOf("%");
  return canonicalAddress(address)! + (zone < 0 ? "" : address.slice(zone));
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}
