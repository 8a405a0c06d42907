import type { HealthPolicy } from "./app.ts";

/**
 * Counts every change of any server's availability, so that pools notice one by comparing a number. The pools and the
 * servers of a process share one.
 */
export interface HealthEpoch {
  value: number;
}

/**
 * What is known of one server's health. Mutable, one per server and process; times in ms of one monotonic clock.
 *
 * alive ─(maxFails failures)→ dead ─(die time)→ due ─(one request as probe)→ alive, or dead for twice as long
 */
export interface Health {
  readonly epoch: HealthEpoch;
  /** Failures since `firstFailAt` of a server that is alive. */
  fails: number;
  firstFailAt: number;
  /** Deaths in a row without a success between: the die time has doubled `streak - 1` times. */
  streak: number;
  /** 0: alive. Else left out until then, and after that until one request has proved it alive. */
  deadUntil: number;
  /** The one request that tests a server whose die time is over is on its way. */
  probing: boolean;
  /** The active check says so; independent of what traffic found. */
  unhealthy: boolean;
  /** How long its part of the requests rises after it came back, in ms; 0: it has all of it at once. */
  slowStart: number;
  /** Until when it rises; 0: it does not. */
  warmUntil: number;
  /** What has come together towards the next request that it may have while it rises. */
  warmth: number;
}

/** What decides when a server is dead, and for how long. */
type DeathPolicy = Pick<HealthPolicy, "maxFails" | "dieTime" | "maxDieTime">;

/** Die times vary by this part of them to both sides, so that many gateways do not probe a server in step. */
const JITTER = 0.1;

/** Of its requests, what a server gets at least in its slow start: none would never show that it is well. */
const LEAST_PART = 0.1;

export function newHealth(epoch: HealthEpoch): Health {
  return {
    epoch,
    fails: 0,
    firstFailAt: 0,
    streak: 0,
    deadUntil: 0,
    probing: false,
    unhealthy: false,
    slowStart: 0,
    warmUntil: 0,
    warmth: 0,
  };
}

/** Alive, or its die time is over and nobody is trying it yet. */
export function isAvailable(health: Health, now: number): boolean {
  if (health.unhealthy) return false;
  return health.deadUntil === 0 || (now >= health.deadUntil && !health.probing);
}

/**
 * A try failed. True when the server is dead by it, anew or again.
 *
 * `sentAt` is when the try began (its server was chosen), by the same clock as the pick. A dead server's die time is only doubled by a try sent after it ended, that is by
 * its probe: sixty requests in flight on a server that goes down are one event, however late each of them fails.
 *
 * `maxFails` failures are counted within one die time of the first of them, as nginx does (`fail_timeout`).
 * `dice`: 0 to 1, for the jitter of ±10 %, which also applies at `maxDieTime`.
 */
export function recordFailure(
  health: Health,
  policy: DeathPolicy,
  now: number,
  dice: number,
  sentAt: number = now,
): boolean {
  if (health.deadUntil !== 0) {
    if (sentAt < health.deadUntil) return false;
  } else {
    if (health.fails === 0 || now - health.firstFailAt > policy.dieTime) {
      health.fails = 0;
      health.firstFailAt = now;
    }
    health.fails++;
    if (health.fails < policy.maxFails) return false;
  }
  health.fails = 0;
  health.streak++;
  health.probing = false;
  health.deadUntil = now + dieTime(policy, health.streak) * (1 + JITTER * (2 * dice - 1));
  health.epoch.value++;
  return true;
}

function dieTime(policy: DeathPolicy, streak: number): number {
  return Math.min(policy.dieTime * 2 ** (streak - 1), Math.max(policy.dieTime, policy.maxDieTime));
}

/** Failures in a row that are no chance any more. */
const FAILURES_SURE = 3;

/**
 * Whether a server is found dead by more than a failure or two: those may be chance, and leave it out for a whole die time
 * all the same.
 */
export function isSurelyDead(
  { unhealthy, streak }: Health,
  { maxFails }: Pick<DeathPolicy, "maxFails">,
): boolean {
  return unhealthy || (streak > 0 && maxFails - 1 + streak >= FAILURES_SURE);
}

/**
 * A try succeeded: everything traffic held against the server is forgotten. True when that brought it back to life, from
 * `now` on with a part of its requests that rises (`slowStart`).
 */
export function recordSuccess(health: Health, now: number): boolean {
  health.fails = 0;
  if (health.deadUntil === 0) return false;
  revive(health, now);
  return true;
}

/**
 * Whether a server that came back takes this request: in the first tenth of its slow start one of ten, then as large a part
 * as of the time is over. Counts; not by chance, so that few requests are shared out as evenly as many.
 */
export function takesInSlowStart(health: Health, now: number): boolean {
  if (health.warmUntil <= now) return true;
  const over = 1 - (health.warmUntil - now) / health.slowStart;
  health.warmth += Math.max(LEAST_PART, over);
  if (health.warmth < 1) return false;
  health.warmth -= 1;
  return true;
}

/** The request about to be sent is the probe of a server whose die time is over. */
export function startProbe(health: Health): void {
  health.probing = true;
  health.epoch.value++;
}

/** The probe ended without an outcome (the client left): another request may be the probe. */
export function abandonProbe(health: Health): void {
  health.probing = false;
  health.epoch.value++;
}

/** What the active check says now. A server that turns healthy starts anew. True when something changed. */
export function recordCheck(health: Health, healthy: boolean, now: number): boolean {
  if (health.unhealthy !== healthy) return false;
  health.unhealthy = !healthy;
  if (healthy) revive(health, now);
  else health.epoch.value++;
  return true;
}

/**
 * Another process found the server dead. The later end and the longer streak stand, so that processes that find the
 * same death at the same time do not add up. True when something changed.
 */
export function adoptDeath(health: Health, deadUntil: number, streak: number): boolean {
  health.streak = Math.max(health.streak, streak);
  if (deadUntil <= health.deadUntil) return false;
  health.deadUntil = deadUntil;
  health.fails = 0;
  health.probing = false;
  health.epoch.value++;
  return true;
}

/** Another process found the server alive. True when that is news. */
export function adoptLife(health: Health, now: number): boolean {
  return recordSuccess(health, now);
}

function revive(health: Health, now: number): void {
  health.fails = 0;
  health.streak = 0;
  health.deadUntil = 0;
  health.probing = false;
  health.warmUntil = health.slowStart === 0 ? 0 : now + health.slowStart;
  health.warmth = 0;
  health.epoch.value++;
}
