/** Offences that are forgiven a second. */
const REFILL = 1;
/** How many a connection may have at once before it has to go. */
const MOST = 100;

/**
 * Counts what a client does that is allowed but serves no honest end: empty lines before a request, chunk extensions,
 * streams opened only to be cancelled, floods of control frames. Each alone is cheap and harmless; a connection that
 * makes a habit of it is closed. (HAProxy counts "glitches" the same way.)
 */
export class Offences {
  private count = 0;
  private at = 0;

  /** Notes one offence at `now` (ms of any steady clock). True: it was one too many. */
  add(now: number, weight: number = 1): boolean {
    const forgiven = ((now - this.at) / 1000) * REFILL;
    this.count = Math.max(0, this.count - forgiven) + weight;
    this.at = now;
    return this.count > MOST;
  }
}
