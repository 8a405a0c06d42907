/** Milliseconds that one turn of the loop may take, standing, before requests are refused: what comes waits 1 to 2. */
const TOO_LONG = 40;
/** Milliseconds that turns are then to take. */
const TARGET = 15;
/** How long turns have to be long before anybody is refused, in ms, and how many measurements have to say so. */
const STANDING = 1000;
const STANDING_MEASUREMENTS = 3;
/** Part of the time that is spent working from which on there is no time left. */
const NO_REST = 0.95;
/** What refusing a request costs in ms of processor time: reading it and writing a short answer. */
const REFUSAL = 0.03;
/** What does not cost so many times as much is served: refusing it would gain little. */
const WORTHWHILE = 10;
/** How far the limit moves with one measurement, at most. */
const SHRINK = 0.7;
const GROW = 1.1;
/** Requests at a time that are served whatever is measured: else nothing would be learnt from. */
const LEAST = 4;
/** Measurements without a refusal after which there is no limit any more. */
const OVER = 20;
/**
 * Measurements after which a request under way does not count any more: a tunnel, or a stream of events, costs nothing
 * just by being there. Two seconds.
 */
const YOUNG = 40;
/** Refusing helps if after so many ms, in which what is under way can end, turns are no longer … */
const HELP_TIME = 5000;
/** … than this part of what they were. */
const HELPED = 0.75;
/** Milliseconds in which nothing is refused after refusing did not help. */
const RESIGNED = 300_000;
/** Weight of the last measurement in what is known of the cost. */
const NEWEST = 0.4;

/**
 * Which requests to refuse so that the others are served in time: those beyond a number at a time, which it finds.
 *
 * In an event loop the queue is what one turn works off, so a request waits as long as a turn takes; it also bounds how
 * fast new clients are let in, as libuv accepts one a turn. (How late a timer comes says less: it hides all that fits in
 * its own interval.) A turn takes the longer the more requests are under way, so it is their number that is limited:
 * when turns are too long it shrinks as they have to, when they are short it grows again. Only requests of the last two
 * seconds count.
 *
 * It judges the length that stands, as CoDel does (RFC 8289, 3.2): a burst or a pause of the garbage collector is worked
 * off, only a queue that stays is shortened. It judges only while there is no rest between the turns: a process that
 * waits for a processor that others use is late too, but has no queue that refusing would shorten. And only where
 * refusing is much cheaper than serving: small answers cost little more. Where refusing turns out not to shorten the turns,
 * as where hundreds of long downloads take all the time, it gives up for some minutes: new requests shall not pay for old
 * ones.
 *
 * Rejected: refusing everybody while the delay is above a mark swings between all and nothing; refusing a part of the
 * requests by chance (PIE, RFC 8033) needs to know how many come and what both verdicts cost, and errors of these add up.
 */
export class LoadShedder {
  /** Requests at a time. */
  private limit = Infinity;
  /** For how long turns have been too long, in ms and in measurements. */
  private longFor = 0;
  private longTimes = 0;
  private calmTimes = 0;
  /** Length of turns when the limit was set, and ms since then. */
  private firstTurn = 0;
  private limitedFor = 0;
  private resignedFor = 0;
  /** Counts measurements. */
  private period = 0;
  /** Requests under way that began in one of the last periods, and of each of these periods, in turns. */
  private young = 0;
  private readonly begun = new Uint32Array(YOUNG);
  /** Since the last measurement. */
  private served = 0;
  private refused = 0;
  /** Processor time in ms that serving a request costs. */
  private cost = 0;

  /** True while there is a limit. */
  get active(): boolean {
    return this.limit !== Infinity;
  }

  /** To be asked of every request: is it to be refused? */
  refuses(): boolean {
    if (this.young < this.limit) return false;
    this.refused++;
    return true;
  }

  /** A request begins to be served. Answers what `end` is to be told when it is over. */
  begin(): number {
    this.served++;
    this.young++;
    this.begun[this.period % YOUNG]!++;
    return this.period;
  }

  end(period: number): void {
    if (this.period - period >= YOUNG) return;
    this.young--;
    this.begun[period % YOUNG]!--;
  }

  /**
   * One measurement, to be told at a steady pace, about twenty times a second, of the time since the last one. `work`: ms
   * of processor time used, which is less than has passed where others use the processor too; `turn`: mean ms that a turn
   * of the loop took; `busy`: the part of the time (0 to 1) that was spent in turns; `elapsed`: ms since the last one,
   * which are many where one turn is long.
   */
  measure(work: number, turn: number, busy: number, elapsed: number): void {
    const { served, refused, young } = this;
    this.beginPeriod();
    if (served > 0) this.cost += NEWEST * (Math.max(0, work - refused * REFUSAL) / served - this.cost);
    const worthwhile = this.cost >= WORTHWHILE * REFUSAL;
    const isLong = worthwhile && busy >= NO_REST && turn > TOO_LONG;
    this.longFor = isLong ? this.longFor + elapsed : 0;
    this.longTimes = isLong ? this.longTimes + 1 : 0;
    if (!this.active) {
      this.resignedFor -= elapsed;
      const stands = this.longFor >= STANDING && this.longTimes >= STANDING_MEASUREMENTS;
      if (stands && this.resignedFor <= 0) this.setLimit((young * TARGET) / turn, turn);
      return;
    }
    this.limitedFor += elapsed;
    this.calmTimes = refused === 0 ? this.calmTimes + 1 : 0;
    const isVain = this.limitedFor >= HELP_TIME && turn > HELPED * this.firstTurn;
    if (isVain) this.resignedFor = RESIGNED;
    if (isVain || !worthwhile || this.calmTimes >= OVER) this.limit = Infinity;
    else {
      const wanted = busy < NO_REST ? GROW : TARGET / turn;
      this.limit = Math.max(LEAST, this.limit * Math.min(GROW, Math.max(SHRINK, wanted)));
    }
  }
  private setLimit(limit: number, turn: number): void {
    this.limit = Math.max(LEAST, limit);
    this.firstTurn = turn;
    this.limitedFor = 0;
    this.calmTimes = 0;
  }

  private beginPeriod(): void {
    this.served = 0;
    this.refused = 0;
    this.period++;
    const slot = this.period % YOUNG;
    this.young -= this.begun[slot]!;
    this.begun[slot] = 0;
  }
}
