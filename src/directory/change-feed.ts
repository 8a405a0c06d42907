import type { StoredApp } from "./directory.ts";
import type { Log } from "./log.ts";

/** One change of one app that is in force now. */
export interface AppChange {
  /** ISO time. */
  readonly at: string;
  /** Who changed it; of a change made elsewhere "amy at gateway-2", or "directory" where that is not known. */
  readonly by: string;
  /** "put", "delete", "deploy 1 share 25", "seed", or "directory": changed elsewhere, how is not known. */
  readonly what: string;
  readonly name: string;
  /** Undefined: there was no such app. */
  readonly before: StoredApp | undefined;
  /** Undefined: it was deleted. */
  readonly after: StoredApp | undefined;
  /** True: it came from the directory. */
  readonly elsewhere?: true;
}

export type ChangeListener = (change: AppChange) => void | Promise<void>;

/** Passes changes on to everyone who listens. */
export class ChangeFeed {
  readonly #listeners = new Set<ChangeListener>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Returns the function that ends it. */
  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Resolves when every listener is done; one that fails is logged. */
  async tell(change: AppChange): Promise<void> {
    const told = Array.from(this.#listeners, async (listener) => {
      try {
        await listener(change);
      } catch (error) {
        this.#log.error({ err: error, app: change.name }, "a change was stored but could not be passed on");
      }
    });
    await Promise.all(told);
  }
}
