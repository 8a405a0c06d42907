import { performance, type EventLoopUtilization } from "node:perf_hooks";
import { LoadShedder } from "../core/load-shedder.ts";
import { EventLoopMeter } from "./event-loop-meter.ts";

/** What a clock watches: an object whose `deadline` (ms of the clock, 0: none) may pass. */
export interface Deadlined {
  deadline: number;
  /** Position in the clock's list; the clock's own, -1 when not watched. */
  clockSlot: number;
  onDeadline(now: number): void;
}

const TICK = 50;
/** A tick later than this: the process was stopped or busy, and what arrived meanwhile has not been read yet. */
const STALL = 500;

/**
 * The one timer of a gateway. It keeps a coarse monotonic `now` and looks at every watched object once a tick.
 *
 * Setting a deadline is one assignment, so requests can do it at every step without touching a timer list. The
 * rejected alternative, a wheel with intrusive lists, pays on each of those assignments to save a scan of a flat
 * array: 20,000 connections cost the scan well under 1 % of a core.
 *
 * Wall-clock jumps do not move `now`. It counts from the machine's monotonic origin, so that processes of one
 * machine agree on it.
 */
export class Clock {
  /** Milliseconds, at most one tick old. */
  now: number;
  /** Milliseconds since the epoch, at most one tick old. */
  epoch = 0;
  /** Wall-clock time of the last whole second, as HTTP wants it (RFC 9110, 5.6.7). */
  httpDate = "";
  /** Judges by how long a turn of the loop takes, which is how long anything here waits, and by its rest. */
  readonly shedder: LoadShedder = new LoadShedder();
  readonly loop: EventLoopMeter = new EventLoopMeter();
  private readonly origin: number;
  private readonly watched: Deadlined[] = [];
  private readonly timer: NodeJS.Timeout;
  private dateAt = 0;
  private turns = 0;
  /** Processor time of this process so far in ms. */
  private used = 0;
  private work: EventLoopUtilization = performance.eventLoopUtilization();

  constructor() {
    const [seconds, nanoseconds] = process.hrtime();
    this.origin = seconds * 1000 + nanoseconds / 1e6 - performance.now();
    this.now = 0;
    this.refresh();
    this.timer = setInterval(() => this.tick(), TICK);
    this.timer.unref();
  }

  watch(object: Deadlined): void {
    object.clockSlot = this.watched.push(object) - 1;
  }

  unwatch(object: Deadlined): void {
    const slot = object.clockSlot;
    if (slot < 0) return;
    const last = this.watched.pop()!;
    if (last !== object) {
      this.watched[slot] = last;
      last.clockSlot = slot;
    }
    object.clockSlot = -1;
  }

  /** Milliseconds since the epoch for a moment of this clock. */
  toEpoch(moment: number): number {
    return Math.round(Date.now() + moment - this.exact());
  }

  fromEpoch(epoch: number): number {
    return epoch - Date.now() + this.exact();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private exact(): number {
    return performance.now() + this.origin;
  }

  private refresh(): void {
    this.now = this.exact();
    const wall = Date.now();
    this.epoch = wall;
    if (wall - this.dateAt >= 1000 || wall < this.dateAt) {
      this.dateAt = wall - (wall % 1000);
      this.httpDate = new Date(wall).toUTCString();
    }
  }

  /** `elapsed`: ms since it did so last. */
  private judgeLoad(elapsed: number): void {
    const work = performance.eventLoopUtilization();
    const { active, utilization } = performance.eventLoopUtilization(work, this.work);
    this.work = work;
    const { loopCount } = performance.nodeTiming.uvMetricsInfo;
    const turns = Math.max(1, loopCount - this.turns);
    this.turns = loopCount;
    const { user, system } = process.cpuUsage();
    const used = (user + system) / 1000;
    this.shedder.measure(used - this.used, active / turns, utilization, elapsed);
    this.used = used;
  }

  private tick(): void {
    const before = this.now;
    this.refresh();
    const now = this.now;
    this.judgeLoad(now - before);
    this.loop.add(Math.max(0, now - before - TICK));
    if (now - before > STALL) return;
    // Backwards, as an expired object may unwatch itself: the last one then takes its slot, and was seen already.
    for (let slot = this.watched.length - 1; slot >= 0; slot--) {
      const object = this.watched[slot];
      if (object === undefined || object.deadline === 0 || object.deadline > now) continue;
      object.deadline = 0;
      object.onDeadline(now);
    }
  }
}
