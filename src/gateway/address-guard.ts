import { statSync } from "node:fs";
import { isIP, isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { addressSet, canonicalAddress } from "../config/address-set.ts";
import { forbiddenAddress } from "../config/forbidden-address.ts";
import type { ListenAddress } from "../config/gateway-settings.ts";
import type { AddressSet, Target } from "../core/app.ts";

/** Error code of a connection that was not made because of where it would have led. */
export const REFUSED = "ESERVERREFUSED";

/**
 * Says where the gateway must not connect to, whoever asks it to: to its own listeners (a loop) and its admin API (a
 * client would reach it past the firewall), and to addresses at which no server stands. Asked about the address that
 * is connected to, on every connect: a name may lead anywhere, and elsewhere the next time (DNS rebinding).
 */
export class AddressGuard {
  private readonly own: readonly ListenAddress[];
  private readonly allowed: AddressSet;

  /** `own`: as bound, not as configured. `allowed`: excepted from the rules on addresses, not from the one on `own`. */
  constructor(own: readonly ListenAddress[], allowed: readonly string[]) {
    this.own = own;
    this.allowed = addressSet(allowed);
  }

  /** Why this target is refused, for people; undefined: it is not, or it is a name whose addresses will tell. */
  refusal(target: Target): string | undefined {
    if (target.kind === "unix") return this.refusalOfPath(target.path);
    return isIP(target.host) === 0 ? undefined : this.refusalOf(target.host, target.port);
  }

  refusalOf(host: string, port: number): string | undefined {
    const address = canonicalAddress(host);
    if (address === undefined) return `${host} is no address`;
    const forbidden = forbiddenAddress(address, this.allowed);
    if (forbidden !== undefined) return `${address} is ${forbidden}`;
    for (const own of this.own) {
      if (own.kind === "tcp" && own.port === port && isReachedBy(own.host, address))
        return `${address.includes(":") ? `[${address}]` : address}:${port} is this gateway itself`;
    }
    return undefined;
  }

  private refusalOfPath(path: string): string | undefined {
    for (const own of this.own) {
      if (own.kind === "unix" && isSameFile(own.path, path)) return `${path} is this gateway itself`;
    }
    return undefined;
  }
}

/** Does a connection to this address, canonical, arrive at a listener bound to `host`? */
function isReachedBy(host: string, address: string): boolean {
  const listening = canonicalAddress(host);
  // The system takes these for loopback; they get here only if somebody allowed them.
  if (address === "0.0.0.0" || address === "::")
    return isReachedBy(host, address === "::" ? "::1" : "127.0.0.1");
  if (listening === "0.0.0.0") return isIPv4(address) && isOfThisMachine(address);
  // Listeners on "::" take IPv4 too.
  if (listening === "::") return isOfThisMachine(address);
  return listening === address;
}

/** Not kept: addresses of a machine come and go, and this is asked only when the port is one of our own. */
function isOfThisMachine(address: string): boolean {
  if (address === "::1" || (isIPv4(address) && address.startsWith("127."))) return true;
  return Object.values(networkInterfaces()).some((addresses = []) =>
    addresses.some((own) => canonicalAddress(own.address) === address),
  );
}

/** However it is written, and through links of both kinds. */
function isSameFile(path: string, other: string): boolean {
  if (path === other) return true;
  try {
    const [a, b] = [statSync(path), statSync(other)];
    return a.ino === b.ino && a.dev === b.dev;
  } catch {
    // One is not there, or is not shown to us: then it cannot be connected to either.
    return false;
  }
}
