import type { TrafficFrame } from "../data/app-cell.ts";

export type Measure = "perSecond" | "failuresPerSecond" | "p50" | "p99";

export interface ChartLine {
  readonly group: string;
  readonly measure: Measure;
}

/** Seconds since the epoch, then one list for each line; null: nothing is known of that moment. */
export type ChartData = [number[], ...(number | null)[][]];

/** A silence longer than this is a gap in the lines, in seconds. */
const GAP = 3;

export function chartData(frames: readonly TrafficFrame[], lines: readonly ChartLine[]): ChartData {
  const times: number[] = [];
  const values: (number | null)[][] = lines.map(() => []);
  for (const frame of frames) {
    const at = Date.parse(frame.at) / 1000;
    const last = times.at(-1);
    if (last !== undefined && at <= last) continue;
    if (last !== undefined && at - last > GAP) {
      times.push(last + 1);
      for (const list of values) list.push(null);
    }
    times.push(at);
    for (const [index, { group, measure }] of lines.entries()) {
      const row = frame.groups.find((one) => one.group === group);
      values[index]!.push(row?.[measure] ?? null);
    }
  }
  return [times, ...values];
}
