import { performance } from "node:perf_hooks";

/** Upper bounds in ms of what is told apart of lateness; what is later is in one more. */
export const LATE_BOUNDS: readonly number[] = [1, 5, 10, 25, 50, 100, 250, 500, 1000];

/** What the event loop of one process has done since its start: plain JSON. */
export interface EventLoopReport {
  /** Ms spent in turns. */
  readonly busy: number;
  readonly turns: number;
  /** How often a timer came how late, by `LATE_BOUNDS`; and how late all of them together, in ms. */
  readonly late: readonly number[];
  readonly lateSum: number;
  /** Processor time of the process in ms. */
  readonly used: number;
  /** Resident memory in bytes. */
  readonly memory: number;
}

/** How late timers come tells how long whatever else happens in this process has to wait for its turn. */
export class EventLoopMeter {
  private readonly late: number[] = Array.from({ length: LATE_BOUNDS.length + 1 }, () => 0);
  private lateSum = 0;

  /** A timer came so many ms late. */
  add(late: number): void {
    let bound = 0;
    while (bound < LATE_BOUNDS.length && late > LATE_BOUNDS[bound]!) bound++;
    this.late[bound]!++;
    this.lateSum += late;
  }

  report(): EventLoopReport {
    const { user, system } = process.cpuUsage();
    return {
      busy: performance.eventLoopUtilization().active,
      turns: performance.nodeTiming.uvMetricsInfo.loopCount,
      late: this.late,
      lateSum: this.lateSum,
      used: (user + system) / 1000,
      memory: process.memoryUsage.rss(),
    };
  }
}
