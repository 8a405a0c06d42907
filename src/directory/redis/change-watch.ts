type OnChange = (names?: readonly string[]) => void;

/** Tells who watches of changes: at once when told to, and of those that no message told of, from time to time. */
export class ChangeWatch {
  readonly #compare: () => Promise<readonly string[]>;
  readonly #every: number;
  readonly #watchers = new Set<OnChange>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `compare`: the names whose content is not what was last read. `every`: ms between two comparisons, plus up to half of it. */
  constructor(compare: () => Promise<readonly string[]>, every: number) {
    this.#compare = compare;
    this.#every = every;
    this.#compareLater();
  }

  /** Returns the function that ends it. */
  add(onChange: OnChange): () => void {
    this.#watchers.add(onChange);
    return () => {
      this.#watchers.delete(onChange);
    };
  }

  tell(names?: readonly string[]): void {
    for (const watcher of this.#watchers) watcher(names);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watchers.clear();
  }

  #compareLater(): void {
    if (this.#closed) return;
    // Jitter: gateways that were started together must not ask together for ever.
    this.#timer = setTimeout(() => void this.#compareNow(), this.#every * (1 + Math.random() / 2)).unref();
  }

  async #compareNow(): Promise<void> {
    try {
      const changed = await this.#compare();
      if (changed.length > 0) this.tell(changed);
    } catch {
      // The watchers read for themselves, and find out what is wrong.
      this.tell();
    }
    this.#compareLater();
  }
}
