import type { HeldLock, LockAnswer, Locks } from "../locks.ts";
import { FENCE, LOCK } from "./redis-keys.ts";
import type { RedisLink } from "./redis-link.ts";
import { ACQUIRE, RENEW } from "./redis-scripts.ts";

/** Locks that hold for all gateways of one Redis. Leases run by its clock. */
export class RedisLocks implements Locks {
  readonly #link: RedisLink;

  constructor(link: RedisLink) {
    this.#link = link;
  }

  async acquire(lock: string, holder: string, lease: number): Promise<LockAnswer> {
    const answer = await this.#link.use((client) =>
      client.eval(ACQUIRE, { keys: [LOCK + lock, FENCE + lock], arguments: [holder, wholeMs(lease)] }),
    );
    const [given, who, left] = answer as [number, number | string, number | undefined];
    if (given === 1) return { kind: "held", lock: { lock, token: Number(who), holder } };
    return { kind: "taken", holder: String(who), forMs: Math.max(0, Number(left)) };
  }

  async renew({ lock, token }: HeldLock, lease: number): Promise<boolean> {
    return await this.#extend(lock, token, wholeMs(lease));
  }

  async release({ lock, token }: HeldLock): Promise<void> {
    await this.#extend(lock, token, "0");
  }

  async #extend(lock: string, token: number, lease: string): Promise<boolean> {
    const answer = await this.#link.use((client) =>
      client.eval(RENEW, { keys: [LOCK + lock], arguments: [String(token), lease] }),
    );
    return answer === 1;
  }
}

/** Redis refuses fractions, when the lock is taken already: it would be held without an end. */
function wholeMs(lease: number): string {
  return String(Math.max(1, Math.ceil(lease)));
}
