import type { EventLoopReport } from "./event-loop-meter.ts";
import type { GatewayCounters } from "./gateway-counters.ts";

/** Those of `GatewayCounters` that only rise. */
type Rising =
  | "requests"
  | "retries"
  | "retriesRefused"
  | "shareFallbacks"
  | "testerFallbacks"
  | "emergencySpills"
  | "panics"
  | "cuts"
  | "proxyHeaders"
  | "logLines"
  | "logDropped"
  | "spansExported"
  | "spansDropped";

/** What only rises, as plain JSON. */
export interface RisingCounters extends Readonly<Record<Rising, number>> {
  readonly handshakes: number;
  /** Of these, sessions resumed. */
  readonly resumed: number;
  /** Handshakes that failed, by code. */
  readonly tlsFailures: Readonly<Record<string, number>>;
  /** Answers of the gateway itself, by code. */
  readonly errors: Readonly<Record<string, number>>;
}

/** What one process that carries traffic tells of itself: plain JSON. */
export interface ProcessReport {
  /** Since its start. */
  readonly rising: RisingCounters;
  readonly connections: number;
  /** Requests under way, tunnels included. */
  readonly inFlight: number;
  readonly load: EventLoopReport;
}

/** One process that carries traffic. */
export interface Process extends ProcessReport {
  /** 0, 1 …: a process that follows one that is gone takes over its place. */
  readonly place: number;
}

/** The processes of a gateway together. */
export interface Processes {
  readonly living: readonly Process[];
  /** Of these, and of those that are gone. Never goes down. */
  readonly rising: RisingCounters;
}

export function risingOf(counters: GatewayCounters): RisingCounters {
  const { tls, errors } = counters;
  return {
    ...eachOf((name) => counters[name]),
    handshakes: tls.handshakes,
    resumed: tls.resumed,
    tlsFailures: Object.fromEntries(tls.failures),
    errors: Object.fromEntries(errors),
  };
}

export function sumRising(parts: readonly RisingCounters[]): RisingCounters {
  const sum = (read: (part: RisingCounters) => number): number =>
    parts.reduce((all, part) => all + read(part), 0);
  return {
    ...eachOf((name) => sum((part) => part[name])),
    handshakes: sum(({ handshakes }) => handshakes),
    resumed: sum(({ resumed }) => resumed),
    tlsFailures: sumByCode(parts.map(({ tlsFailures }) => tlsFailures)),
    errors: sumByCode(parts.map(({ errors }) => errors)),
  };
}

function eachOf(read: (name: Rising) => number): Record<Rising, number> {
  return {
    requests: read("requests"),
    retries: read("retries"),
    retriesRefused: read("retriesRefused"),
    shareFallbacks: read("shareFallbacks"),
    testerFallbacks: read("testerFallbacks"),
    emergencySpills: read("emergencySpills"),
    panics: read("panics"),
    cuts: read("cuts"),
    proxyHeaders: read("proxyHeaders"),
    logLines: read("logLines"),
    logDropped: read("logDropped"),
    spansExported: read("spansExported"),
    spansDropped: read("spansDropped"),
  };
}

function sumByCode(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [code, count] of parts.flatMap((part) => Object.entries(part))) {
    sums.set(code, (sums.get(code) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}
