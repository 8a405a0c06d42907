import type { Fence } from "./directory.ts";

/** A lock that was given to this holder. Its fence goes with every write made under it. */
export interface HeldLock extends Fence {
  readonly holder: string;
}

export type LockAnswer =
  | { readonly kind: "held"; readonly lock: HeldLock }
  /** Somebody else has it, for so many ms yet unless it is renewed. */
  | { readonly kind: "taken"; readonly holder: string; readonly forMs: number };

/**
 * Locks for what may run only once among all who use a directory. A lock is a lease: a holder that was stopped for
 * longer than that may still believe that it has it, so the directory compares the fence of its writes with the newest
 * holder's, and refuses the older (Kleppmann, "How to do distributed locking", 2016).
 */
export interface Locks {
  /** A holder that has it already is given it anew, with a new token. `lease` in ms. */
  acquire(lock: string, holder: string, lease: number): Promise<LockAnswer>;
  /** False: it was lost; somebody else may have it. */
  renew(lock: HeldLock, lease: number): Promise<boolean>;
  /** Nothing happens if it was lost. */
  release(lock: HeldLock): Promise<void>;
}

/** Locks within one process, for directories that are not shared. */
export class LocalLocks implements Locks {
  readonly #now: () => number;
  readonly #locks = new Map<string, { token: number; holder: string; until: number }>();

  /** `now`: ms of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  acquire(lock: string, holder: string, lease: number): Promise<LockAnswer> {
    const now = this.#now();
    const current = this.#locks.get(lock);
    if (current !== undefined && current.until > now && current.holder !== holder) {
      return Promise.resolve({ kind: "taken", holder: current.holder, forMs: current.until - now });
    }
    const token = (current?.token ?? 0) + 1;
    this.#locks.set(lock, { token, holder, until: now + lease });
    return Promise.resolve({ kind: "held", lock: { lock, token, holder } });
  }

  renew(held: HeldLock, lease: number): Promise<boolean> {
    const current = this.#locks.get(held.lock);
    if (current?.token !== held.token || current.until <= this.#now()) return Promise.resolve(false);
    current.until = this.#now() + lease;
    return Promise.resolve(true);
  }

  release(held: HeldLock): Promise<void> {
    const current = this.#locks.get(held.lock);
    if (current?.token === held.token) current.until = 0;
    return Promise.resolve();
  }

  /** Why a write with this fence is refused: somebody else was given the lock after its holder. */
  refusal(fence: Fence | undefined): { readonly kind: "fenced"; readonly lock: string } | undefined {
    if (fence === undefined) return undefined;
    const newest = this.#locks.get(fence.lock)?.token ?? 0;
    return newest > fence.token ? { kind: "fenced", lock: fence.lock } : undefined;
  }
}
