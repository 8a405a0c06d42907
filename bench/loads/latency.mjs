// @ts-check
import { BODY } from "../upstream.mjs";
import { errorsOf, openLoop, withReadings } from "../arena.mjs";

/** Of what one core of nginx carries. */
export const SHARE_OF_SATURATION = 0.6;
/** Above it a generator's own queue is part of what it measures. */
const MOST_GENERATOR_USE = 0.8;
/** Beyond the kept ones, for requests that are due while all are busy. */
const MAX_CONNECTIONS = 1024;

/**
 * An open loop: what users see of a gateway that is not overloaded.
 * @type {import("./work-load.mjs").WorkLoad}
 */
export const latency = {
  id: "latency",
  title: "latency at a fixed rate, 100-byte answers",
  path: "/",
  length: BODY.length,
  connections: 64,
  standing: MAX_CONNECTIONS,
  openLoop: true,
  atRate: true,
  columns: [
    { key: "p50", title: "p50, ms", digits: 2 },
    { key: "p99", title: "p99, ms", digits: 2 },
    { key: "p999", title: "p99.9, ms", digits: 2 },
    { key: "late", title: "generator late p99, ms", digits: 2 },
    { key: "generatorUse", title: "generator, cores", digits: 2 },
  ],
  reservations: (rounds) => {
    const most = Math.max(...rounds.map(({ extra }) => extra["generatorUse"] ?? 0));
    if (most <= MOST_GENERATOR_USE) return [];
    return [
      `the load generator used ${Math.round(most * 100)} % of its core: its own queue is in the latencies`,
    ];
  },
  measure: async (arena) => {
    const { result: report, ...readings } = await withReadings(arena, () =>
      openLoop(arena, { rate: arena.rate, maxConnections: MAX_CONNECTIONS, warmUp: 0 }),
    );
    return {
      ...readings,
      requests: report.ok,
      microseconds: report.seconds * 1e6,
      errors: errorsOf(report),
      report,
      extra: {
        p50: report.okLatency.p50 ?? NaN,
        p99: report.okLatency.p99 ?? NaN,
        p999: report.okLatency.p999 ?? NaN,
        late: report.lateness.p99 ?? NaN,
        generatorUse: report.coreUse,
        rate: arena.rate,
      },
    };
  },
};
