import type { AppDocument } from "../config/app-document.ts";
import { addWindows } from "../core/verdict/compare-window.ts";
import type { TallyReport, TallyWindow } from "../core/verdict/tally.ts";
import type { AppTally } from "../fleet/roster.ts";

/** How long after its end a window is taken for whole, in ms: every process has been asked by then. */
const SETTLED_AFTER = 2000;
/** How long after its end a window is told, in ms. */
const KEPT = 40_000;

interface Folded {
  readonly release: string;
  readonly length: number;
  readonly windows: Map<number, TallyWindow>;
  readonly latencies: Map<number, number>;
  /** The newest window that was told: what comes later for it is dropped, so that nobody is told two things. */
  told: number;
}

/** Adds up what the processes of a gateway counted, each window as a whole. */
export class FoldedTallies {
  /** The releases that run, by app: nothing else is counted. */
  readonly #releases = new Map<string, string>();
  readonly #apps = new Map<string, Folded>();

  /** This document of the app is in force from now on. */
  follow({ name, tally, draw = "" }: AppDocument): void {
    if (tally === undefined) this.forget(name);
    else if (this.#releases.get(name) !== draw) {
      this.#apps.delete(name);
      this.#releases.set(name, draw);
    }
  }

  /** A process may be late, and tell of a release that is over. */
  take(app: string, report: TallyReport): void {
    if (this.#releases.get(app) !== report.release) return;
    const folded = this.#apps.get(app) ?? newFolded(report);
    this.#apps.set(app, folded);
    for (const window of report.windows) {
      if (window.window <= folded.told) continue;
      const before = folded.windows.get(window.window);
      folded.windows.set(window.window, before === undefined ? window : addWindows(before, window));
    }
    for (const [step, count] of report.latencies) {
      folded.latencies.set(step, (folded.latencies.get(step) ?? 0) + count);
    }
  }

  /** Apps that have something to tell that was not told yet. `now`: ms since the epoch. */
  *news(now: number): IterableIterator<string> {
    for (const [app, folded] of this.#apps) if (newestSettled(folded, now) > folded.told) yield app;
  }

  /** What there is to tell of the app; undefined: no release runs, or none of its windows is over. */
  tell(app: string, now: number): AppTally | undefined {
    const folded = this.#apps.get(app);
    if (folded === undefined) return undefined;
    folded.told = Math.max(folded.told, newestSettled(folded, now));
    const { release, length, windows, latencies, told } = folded;
    for (const window of windows.keys()) if ((window + 1) * length < now - KEPT) windows.delete(window);
    const settled = [...windows.values()].filter(({ window }) => window <= told);
    if (settled.length === 0 && latencies.size === 0) return undefined;
    return { release, length, windows: settled, latencies: [...latencies] };
  }

  forget(app: string): void {
    this.#releases.delete(app);
    this.#apps.delete(app);
  }
}

function newFolded({ release, length }: TallyReport): Folded {
  return { release, length, windows: new Map(), latencies: new Map(), told: -1 };
}

function newestSettled({ windows, length }: Folded, now: number): number {
  const settled = Math.floor((now - SETTLED_AFTER) / length) - 1;
  return Math.max(-1, ...[...windows.keys()].filter((window) => window <= settled));
}
