import { Gauge, Registry } from "prom-client";
import type { DirectoryStatus } from "../directory/directory-status.ts";

/** What the metrics are read from when they are asked for. */
export interface MetricSources {
  readonly version: string;
  readonly directory: () => DirectoryStatus;
  /** Apps in force. */
  readonly apps: () => number;
  readonly differences: () => number;
  readonly workers: () => { readonly running: number; readonly expected: number };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Names and meanings for Prometheus; every value is read when it is asked for. No label comes from outside. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  const gauge = (name: string, help: string, read: () => number): void => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  };
  const build = new Gauge({
    name: "halftone_build_info",
    help: "1, with the version",
    labelNames: ["version"],
    registers: [registry],
  });
  build.set({ version: sources.version }, 1);
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
  return registry;
}

function secondsSince(at: string | undefined, now: number): number {
  return at === undefined ? Number.NaN : Math.max(0, (now - Date.parse(at)) / 1000);
}
