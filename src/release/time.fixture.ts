import type { Time } from "./time.ts";

interface Pending {
  readonly at: number;
  readonly call: () => void;
}

/** Time that stands still until a test moves it. */
export class FakeTime implements Time {
  private pending: readonly Pending[] = [];
  private moment = 1_700_000_000_000;
  private watchers: readonly (() => void)[] = [];

  now(): number {
    return this.moment;
  }

  after(milliseconds: number, call: () => void): () => void {
    const entry: Pending = { at: this.moment + milliseconds, call };
    this.pending = [...this.pending, entry];
    for (const watcher of this.watchers) watcher();
    return () => {
      this.pending = this.pending.filter((other) => other !== entry);
    };
  }

  /** Whether something waits for the moment that many ms from now. */
  isAwaited(milliseconds: number): boolean {
    return this.pending.some(({ at }) => at === this.moment + milliseconds);
  }

  /** Resolves as soon as something waits for the moment that many ms from now. */
  async awaited(milliseconds: number): Promise<void> {
    if (this.isAwaited(milliseconds)) return;
    await new Promise<void>((resolve) => {
      const watcher = (): void => {
        if (!this.isAwaited(milliseconds)) return;
        this.watchers = this.watchers.filter((other) => other !== watcher);
        resolve();
      };
      this.watchers = [...this.watchers, watcher];
    });
  }

  advance(milliseconds: number): void {
    const until = this.moment + milliseconds;
    for (;;) {
      const [next] = this.pending.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.pending = this.pending.filter((other) => other !== next);
      this.moment = next.at;
      next.call();
    }
    this.moment = until;
  }
}
