import { quantile, SCALE_LENGTH } from "../core/verdict/latency-scale.ts";
import { sumTotals } from "../gateway/group-totals.ts";
import type { AppRecord } from "./roster.ts";
import { failureRatesOf, ratesOf } from "./traffic.ts";

/** What one group of an app has done and does: all gateways together whose records these are. */
export interface GroupTraffic {
  readonly group: string;
  /** Tries since the gateways began. */
  readonly requests: number;
  readonly failures: number;
  /** Answers 5xx that are no failed tries. */
  readonly errors: number;
  readonly inFlight: number;
  /** Tries a second, over the last second or so. */
  readonly perSecond: number;
  /** Of these, those that failed or were answered 5xx. */
  readonly failuresPerSecond: number;
  /** Of the app's tries a second, in per cent; null: there are none. */
  readonly share: number | null;
  /**
   * Ms until the answer began, over the last five seconds: of half of the requests it was no more than that, of nine in
   * ten, of ninety-nine in a hundred; to 9 %. Null: there were none.
   */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

const NOTHING = { requests: 0, failures: 0, errors: 0, inFlight: 0 };

/** Of these groups, in their order. */
export function groupTraffic(
  groups: readonly string[],
  records: readonly AppRecord[],
): readonly GroupTraffic[] {
  const totals = new Map(Object.entries(sumTotals(records.map((record) => record.groups))));
  const [rates, failureRates] = [ratesOf(records), failureRatesOf(records)];
  const all = groups.reduce((sum, group) => sum + (rates.get(group) ?? 0), 0);
  return groups.map((group): GroupTraffic => {
    const { requests, failures, errors, inFlight } = totals.get(group) ?? NOTHING;
    const rate = rates.get(group) ?? 0;
    const counts = latencyCounts(group, records);
    return {
      group,
      requests,
      failures,
      errors,
      inFlight,
      perSecond: rounded(rate, 10),
      failuresPerSecond: rounded(failureRates.get(group) ?? 0, 10),
      share: all === 0 ? null : rounded((rate / all) * 100, 100),
      p50: millisecondsOf(counts, 0.5),
      p90: millisecondsOf(counts, 0.9),
      p99: millisecondsOf(counts, 0.99),
    };
  });
}

/** Quantiles of several gateways cannot be added up; what they are made of can. */
function latencyCounts(group: string, records: readonly AppRecord[]): readonly number[] {
  const counts = Array.from({ length: SCALE_LENGTH }, () => 0);
  for (const { latencies = {} } of records) {
    const pairs = Object.hasOwn(latencies, group) ? latencies[group]! : [];
    for (let i = 0; i < pairs.length; i += 2) counts[pairs[i]!]! += pairs[i + 1]!;
  }
  return counts;
}

function millisecondsOf(counts: readonly number[], part: number): number | null {
  const milliseconds = quantile(counts, part);
  return milliseconds === undefined ? null : rounded(milliseconds, 100);
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}
