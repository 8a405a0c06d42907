import type { RetryPolicy } from "./app.ts";

/** Seconds the budget looks back. */
const WINDOW = 10;

/**
 * Retries allowed: `budget` percent of the requests of the last 10 s, plus `budgetFloor` for each of those seconds.
 * When every server fails, tries without a budget multiply the load at the worst moment; with one, the load grows by
 * at most that percentage. Taken from Finagle's and linkerd's `RetryBudget` (ttl 10 s, retry ratio 0.2, floor a second).
 *
 * Counted in slots of a second: constant time and no allocation. `now` is in ms and never goes back.
 */
export class RetryBudget {
  private readonly ratio: number;
  private readonly floor: number;
  private readonly requestSlots = new Float64Array(WINDOW);
  private readonly retrySlots = new Float64Array(WINDOW);
  private requests = 0;
  private retries = 0;
  private second = 0;

  constructor(policy: Pick<RetryPolicy, "budget" | "budgetFloor">) {
    this.ratio = policy.budget / 100;
    this.floor = policy.budgetFloor * WINDOW;
  }

  /** Once a request, not for its retries. */
  onRequest(now: number): void {
    this.advance(now);
    this.requestSlots[this.second % WINDOW]!++;
    this.requests++;
  }

  /** True when one more retry is allowed; it is then taken from the budget. */
  tryRetry(now: number): boolean {
    this.advance(now);
    // A hair above: 20 % of 5 requests is one retry, whatever the product of two binary fractions says.
    if (this.retries + 1 > this.floor + this.requests * this.ratio + 1e-9) return false;
    this.retrySlots[this.second % WINDOW]!++;
    this.retries++;
    return true;
  }

  private advance(now: number): void {
    const second = Math.floor(now / 1000);
    if (second <= this.second) return;
    const from = Math.max(this.second + 1, second - WINDOW + 1);
    for (let expired = from; expired <= second; expired++) {
      const slot = expired % WINDOW;
      this.requests -= this.requestSlots[slot]!;
      this.retries -= this.retrySlots[slot]!;
      this.requestSlots[slot] = 0;
      this.retrySlots[slot] = 0;
    }
    this.second = second;
  }
}
