import type { AppTotals } from "../gateway/group-totals.ts";

/** The shortest time over which a rate says anything, in ms. */
const WINDOW = 900;

type Rates = Readonly<Record<string, number>>;

interface Measured {
  readonly at: number;
  readonly totals: AppTotals;
  readonly rates: Rates;
}

/** Tries a second of each app's groups, from totals that are read again and again. */
export class TrafficRates {
  readonly #apps = new Map<string, Measured>();

  /** Apps that had traffic when they were last measured: they are asked for again, or their rate would stay for ever. */
  *moving(): IterableIterator<string> {
    for (const [app, { rates }] of this.#apps) {
      if (Object.values(rates).some((rate) => rate > 0)) yield app;
    }
  }

  /** `now` in ms. Within a second of the last measurement its rates are given again. */
  measure(app: string, totals: AppTotals, now: number): Rates {
    const last = this.#apps.get(app);
    const elapsed = last === undefined ? 0 : now - last.at;
    if (last !== undefined && elapsed < WINDOW) return last.rates;
    const rates: Record<string, number> = {};
    for (const [group, { requests }] of Object.entries(totals)) {
      const before = last?.totals[group]?.requests ?? requests;
      rates[group] =
        last === undefined ? 0 : Math.round((Math.max(0, requests - before) * 10_000) / elapsed) / 10;
    }
    this.#apps.set(app, { at: now, totals, rates });
    return rates;
  }

  forget(app: string): void {
    this.#apps.delete(app);
  }
}
