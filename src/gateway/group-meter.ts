import { TimedPart } from "../core/timed-part.ts";
import { SCALE_LENGTH, stepOf } from "../core/verdict/latency-scale.ts";

/** What became of requests: `none`, as nobody waited for an answer any more, or the class of its status. */
export const OUTCOMES = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** Why tries failed: codes of `gateway-error.ts`, and `status` for one that `retry.on` names. */
export const FAILURES = [
  "connect_failed",
  "connect_timeout",
  "tls_failed",
  "server_refused",
  "server_cut",
  "bad_response",
  "response_timeout",
  "status",
] as const;
export type Failure = (typeof FAILURES)[number];

/** Where things stand in a row of counts. */
export const OUTCOME_SLOT = 0;
export const FAILURE_SLOT: number = OUTCOME_SLOT + OUTCOMES.length;
/** Deaths of servers that requests found out. */
export const DEATHS_SLOT: number = FAILURE_SLOT + FAILURES.length;
/** Of all latencies, in ms. */
export const LATENCY_SUM_SLOT: number = DEATHS_SLOT + 1;
/** One for each step of `latency-scale.ts`. */
export const LATENCY_SLOT: number = LATENCY_SUM_SLOT + 1;
export const ROW_LENGTH: number = LATENCY_SLOT + SCALE_LENGTH;

/** What was added to a row: slots and how much, in turns; most slots are seldom touched. */
export type Increments = readonly number[];

const NOTHING = new Float64Array(0);

/**
 * What one process counts of one group of an app, always. It is part of every request, so it is a row of numbers:
 * counting is an addition, with no text and no allocation.
 */
export class GroupMeter {
  private readonly timedPart: TimedPart = new TimedPart(Math.random);
  /** Made when there is something to count: of ten thousand apps most have no traffic. */
  private row: Float64Array = NOTHING;

  /** A request begins: how many it stands for if it is timed; 0: it is not. `now` in ms, a coarse clock will do. */
  startTimer(now: number): number {
    return this.timedPart.next(now);
  }

  /** An answer began. `latency`: ms since the request began, and `timed` the requests it stands for; 0: not timed. */
  answered(status: number, latency: number, timed: number): void {
    this.add(OUTCOME_SLOT + Math.trunc(status / 100), 1);
    if (timed === 0) return;
    this.row[LATENCY_SUM_SLOT]! += latency * timed;
    this.row[LATENCY_SLOT + stepOf(latency)]! += timed;
  }

  /** Nobody waits for an answer any more, and none has begun. */
  unanswered(): void {
    this.add(OUTCOME_SLOT, 1);
  }

  failed(why: Failure): void {
    this.add(FAILURE_SLOT + FAILURES.indexOf(why), 1);
  }

  died(): void {
    this.add(DEATHS_SLOT, 1);
  }

  /** What was counted since this was last asked; empty: nothing. */
  take(): Increments {
    const { row } = this;
    const increments: number[] = [];
    for (let slot = 0; slot < row.length; slot++) {
      if (row[slot] === 0) continue;
      increments.push(slot, row[slot]!);
      row[slot] = 0;
    }
    return increments;
  }

  private add(slot: number, count: number): void {
    if (this.row === NOTHING) this.row = new Float64Array(ROW_LENGTH);
    this.row[slot]! += count;
  }
}
