import { ROW_LENGTH } from "../gateway/group-meter.ts";
import {
  type AppCounts,
  type AppNews,
  type AppTotals,
  sumTotals,
  withoutFlight,
} from "../gateway/group-totals.ts";

const NOTHING: AppCounts = new Map();

/**
 * Adds up what processes count that each tell only what changed, and keeps what those did that are gone. What was counted never
 * goes down.
 */
export class FoldedTotals {
  readonly #living = new Map<number, Map<string, AppTotals>>();
  readonly #gone = new Map<string, AppTotals>();
  /** Increments were added as they came: these need no process. */
  readonly #counts = new Map<string, Map<string, Float64Array>>();

  /** What the process says of the apps that changed there. */
  take(process: number, news: ReadonlyMap<string, AppNews>): void {
    const known = this.#living.get(process) ?? new Map<string, AppTotals>();
    this.#living.set(process, known);
    for (const [app, { totals, counts }] of news) {
      known.set(app, totals);
      this.#add(app, counts);
    }
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

  counts(app: string): AppCounts {
    return this.#counts.get(app) ?? NOTHING;
  }

  forget(app: string): void {
    this.#gone.delete(app);
    this.#counts.delete(app);
    for (const known of this.#living.values()) known.delete(app);
  }

  #add(app: string, counts: AppNews["counts"]): void {
    const rows = this.#counts.get(app) ?? new Map<string, Float64Array>();
    this.#counts.set(app, rows);
    for (const [group, increments] of Object.entries(counts)) {
      const row = rows.get(group) ?? new Float64Array(ROW_LENGTH);
      rows.set(group, row);
      for (let i = 0; i < increments.length; i += 2) row[increments[i]!]! += increments[i + 1]!;
    }
  }
}
