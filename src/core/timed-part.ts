/** Requests a second of which each is timed. */
const ALL_UP_TO = 500;
/** How long requests are counted until it is settled anew how many are timed, in ms. */
const PERIOD = 1000;

/**
 * Which requests are timed: each one as long as there are few, of more about 500 a second, each of which then stands for
 * several. Looking at the clock twice costs more than all else that is counted of a request, and so many tell enough.
 *
 * The gaps are drawn, not steady: of servers that take turns every second request would always meet the same one.
 */
export class TimedPart {
  private readonly dice: () => number;
  /** How many requests one stands for. */
  private weight = 1;
  /** Requests until the next one that is timed, that one included. */
  private gap = 1;
  private seen = 0;
  private since = 0;

  /** `dice`: from 0 up to, but not including, 1. */
  constructor(dice: () => number) {
    this.dice = dice;
  }

  /** How many requests the one that begins now stands for; 0: it is not timed. `now` in ms, a coarse clock will do. */
  next(now: number): number {
    this.seen++;
    if (now - this.since >= PERIOD) this.settle(now);
    if (--this.gap > 0) return 0;
    this.gap = 1 + Math.floor(this.dice() * (2 * this.weight - 1));
    return this.weight;
  }

  private settle(now: number): void {
    const rate = (this.seen * 1000) / (now - this.since);
    this.weight = Math.max(1, Math.round(rate / ALL_UP_TO));
    this.gap = 1;
    this.seen = 0;
    this.since = now;
  }
}
