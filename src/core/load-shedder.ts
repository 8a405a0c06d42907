/** Milliseconds that one turn of the loop may take, standing, before requests are refused: what comes waits 1 to 2. */
const TARGET = 20;
/** How long turns have to be long before anybody is refused, in ms, and how many measurements have to say so. */
const STANDING = 1000;
const STANDING_MEASUREMENTS = 3;
/** Part of the time that is spent working from which on there is no time left. */
const NO_REST = 0.95;
/** What refusing a request is taken to cost in ms before it is known: reading it and writing a short answer. */
const REFUSAL = 0.025;
/** What does not cost so many times as much is served: refusing it would gain little. */
const WORTHWHILE = 10;
/** Part of the requests that is refused from which on the measured cost teaches what a refusal costs. */
const TELLING = 0.25;
/** How fast a learned cost of refusals is forgotten: a tick's share, so that it is tried again after some seconds. */
const FORGET = 0.01;
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
 * It judges the length that stands, as CoDel does (RFC 8289, 3.2): a burst or a pause of the garbage collector is worked
 * off, only a queue that stays is shortened. It judges only while there is no rest between the turns: a process that
 * waits for a processor that others use is late too, but has no queue that refusing would shorten. And only where
 * refusing is much cheaper than serving: small answers cost little more.
 *
 * Rejected: refusing everybody while the delay is above a mark swings between all and nothing; a controller on the delay
 * alone (PIE, RFC 8033) learns once a turn, and an open loop of clients makes turns grow faster than that.
 */
export class LoadShedder {
  /** For how long turns have been too long, in ms and in measurements. */
  private longFor = 0;
  private longTimes = 0;
  private probability = 0;
  private asked = 0;
  private refused = 0;
  /** Requests asked about in a ms of processor time, and ms of it that one costs that is served, or refused. */
  private load = 0;
  private cost = 0;
  private refusal = REFUSAL;

  /** True while some are refused. */
  get active(): boolean {
    return this.probability > 0;
  }

  /**
   * One measurement, to be told at a steady pace, about twenty times a second, of the time since the last one. `work`: ms
   * of processor time used, which is less than has passed where others use the processor too; `turn`: mean ms that a turn
   * of the loop took; `busy`: the part of the time (0 to 1) that was spent in turns; `elapsed`: ms since the last one,
   * which are many where one turn is long.
   */
  measure(work: number, turn: number, busy: number, elapsed: number): void {
    this.learn(work, turn, busy);
    const worthwhile = this.cost >= WORTHWHILE * this.refusal;
    const length = busy < NO_REST || !worthwhile ? 0 : turn;
    const isLong = length > TARGET;
    this.longFor = isLong ? this.longFor + elapsed : 0;
    this.longTimes = isLong ? this.longTimes + 1 : 0;
    const stands = this.longFor >= STANDING && this.longTimes >= STANDING_MEASUREMENTS;
    if (!this.active && !stands) return;
    const excess = Math.min(2, length / TARGET - 1);
    const time = 1 - CATCH_UP * excess;
    const probability = (this.load * this.cost - time) / (this.load * (this.cost - this.refusal));
    this.probability = worthwhile && probability > 0 ? Math.min(MOST, probability) : 0;
  }

  /**
   * One equation for two costs: which of them it teaches depends on what was done more. Short turns teach nothing of
   * refusals: what the loop itself costs would be put down to them.
   */
  private learn(work: number, turn: number, busy: number): void {
    const { asked, refused } = this;
    const served = asked - refused;
    this.asked = 0;
    this.refused = 0;
    this.load += NEWEST * ((asked / Math.max(1, work)) * busy - this.load);
    this.refusal += FORGET * (REFUSAL - this.refusal);
    if (refused > TELLING * asked) {
      if (turn < TARGET / 2) return;
      const refusal = (work - served * this.cost) / refused;
      this.refusal += NEWEST * (Math.min(this.cost, Math.max(0, refusal)) - this.refusal);
    } else if (served > 0) {
      const cost = (work - refused * this.refusal) / served;
      this.cost += NEWEST * (Math.max(0, cost) - this.cost);
    }
  }

  /** To be asked of every request: is it to be refused? `dice`: evenly from 0 to below 1. */
  refuses(dice: number): boolean {
    this.asked++;
    if (dice >= this.probability) return false;
    this.refused++;
    return true;
  }
}
