import { type Metric, type MetricObjectWithValues, type MetricValueWithName, Registry } from "prom-client";
import type { DirectoryStatus } from "../directory/directory-status.ts";
import { LATE_BOUNDS } from "../gateway/event-loop-meter.ts";
import type { Process, Processes, RisingCounters } from "../gateway/process-report.ts";

/** What there is once, or once in each process. */
export interface GatewaySources {
  readonly version: string;
  readonly directory: () => DirectoryStatus;
  /** Apps in force. */
  readonly apps: () => number;
  readonly differences: () => number;
  readonly workers: () => { readonly running: number; readonly expected: number };
  readonly processes: () => Processes;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Value = Pick<MetricValueWithName<string>, "value"> & Partial<MetricValueWithName<string>>;
type Values = MetricObjectWithValues<MetricValueWithName<string>>;

/** Names and meanings for Prometheus; every value is read when it is asked for. No label comes from outside. */
export function gatewayMetrics(sources: GatewaySources): Registry {
  const registry = new Registry();
  const metric = (name: string, type: string, help: string, read: () => readonly Value[]): void => {
    registry.registerMetric(readMetric(name, type, help, read));
  };
  const gauge = (name: string, help: string, read: () => number): void =>
    metric(name, "gauge", help, () => [{ value: read() }]);
  const counter = (name: string, help: string, read: (rising: RisingCounters) => number): void =>
    metric(name, "counter", help, () => [{ value: read(sources.processes().rising) }]);
  const byCode = (
    name: string,
    help: string,
    read: (rising: RisingCounters) => Readonly<Record<string, number>>,
  ): void =>
    metric(name, "counter", help, () =>
      Object.entries(read(sources.processes().rising)).map(([code, value]) => ({ labels: { code }, value })),
    );
  const ofEach = (
    name: string,
    type: "gauge" | "counter",
    help: string,
    read: (process: Process) => number,
  ): void =>
    metric(name, type, help, () =>
      sources.processes().living.map((one) => ({ labels: { worker: one.place }, value: read(one) })),
    );

  metric("halftone_build_info", "gauge", "1, with the version", () => [
    { labels: { version: sources.version }, value: 1 },
  ]);
  gauge("halftone_apps", "Apps in force", sources.apps);
  gauge("halftone_workers", "Processes that carry traffic", () => sources.workers().running);
  gauge("halftone_workers_expected", "Processes that are to carry traffic", () => sources.workers().expected);

  gauge("halftone_directory_up", "1: the directory answers; 0: what was last known is in force", () =>
    sources.directory().state === "current" ? 1 : 0,
  );
  gauge("halftone_directory_state_seconds", "Since the directory began or ceased to answer", () =>
    secondsSince(sources.directory().since, sources.now()),
  );
  gauge(
    "halftone_directory_damaged_apps",
    "Apps whose stored document cannot be read",
    () => sources.directory().damaged.length,
  );
  gauge(
    "halftone_directory_differences",
    "Apps of which the directory holds something older, which is not taken",
    sources.differences,
  );
  gauge("halftone_backup_age_seconds", "Since the newest whole backup was written; NaN: there is none", () =>
    secondsSince(sources.directory().backup?.savedAt, sources.now()),
  );

  counter(
    "halftone_received_requests_total",
    "Requests whose head was read and accepted, whatever became of them",
    ({ requests }) => requests,
  );
  byCode("halftone_answers_total", "Answers of the gateway itself, by code", ({ errors }) => errors);
  counter("halftone_retries_total", "Tries after the first one of a request", ({ retries }) => retries);
  counter(
    "halftone_retries_refused_total",
    "Tries that the retry budget did not allow",
    ({ retriesRefused }) => retriesRefused,
  );
  metric(
    "halftone_fallbacks_total",
    "counter",
    "Requests served by other groups than the chosen one, which had no live server",
    () => {
      const { shareFallbacks, testerFallbacks, emergencySpills } = sources.processes().rising;
      return [
        { labels: { kind: "share" }, value: shareFallbacks },
        { labels: { kind: "tester" }, value: testerFallbacks },
        { labels: { kind: "emergency" }, value: emergencySpills },
      ];
    },
  );
  counter(
    "halftone_panics_total",
    "Servers chosen among dead ones, as no other was left",
    ({ panics }) => panics,
  );
  counter("halftone_cuts_total", "Answers that broke off after they had begun", ({ cuts }) => cuts);
  metric("halftone_tls_handshakes_total", "counter", "Handshakes with clients that succeeded", () => {
    const { handshakes, resumed } = sources.processes().rising;
    return [
      { labels: { session: "new" }, value: handshakes - resumed },
      { labels: { session: "resumed" }, value: resumed },
    ];
  });
  byCode(
    "halftone_tls_handshake_failures_total",
    "Those that did not, by code; other: too many to be told apart",
    ({ tlsFailures }) => tlsFailures,
  );
  counter(
    "halftone_proxy_header_failures_total",
    "Connections closed as their PROXY header was missing, malformed or late",
    ({ proxyHeaders }) => proxyHeaders,
  );

  counter("halftone_access_log_lines_total", "Lines of the access log", ({ logLines }) => logLines);
  counter(
    "halftone_access_log_dropped_total",
    "Lines that there was no room for, or that could not be written before an end",
    ({ logDropped }) => logDropped,
  );

  counter(
    "halftone_spans_exported_total",
    "Spans of traces that the collector took",
    ({ spansExported }) => spansExported,
  );
  counter(
    "halftone_spans_dropped_total",
    "Spans that it could not be given, as it is away or slow",
    ({ spansDropped }) => spansDropped,
  );

  ofEach("halftone_connections", "gauge", "Client connections open", ({ connections }) => connections);
  ofEach(
    "halftone_open_requests",
    "gauge",
    "Requests under way, WebSockets included; limits.requests is the most",
    ({ inFlight }) => inFlight,
  );
  ofEach(
    "halftone_worker_busy_seconds_total",
    "counter",
    "Time spent in turns of the event loop: its rate is the part of the time that it is busy",
    ({ load }) => load.busy / 1000,
  );
  ofEach("halftone_worker_turns_total", "counter", "Turns of the event loop", ({ load }) => load.turns);
  metric(
    "halftone_worker_lag_seconds",
    "histogram",
    "How late a timer comes that is due every 50 ms: so long does everything else wait too",
    () => sources.processes().living.flatMap(lagOf),
  );
  ofEach(
    "halftone_worker_cpu_seconds_total",
    "counter",
    "Processor time of the process",
    ({ load }) => load.used / 1000,
  );
  ofEach(
    "halftone_worker_resident_memory_bytes",
    "gauge",
    "Resident memory of the process",
    ({ load }) => load.memory,
  );
  return registry;
}

/** prom-client keeps values; this one has them only when they are written. */
function readMetric(name: string, type: string, help: string, read: () => readonly Value[]): Metric {
  const get = (): Promise<Values> =>
    Promise.resolve({ name, help, type, aggregator: "sum", values: read() } as unknown as Values);
  return { name, help, type, get } as unknown as Metric;
}

function lagOf({ place, load: { late, lateSum } }: Process): readonly Value[] {
  const name = "halftone_worker_lag_seconds";
  let below = 0;
  const buckets = late.map((count, index) => {
    below += count;
    const bound = LATE_BOUNDS[index];
    const le = bound === undefined ? "+Inf" : bound / 1000;
    return { metricName: `${name}_bucket`, labels: { worker: place, le }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: { worker: place }, value: lateSum / 1000 },
    { metricName: `${name}_count`, labels: { worker: place }, value: below },
  ];
}

function secondsSince(at: string | undefined, now: number): number {
  return at === undefined ? Number.NaN : Math.max(0, (now - Date.parse(at)) / 1000);
}
