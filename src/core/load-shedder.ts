/** Milliseconds that one turn of the loop may take, standing, before requests are refused: what comes waits 1 to 2. */
const TARGET = 20;
/** How many measurements long turns have to stand before anybody is refused: a second. */
const STANDING = 20;
/** Part of the time that is spent working from which on there is no time left. */
const NO_REST = 0.95;
/** What refusing a request costs in ms: reading it and writing a short answer. */
const REFUSAL = 0.025;
/** Requests that do not cost so many times as much are served: refusing them would gain nothing. */
const WORTHWHILE = 4;
/** How much of its time a worker is to be left without for each target by which its turns are too long, to catch up. */
const CATCH_UP = 0.15;
/** Weight of the last measurement in what is known of load and cost. */
const NEWEST = 0.4;
/** Somebody is always served: else nothing would be learnt from. */
const MOST = 0.9;

/**
 * Which requests to refuse so that the others are served in time.
 *
 * In an event loop the queue is what one turn works off, so a request waits as long as a turn takes; it also bounds how
 * fast new clients are let in, as libuv accepts one a turn. (How late a timer comes says less: it hides all that fits in
 * its own interval.) When turns are too long, the part of the requests is refused that leaves the worker just enough
 * time for the rest: known are how many come, what serving one costs, and what refusing one costs. The time that may be
 * spent shrinks while turns are too long and grows while they are short, so that errors of these figures even out.
 *
 * It judges the length that stands (the least of the last measurements), as CoDel does (RFC 8289, 3.2): a burst or a
 * pause of the garbage collector is worked off, only a queue that stays is shortened. It judges only while there is no
 * rest between the turns: a process that waits for a processor that others use is late too, but has no queue that
 * refusing would shorten. And only where refusing is much cheaper than serving: small answers cost little more.
 *
 * Rejected: refusing everybody while the delay is above a mark swings between all and nothing; a controller on the delay
 * alone (PIE, RFC 8033) learns once a turn, and an open loop of clients makes turns grow faster than that.
 */
export class LoadShedder {
  private readonly recent: number[] = Array.from({ length: STANDING }, () => 0);
  private probability = 0;
  private asked = 0;
  private refused = 0;
  /** Requests asked about in a ms of processor time, and ms of it that one costs that is served. */
  private load = 0;
  private cost = 0;

  /** True while some are refused. */
  get active(): boolean {
    return this.probability > 0;
  }

  /**
   * One measurement, to be told at a steady pace, about twenty times a second, of the time since the last one. `work`: ms
   * of processor time used, which is less than has passed where others use the processor too; `turn`: mean ms that a turn
   * of the loop took; `busy`: the part of the time (0 to 1) that was spent in turns.
   */
  measure(work: number, turn: number, busy: number): void {
    const served = this.asked - this.refused;
    this.load += NEWEST * ((this.asked / Math.max(1, work)) * busy - this.load);
    if (served > 0) {
      const cost = (work - this.refused * REFUSAL) / served;
      this.cost += NEWEST * (Math.max(REFUSAL, cost) - this.cost);
    }
    this.asked = 0;
    this.refused = 0;
    const worthwhile = this.cost >= WORTHWHILE * REFUSAL;
    this.recent.push(busy < NO_REST || !worthwhile ? 0 : turn);
    this.recent.shift();
    const standing = this.active ? this.recent.at(-1)! : Math.min(...this.recent);
    if (!this.active && standing <= TARGET) return;
    const excess = Math.min(2, standing / TARGET - 1);
    const time = 1 - CATCH_UP * excess;
    const probability = (this.load * this.cost - time) / (this.load * (this.cost - REFUSAL));
    this.probability = worthwhile && probability > 0 ? Math.min(MOST, probability) : 0;
  }

  /** To be asked of every request: is it to be refused? `dice`: evenly from 0 to below 1. */
  refuses(dice: number): boolean {
    this.asked++;
    if (dice >= this.probability) return false;
    this.refused++;
    return true;
  }
}
