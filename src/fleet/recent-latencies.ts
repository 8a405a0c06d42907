import { LATENCY_SLOT, ROW_LENGTH } from "../gateway/group-meter.ts";
import type { AppCounts } from "../gateway/group-totals.ts";
import type { AppRecord } from "./roster.ts";

/** How far back they go, in ms: of an app with a request a second, five make a p50. */
const SPAN = 5000;

type Latencies = NonNullable<AppRecord["latencies"]>;

interface Known {
  /** The counts when they were read last, by group. */
  readonly rows: Map<string, Float64Array>;
  /** What was added since the time before, the newest last. */
  readonly added: { readonly at: number; readonly latencies: Latencies }[];
}

/** Latencies of the last seconds, from counts that are read again and again. */
export class RecentLatencies {
  readonly #apps = new Map<string, Known>();

  /** Apps of which any are told: they are asked for again, or theirs would stay for ever. */
  *moving(): IterableIterator<string> {
    for (const [app, { added }] of this.#apps) if (added.length > 0) yield app;
  }

  /** `now` in ms. Undefined: there were none. */
  measure(app: string, counts: AppCounts, now: number): Latencies | undefined {
    const known = this.#apps.get(app) ?? { rows: new Map<string, Float64Array>(), added: [] };
    this.#apps.set(app, known);
    const latencies = takeAdded(known.rows, counts);
    if (Object.keys(latencies).length > 0) known.added.push({ at: now, latencies });
    while (known.added.length > 0 && known.added[0]!.at <= now - SPAN) known.added.shift();
    return known.added.length === 0 ? undefined : sumOf(known.added.map((one) => one.latencies));
  }

  forget(app: string): void {
    this.#apps.delete(app);
  }
}

/** What was added to the counts, which are noted. */
function takeAdded(rows: Map<string, Float64Array>, counts: AppCounts): Latencies {
  const added = new Map<string, number[]>();
  for (const [group, row] of counts) {
    const before = rows.get(group);
    const pairs: number[] = [];
    for (let slot = LATENCY_SLOT; slot < ROW_LENGTH; slot++) {
      const count = row[slot]! - (before?.[slot] ?? 0);
      if (count > 0) pairs.push(slot - LATENCY_SLOT, count);
    }
    if (pairs.length === 0) continue;
    added.set(group, pairs);
    if (before === undefined) rows.set(group, row.slice());
    else before.set(row);
  }
  return Object.fromEntries(added);
}

function sumOf(parts: readonly Latencies[]): Latencies {
  const sums = new Map<string, Map<number, number>>();
  for (const [group, pairs] of parts.flatMap((part) => Object.entries(part))) {
    const sum = sums.get(group) ?? new Map<number, number>();
    sums.set(group, sum);
    for (let i = 0; i < pairs.length; i += 2) sum.set(pairs[i]!, (sum.get(pairs[i]!) ?? 0) + pairs[i + 1]!);
  }
  return Object.fromEntries(Array.from(sums, ([group, sum]) => [group, [...sum].flat()]));
}
