import { LRUCache } from "lru-cache";
import type { AppDocument } from "../config/app-document.ts";
import { compileApp } from "../config/compile-app.ts";
import type { Route } from "../core/app.ts";
import type { HealthEpoch } from "../core/pool.ts";
import { RetryBudget } from "../core/retry-budget.ts";
import { RouteTable } from "../core/route-table.ts";
import type { TallyReport } from "../core/verdict/tally.ts";
import { AppRuntime } from "./app-runtime.ts";
import { AppServers } from "./app-servers.ts";
import type { AppNews } from "./group-totals.ts";

/** Compiled apps kept in memory; an app beyond that is compiled again when it is next asked for. */
const MAX_COMPILED = 10_000;

/** A document with the revision it was stored under. */
export interface RevisedDocument {
  readonly name: string;
  readonly revision: number;
  readonly document: AppDocument;
}

interface Entry {
  /** Replaced as a whole by a change. */
  stored: RevisedDocument;
  routes: readonly Route[];
  readonly servers: AppServers;
  budget: RetryBudget;
  runtime: AppRuntime | undefined;
}

/**
 * The apps of this process: found by host and path, compiled when needed. Compiled ones sit in a bounded LRU whose key
 * is all they depend on, name and revision; what must survive a change (health, connections) stands beside it.
 */
export class AppTable {
  private readonly entries = new Map<string, Entry>();
  private readonly compiled: LRUCache<string, Entry>;
  private readonly epoch: HealthEpoch;
  private routes: RouteTable<Entry> = RouteTable.of([]);
  private last: Entry | undefined;

  constructor(epoch: HealthEpoch, maxCompiled: number = MAX_COMPILED) {
    this.epoch = epoch;
    this.compiled = new LRUCache({
      max: maxCompiled,
      dispose: (entry, key) => {
        if (key === keyOf(entry.stored)) entry.runtime = undefined;
      },
    });
  }

  get size(): number {
    return this.entries.size;
  }

  /** The app for a lower-case host without port and a path (which may carry its query). */
  find(host: string, path: string): AppRuntime | undefined {
    const entry = this.routes.find(host, path);
    if (entry === undefined) return undefined;
    entry.servers.touched = true;
    if (entry !== this.last) {
      // Requests come in runs for the same app: only a change of app is worth telling the LRU.
      this.last = entry;
      this.compiled.get(keyOf(entry.stored));
    }
    return entry.runtime ?? this.compile(entry);
  }

  get(name: string): AppRuntime | undefined {
    const entry = this.entries.get(name);
    return entry && (entry.runtime ?? this.compile(entry));
  }

  servers(name: string): AppServers | undefined {
    return this.entries.get(name)?.servers;
  }

  *allServers(): IterableIterator<AppServers> {
    for (const entry of this.entries.values()) yield entry.servers;
  }

  /** Of every app for which anything happened since the last time. */
  takeNews(): Map<string, AppNews> {
    const all = new Map<string, AppNews>();
    for (const [name, { servers }] of this.entries) {
      const news = servers.takeNews();
      if (news !== undefined) all.set(name, news);
    }
    return all;
  }

  /** What was counted for verdicts since the last time, of the apps under release that had traffic. */
  takeTallies(now: number): Map<string, TallyReport> {
    const reports = new Map<string, TallyReport>();
    for (const [name, { servers }] of this.entries) {
      const report = servers.tally?.take(now);
      if (report === undefined) continue;
      if (report.windows.length > 0 || report.latencies.length > 0) reports.set(name, report);
    }
    return reports;
  }

  /** Puts all of these in force and forgets every other app. */
  replaceAll(documents: readonly RevisedDocument[]): void {
    const named = new Set(documents.map((stored) => stored.name));
    for (const [name, entry] of this.entries) {
      if (named.has(name)) continue;
      this.entries.delete(name);
      this.forget(entry);
    }
    for (const stored of documents) this.enter(stored);
    this.rebuildRoutes();
  }

  put(stored: RevisedDocument): void {
    if (this.enter(stored)) this.rebuildRoutes();
  }

  delete(name: string): void {
    const entry = this.entries.get(name);
    if (entry === undefined) return;
    this.entries.delete(name);
    this.forget(entry);
    this.rebuildRoutes();
  }

  /** True when the routes changed. The compiled app is swapped by one assignment. */
  private enter(stored: RevisedDocument): boolean {
    const app = compileApp(stored.document, stored.revision);
    const known = this.entries.get(stored.name);
    const entry: Entry = known ?? {
      stored,
      routes: app.routes,
      servers: new AppServers(this.epoch),
      budget: new RetryBudget(app.retry),
      runtime: undefined,
    };
    const routesChanged = known === undefined || !sameRoutes(known.routes, app.routes);
    const budgetChanged =
      known?.runtime === undefined ||
      known.runtime.app.retry.budget !== app.retry.budget ||
      known.runtime.app.retry.budgetFloor !== app.retry.budgetFloor;
    if (budgetChanged) entry.budget = new RetryBudget(app.retry);
    const before = keyOf(entry.stored);
    entry.stored = stored;
    entry.routes = app.routes;
    entry.servers.update(app);
    entry.runtime = new AppRuntime(app, entry.servers, entry.budget);
    this.entries.set(stored.name, entry);
    if (before !== keyOf(stored)) this.compiled.delete(before);
    this.compiled.set(keyOf(stored), entry);
    return routesChanged;
  }

  private compile(entry: Entry): AppRuntime {
    const app = compileApp(entry.stored.document, entry.stored.revision);
    entry.runtime = new AppRuntime(app, entry.servers, entry.budget);
    this.compiled.set(keyOf(entry.stored), entry);
    return entry.runtime;
  }

  private forget(entry: Entry): void {
    entry.servers.retire();
    this.compiled.delete(keyOf(entry.stored));
    if (this.last === entry) this.last = undefined;
  }

  /**
   * In the order of names, whatever order the apps came in: where two gateways have stored two apps with one route at the
   * same moment, every process of every gateway sends it to the same one.
   */
  private rebuildRoutes(): void {
    const claims: { route: Route; value: Entry }[] = [];
    const byName = [...this.entries].sort(([one], [other]) => (one < other ? -1 : 1));
    for (const [, entry] of byName) {
      for (const route of entry.routes) claims.push({ route, value: entry });
    }
    this.routes = RouteTable.of(claims);
  }
}

function keyOf(stored: RevisedDocument): string {
  return `${stored.name} ${stored.revision}`;
}

function sameRoutes(a: readonly Route[], b: readonly Route[]): boolean {
  return (
    a.length === b.length &&
    a.every((route, index) => route.host === b[index]?.host && route.path === b[index]?.path)
  );
}
