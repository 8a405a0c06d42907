import { setImmediate } from "node:timers/promises";
import type { StoredApp } from "../directory/directory.ts";
import {
  type AppFacts,
  type EvidenceFacts,
  factsOf,
  type ReleaseFacts,
  type TrafficSource,
} from "./app-facts.ts";
import { APP_METRICS, heading, linesOf } from "./app-metrics.ts";
import { type GatewaySources, gatewayMetrics } from "./gateway-metrics.ts";

/** What the metrics are read from when they are asked for. */
export interface MetricSources extends Omit<GatewaySources, "apps" | "processes"> {
  readonly apps: () => readonly StoredApp[];
  readonly traffic: TrafficSource;
  /** Undefined: the app never had a release. */
  readonly release: (app: StoredApp) => ReleaseFacts | undefined;
  /** Undefined: none is known. */
  readonly evidence: (app: StoredApp) => Promise<EvidenceFacts | undefined>;
}

/** Of which apps metrics are told. busy: those that had traffic, have a server that is out, or a release that runs. */
export type AppChoice = "all" | "busy" | "none" | ReadonlySet<string>;

export interface Metrics {
  readonly contentType: string;
  /** The text for Prometheus, in pieces: so that ten thousand apps hold up nobody, others have their turn between two. */
  scrape(apps: AppChoice): AsyncGenerator<string, void>;
  /** Names and meanings of all of them. */
  readonly all: readonly { readonly name: string; readonly type: string; readonly help: string }[];
}

/** Apps that are read, and of which one metric is written, in one piece: about a millisecond. */
const PIECE = 50;

export function createMetrics(sources: MetricSources): Metrics {
  const gateway = gatewayMetrics({
    ...sources,
    apps: () => sources.apps().length,
    processes: () => sources.traffic.processes(),
  });
  return {
    contentType: gateway.contentType,
    all: [...gateway.getMetricsAsArray(), ...APP_METRICS].map(({ name, type, help }) => ({
      name,
      type: String(type),
      help,
    })),
    async *scrape(choice) {
      yield await gateway.metrics();
      const facts: AppFacts[][] = [];
      for (const piece of piecesOf(sources.apps())) {
        const chosen = piece.filter((app) => isChosen(choice, app, sources));
        facts.push(await Promise.all(chosen.map((app) => read(app, sources))));
        await setImmediate();
      }
      for (const metric of APP_METRICS) {
        yield heading(metric);
        for (const piece of facts) {
          if (piece.length > 0) yield linesOf(metric, piece);
          await setImmediate();
        }
      }
    },
  };
}

function isChosen(choice: AppChoice, app: StoredApp, { traffic, release }: MetricSources): boolean {
  switch (choice) {
    case "all":
      return true;
    case "none":
      return false;
    case "busy":
      return (
        traffic.counts(app.name).size > 0 ||
        traffic.outOfService(app.name).length > 0 ||
        isRunning(release(app))
      );
    default:
      return choice.has(app.name);
  }
}

function isRunning(release: ReleaseFacts | undefined): boolean {
  return release !== undefined && release.status !== "done" && release.status !== "rolledBack";
}

async function read(app: StoredApp, { traffic, release, evidence, now }: MetricSources): Promise<AppFacts> {
  const present = release(app);
  const known = isRunning(present) ? await evidence(app) : undefined;
  return factsOf(app, traffic, present, known, now());
}

function* piecesOf(apps: readonly StoredApp[]): Generator<readonly StoredApp[]> {
  for (let start = 0; start < apps.length; start += PIECE) yield apps.slice(start, start + PIECE);
}
