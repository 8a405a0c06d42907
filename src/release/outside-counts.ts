import type { Comparison } from "../core/verdict/counts.ts";
import { addReading, type RisingCounts } from "../core/verdict/rising-counts.ts";
import type { OutsideReading, OutsideRequest, OutsideSource, Side } from "./outside-source.ts";

export interface OutsideTaken {
  /** What came to the counts since something was given out, by the names of the signals of which something is known. */
  readonly comparisons: ReadonlyMap<string, Comparison>;
  /** Why nothing is known of a signal, for people. What has only nothing new to tell is in neither map. */
  readonly problems: ReadonlyMap<string, string>;
}

interface Kept {
  readonly sides: string;
  readonly counts: RisingCounts;
}

/**
 * The increments of all signals from elsewhere, window after window, for one app. To be taken when a comparison begins, of
 * which nothing comes but the place to count from, and at the end of each window. When the sides change it begins anew by
 * itself; when the share changes, by `beginAnew`, as no increment may be of two shares.
 */
export class OutsideCounts {
  private readonly sources: readonly OutsideSource[];
  private kept = new Map<string, Kept>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(sources: readonly OutsideSource[]) {
    this.sources = sources;
  }

  /** Takes one after the other, in the order of the calls. `signal` ends it early: then there are only problems. */
  take(request: OutsideRequest, signal: AbortSignal = new AbortController().signal): Promise<OutsideTaken> {
    const taken = this.last.then(() => this.readAll(request, signal));
    this.last = taken.catch(() => undefined);
    return taken;
  }

  /** What was counted until now is left out; the next take only finds where to count from. */
  beginAnew(): void {
    this.kept = new Map();
  }

  private async readAll(request: OutsideRequest, signal: AbortSignal): Promise<OutsideTaken> {
    const readings = await Promise.all(
      this.sources.map(async (source) => ({
        name: source.name,
        reading: await source.read(request, signal),
      })),
    );
    const sides = sidesOf(request);
    const comparisons = new Map<string, Comparison>();
    const problems = new Map<string, string>();
    for (const { name, reading } of readings) {
      const added = this.add(name, sides, reading);
      if (typeof added === "string") problems.set(name, added);
      else if (added !== undefined) comparisons.set(name, added);
    }
    return { comparisons, problems };
  }

  private add(name: string, sides: string, reading: OutsideReading): Comparison | string | undefined {
    // What was kept stays: the next success tells of the time since the last one.
    if (reading.kind === "failed") return reading.reason;
    const kept = this.kept.get(name);
    const { next, added } = addReading(kept?.sides === sides ? kept.counts : undefined, reading.comparison);
    this.kept.set(name, { sides, counts: next });
    switch (added.kind) {
      case "counted":
        return added.comparison;
      case "nothing":
        return undefined;
      case "unsure":
        return `${added.why}: this window is left out`;
    }
  }
}

/** Sums of other servers have nothing in common with those before. */
function sidesOf({ app, release, test, rest }: OutsideRequest): string {
  const sorted = ({ groups, servers }: Side): object => [groups.toSorted(), servers.toSorted()];
  return JSON.stringify([app, release, sorted(test), sorted(rest)]);
}
