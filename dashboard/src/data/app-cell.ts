import { signal, type Signal } from "@preact/signals";
import type { ReleaseJson } from "../../../src/admin/release-schemas.ts";
import type { AppSummary, ServerRow } from "../../../src/admin/schemas.ts";
import type { VerdictJson } from "../../../src/admin/verdict-schemas.ts";
import { publicOnNew } from "../../../src/core/release-stops.ts";
import { Spark } from "./spark.ts";

/** What one group does now; latencies in ms. */
export interface GroupFrame {
  readonly group: string;
  readonly perSecond: number;
  readonly failuresPerSecond: number;
  readonly inFlight: number;
  readonly p50?: number | null;
  readonly p99?: number | null;
}

export interface TrafficFrame {
  readonly app: string;
  /** ISO 8601. */
  readonly at: string;
  readonly groups: readonly GroupFrame[];
}

/** Frames that are kept of an app that is followed: an hour. */
const MOST_FRAMES = 3600;

/** All that the page knows of one app. It is written in place; `changed` tells of that, once a picture at most. */
export class AppCell {
  readonly changed: Signal<number> = signal(0);
  readonly spark: Spark = new Spark();
  summary: AppSummary;
  /** Undefined: not read, or it never had one. */
  release: ReleaseJson | undefined;
  /** When that was heard, in ms since the epoch: its time left counts from there. */
  releaseAt = 0;
  verdict: VerdictJson | undefined;
  traffic: TrafficFrame | undefined;
  /** Servers of which something bad was heard, by their address. */
  readonly servers: Map<string, ServerRow> = new Map();
  /** The oldest first; undefined: nobody follows the app. */
  frames: TrafficFrame[] | undefined;
  /** When anything of it was heard last, in ms since the epoch. */
  heardAt: number;

  constructor(summary: AppSummary, at: number) {
    this.summary = summary;
    this.heardAt = at;
  }

  /** Has the component that calls it drawn anew when this changes: what is written in place tells nobody. */
  watch(): void {
    void this.changed.value;
  }

  /** `at`: ms since the epoch. */
  takeTraffic(frame: TrafficFrame, at: number): void {
    this.traffic = frame;
    this.heardAt = at;
    this.spark.add(at, sumOf(frame, "perSecond"));
    if (this.frames === undefined) return;
    this.frames.push(frame);
    if (this.frames.length > MOST_FRAMES) this.frames.shift();
  }

  takeRelease(release: ReleaseJson, at: number): void {
    this.release = release;
    this.releaseAt = at;
    this.heardAt = at;
    const { id, version, status, phase, group, share, waitingFor } = release;
    this.summary = { ...this.summary, release: { id, version, status, phase, group, share, waitingFor } };
  }

  /** Percentage of the public on the new version. */
  get onNew(): number {
    const { release: short, deploy, share } = this.summary;
    if (this.release !== undefined && this.release.id === short?.id) return publicOnNew(this.release);
    if (short === null) return deploy === 0 ? 0 : share;
    if (short.status === "done") return 100;
    return short.status === "rolledBack" ? 0 : short.share;
  }

  /** Testers are sent to the new version alone. */
  get testersOnNew(): boolean {
    const { deploy, testing } = this.summary;
    return deploy !== 0 && testing;
  }

  /** Servers that are known to be down. */
  get down(): number {
    let down = 0;
    for (const { state } of this.servers.values()) if (state === "dead") down += 1;
    return down;
  }
}

export function sumOf(
  frame: TrafficFrame | undefined,
  what: "perSecond" | "failuresPerSecond" | "inFlight",
): number {
  return frame?.groups.reduce((sum, group) => sum + group[what], 0) ?? 0;
}

/** The slowest group's; undefined: it is not measured. */
export function worstP99(frame: TrafficFrame | undefined): number | undefined {
  const known = frame?.groups.flatMap(({ p99 }) => p99 ?? []) ?? [];
  return known.length === 0 ? undefined : Math.max(...known);
}
