/** Milliseconds that work may wait for its turn, standing, before requests are refused. */
const TARGET = 20;
/** How many measurements a wait has to stand before anybody is refused, and then for more to be: a second and 0.2 s. */
const STANDING_AT_FIRST = 20;
const STANDING = 4;
/** Part of the time that is spent working from which on there is no time left. */
const NO_REST = 0.95;
/** Change of the probability for a millisecond above the target, and for one by which the wait grew. */
const GAIN = 0.0008;
const TREND_GAIN = 0.002;
/** Somebody is always served: else nothing would be learnt from. */
const MOST = 0.95;

/**
 * Which requests to refuse so that the others are served in time: a proportional-integral controller of the refusal
 * probability on the queueing delay, after PIE (RFC 8033, 4.2). It judges the delay that stands (the least of the last
 * measurements), as CoDel does (RFC 8289, 3.2): a burst or a pause of the garbage collector is worked off, only a queue
 * that stays is shortened. And it judges only while there is no rest between the work: a process that waits for a
 * processor that others use is late too, but has no queue that refusing would shorten.
 *
 * The rejected alternative, refusing everybody while the delay is above a mark, swings between all and nothing.
 */
export class LoadShedder {
  private readonly recent: number[] = Array.from({ length: STANDING_AT_FIRST }, () => 0);
  private before = 0;
  private probability = 0;

  /** True while some are refused. */
  get active(): boolean {
    return this.probability > 0;
  }

  /**
   * One measurement, to be told at a steady pace, about twenty times a second: the wait in ms, and the part (0 to 1) of
   * the time since the last one that was spent working.
   */
  measure(wait: number, busy: number): void {
    this.recent.push(busy < NO_REST ? 0 : wait);
    this.recent.shift();
    const standing = Math.min(...(this.active ? this.recent.slice(-STANDING) : this.recent));
    const change = GAIN * (standing - TARGET) + TREND_GAIN * (standing - this.before);
    this.before = standing;
    this.probability = Math.min(MOST, Math.max(0, this.probability + change));
    // RFC 8033, 4.2: a probability that hardly counts is given up exponentially, else it would linger.
    if (standing < TARGET / 2) this.probability = this.probability < 0.01 ? 0 : this.probability * 0.95;
  }

  /** Is this request to be refused? `dice`: evenly from 0 to below 1. */
  refuses(dice: number): boolean {
    return dice < this.probability;
  }
}
