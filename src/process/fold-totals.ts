import { type AppTotals, sumTotals, withoutFlight } from "../gateway/group-totals.ts";

/**
 * Adds up the totals of processes that each tell only what changed, and keeps what those did that are gone. A total never
 * goes down.
 */
export class FoldedTotals {
  readonly #living = new Map<number, Map<string, AppTotals>>();
  readonly #gone = new Map<string, AppTotals>();

  /** What the process says of the apps that changed there. */
  take(process: number, changed: ReadonlyMap<string, AppTotals>): void {
    const known = this.#living.get(process) ?? new Map<string, AppTotals>();
    this.#living.set(process, known);
    for (const [app, totals] of changed) known.set(app, totals);
  }

  /** The process has ended. Returns the apps it had served. */
  end(process: number): readonly string[] {
    const last = this.#living.get(process) ?? new Map<string, AppTotals>();
    this.#living.delete(process);
    for (const [app, totals] of last) {
      this.#gone.set(app, sumTotals([this.#gone.get(app) ?? {}, withoutFlight(totals)]));
    }
    return [...last.keys()];
  }

  of(app: string): AppTotals {
    const parts = Array.from(this.#living.values(), (known) => known.get(app) ?? {});
    return sumTotals([this.#gone.get(app) ?? {}, ...parts]);
  }

  forget(app: string): void {
    this.#gone.delete(app);
    for (const known of this.#living.values()) known.delete(app);
  }
}
