import type { AppTotals, GroupTotals } from "../gateway/group-totals.ts";
import type { AppRecord } from "./roster.ts";

/** The shortest time over which a rate says anything, in ms. */
const WINDOW = 900;

type Rates = Pick<AppRecord, "rates" | "failureRates">;

interface Measured {
  readonly at: number;
  readonly totals: AppTotals;
  readonly rates: Rates;
}

/** Tries a second of each app's groups, and those that failed or were answered 5xx, from totals that are read again and again. */
export class TrafficRates {
  readonly #apps = new Map<string, Measured>();

  /** Apps that had traffic when they were last measured: they are asked for again, or their rate would stay for ever. */
  *moving(): IterableIterator<string> {
    for (const [app, { rates }] of this.#apps) if (isMoving(rates)) yield app;
  }

  /**
   * `now` in ms, and `before`, when all apps were looked at before that: one without traffic is not measured each time, so
   * that what it has now came since then. Of one with traffic, within a second of the last measurement its rates are given
   * again.
   */
  measure(app: string, totals: AppTotals, now: number, before: number): Rates {
    const last = this.#apps.get(app);
    if (last !== undefined && isMoving(last.rates) && now - last.at < WINDOW) return last.rates;
    const since = last === undefined || isMoving(last.rates) ? (last?.at ?? now) : before;
    const elapsed = Math.max(WINDOW, now - since);
    const rates = {
      rates: perSecond(({ requests }) => requests, last?.totals ?? totals, totals, elapsed),
      failureRates: perSecond(
        ({ failures, errors }) => failures + errors,
        last?.totals ?? totals,
        totals,
        elapsed,
      ),
    };
    this.#apps.set(app, { at: now, totals, rates });
    return rates;
  }

  forget(app: string): void {
    this.#apps.delete(app);
  }
}

function isMoving({ rates, failureRates }: Rates): boolean {
  return [...Object.values(rates), ...Object.values(failureRates)].some((rate) => rate > 0);
}

/** What was counted between the two, by group, to a tenth. */
function perSecond(
  what: (totals: GroupTotals) => number,
  before: AppTotals,
  after: AppTotals,
  elapsed: number,
): Readonly<Record<string, number>> {
  const rates = Object.entries(after).map(([group, totals]) => {
    const known = before[group];
    const counted = Math.max(0, what(totals) - (known === undefined ? 0 : what(known)));
    return [group, Math.round((counted * 10_000) / elapsed) / 10] as const;
  });
  return Object.fromEntries(rates);
}
