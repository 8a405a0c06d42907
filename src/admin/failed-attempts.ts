import ipaddr from "ipaddr.js";
import { canonicalAddress } from "../config/address-set.ts";
import type { Audit } from "./audit.ts";

/** Failures that cost nothing: people mistype. */
const FREE = 5;
const FIRST_DELAY = 1000;
const LONGEST_DELAY = 5000;
/** After so long without a failure an address begins anew, in ms. */
const MEMORY = 10 * 60_000;
const MOST_ADDRESSES = 10_000;
/** Lines of the audit a minute, over all addresses. */
const MOST_LINES = 10;
const MINUTE = 60_000;

interface Attempts {
  failures: number;
  /** Attempts answered 429. */
  turnedAway: number;
  last: number;
  /** Until then the address is not listened to. */
  until: number;
}

/**
 * Wrong tokens, by the address they come from: after five of them each costs a growing delay, within which further
 * attempts are turned away unheard. An address counts for itself alone, and IPv6 by its /64, of which one client has all.
 *
 * The audit gets a line for the 1st, 5th, 10th, 20th, 40th … failure of an address, and at most 10 a minute in all.
 */
export class FailedAttempts {
  readonly #audit: Pick<Audit, "record">;
  readonly #now: () => number;
  /** The one whose last failure is longest ago first. */
  readonly #attempts = new Map<string, Attempts>();
  #minute = 0;
  #lines = 0;
  #leftOut = 0;

  constructor(audit: Pick<Audit, "record">, now: () => number) {
    this.#audit = audit;
    this.#now = now;
  }

  /** In how many ms this address is listened to again; 0: now. */
  wait(address: string | undefined): number {
    const attempts = this.#attempts.get(sourceOf(address));
    return attempts === undefined ? 0 : Math.max(0, attempts.until - this.#now());
  }

  /** An attempt within the delay; it does not prolong it. */
  turnAway(address: string | undefined): void {
    const attempts = this.#attempts.get(sourceOf(address));
    if (attempts !== undefined) attempts.turnedAway += 1;
  }

  /** A failure; `found`: what was presented, in words. */
  count(address: string | undefined, found: string): void {
    const now = this.#now();
    const source = sourceOf(address);
    const known = this.#attempts.get(source);
    const attempts =
      known !== undefined && now - known.last < MEMORY
        ? known
        : { failures: 0, turnedAway: 0, last: 0, until: 0 };
    attempts.failures += 1;
    attempts.last = now;
    attempts.until = now + delayAfter(attempts.failures);
    this.#attempts.delete(source);
    if (this.#attempts.size >= MOST_ADDRESSES) this.#attempts.delete(this.#attempts.keys().next().value!);
    this.#attempts.set(source, attempts);
    if (isTold(attempts.failures)) this.#tell(source, attempts, found);
  }

  #tell(source: string, { failures, turnedAway }: Attempts, found: string): void {
    const now = this.#now();
    if (now - this.#minute >= MINUTE) {
      this.#minute = now;
      this.#lines = 0;
    }
    if (this.#lines >= MOST_LINES) {
      this.#leftOut += 1;
      return;
    }
    this.#lines += 1;
    const away = turnedAway === 0 ? "" : `, ${turnedAway} more turned away`;
    const leftOut = this.#leftOut === 0 ? "" : `; ${this.#leftOut} such lines before this one are left out`;
    this.#leftOut = 0;
    const refused = `found ${found}, from ${source}: ${failures} failed so far${away}${leftOut}`;
    const at = new Date(now).toISOString();
    const entry = { at, by: "unknown", what: "log in", app: "", from: null, to: null, refused };
    // An audit that cannot be written is told by /readyz; whoever is refused learns nothing of it.
    void this.#audit.record(entry).catch(() => undefined);
  }
}

function delayAfter(failures: number): number {
  return failures < FREE ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - FREE));
}

/** 1, 5, 10, 20, 40 … */
function isTold(failures: number): boolean {
  return failures === 1 || (failures % FREE === 0 && Number.isInteger(Math.log2(failures / FREE)));
}

/** What failures are counted by: an IPv4 address, a /64, or "here" for a unix socket. */
function sourceOf(address: string | undefined): string {
  const canonical = canonicalAddress(address ?? "");
  if (canonical === undefined) return "here";
  if (!canonical.includes(":")) return canonical;
  const network = ipaddr.IPv6.parse(canonical).parts.slice(0, 4);
  return `${new ipaddr.IPv6([...network, 0, 0, 0, 0]).toString()}/64`;
}
