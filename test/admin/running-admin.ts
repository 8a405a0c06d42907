import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppStore } from "../../src/directory/app-store.ts";
import type { Directory } from "../../src/directory/directory.ts";
import { MemoryDirectory } from "../../src/directory/memory-directory.ts";
import { sumRising } from "../../src/gateway/process-report.ts";
import type { ServerStatus } from "../../src/gateway/server-status.ts";
import { Access } from "../../src/admin/access.ts";
import { startAdminServer } from "../../src/admin/admin-server.ts";
import { createAdminApi } from "../../src/admin/api.ts";
import { Audit } from "../../src/admin/audit.ts";
import { type EventFeed, feedEvents } from "../../src/admin/events/event-feed.ts";
import { EventHub, type EventHubOptions } from "../../src/admin/events/event-hub.ts";
import { LocalRoster } from "../../src/fleet/roster.ts";
import type { Readiness } from "../../src/admin/gateway-view.ts";
import type { TrafficSource } from "../../src/telemetry/app-facts.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { evidenceOf, releaseFactsOf } from "../../src/telemetry/release-facts.ts";
import { ReleaseDesk } from "./release-desk.ts";
import type { Role } from "../../src/admin/role.ts";
import { TokenBook } from "../../src/admin/token-book.ts";

/** An admin server for tests: real store, audit and sockets; the data plane says what the test tells it to. */
export interface RunningAdmin {
  readonly url: string;
  readonly folder: string;
  readonly store: AppStore;
  readonly audit: Audit;
  readonly releases: ReleaseDesk;
  readonly events: EventHub;
  readonly feed: EventFeed;
  readonly roster: LocalRoster;
  /** So many ms go by for the roster. */
  letPass(milliseconds: number): void;
  /** What was logged as a warning. */
  readonly warnings: string[];
  /** What the data plane reports; tests write to it. */
  readonly plane: {
    servers: ServerStatus[];
    readiness: Readiness;
    /** Apps whose servers were asked for, again and again. */
    readonly asked: string[];
    traffic: TrafficSource;
  };
  readonly access: Access;
  /** What tokens, sessions and delays go by; tests write to it. */
  readonly time: { now: number };
  /** The text of a new token. */
  newToken(name: string, role: Role): Promise<string>;
  readonly metrics: Metrics;
  /** With the token, unless the test gives another Authorization. */
  call(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

export const TEST_TOKEN: string = "test-token-0123456789";
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

function ignore(): void {}

/**
 * `data`: the folder that another one has used; a new one by default. It is removed at the end. What events wait for comes every
 * 20 ms, unless `pace` says otherwise.
 */
export async function runAdmin(
  directory: Directory = new MemoryDirectory(),
  data?: string,
  pace: Omit<EventHubOptions, "log"> = {},
): Promise<RunningAdmin> {
  const folder = data ?? (await mkdtemp(join(tmpdir(), "halftone-admin-")));
  const warnings: string[] = [];
  const warn = (...told: readonly unknown[]): void => void warnings.push(told.map(String).join(" "));
  const log = { info: ignore, warn, error: ignore };
  const store = await AppStore.open({ directory, backup: undefined, now: () => NOW, log });
  const audit = await Audit.open(folder);
  audit.follow(store);
  const releases = new ReleaseDesk(store, NOW);
  const plane: RunningAdmin["plane"] = {
    servers: [],
    asked: [],
    readiness: {
      ready: true,
      draining: false,
      workers: { running: 2, expected: 2 },
      listen: ["127.0.0.1:8080"],
    },
    traffic: {
      totals: () => ({}),
      counts: () => new Map(),
      outOfService: () => [],
      processes: () => ({ living: [], rising: sumRising([]) }),
    },
  };
  const time = { now: NOW };
  const now = (): number => time.now;
  const tokens = await TokenBook.open({ folder, admin: TEST_TOKEN, now });
  const access = new Access({ tokens, audit, now });
  const servers = (app: string): Promise<ServerStatus[]> => {
    plane.asked.push(app);
    return Promise.resolve(plane.servers.filter((server) => server.app === app));
  };
  let passed = 0;
  const roster = new LocalRoster(() => performance.now() + passed);
  const fleet = { roster, id: "1", digest: () => "" };
  const events = new EventHub({ turnEvery: 20, ...pace, log });
  const feed = feedEvents(events, { store, fleet, servers, log, now });
  const metrics = createMetrics({
    version: "0.0.0-test",
    directory: () => store.status(),
    apps: () => store.list(),
    differences: () => store.differences().length,
    workers: () => plane.readiness.workers,
    traffic: plane.traffic,
    release: (app) => releaseFactsOf(app, NOW),
    evidence: (app) => evidenceOf(roster, app),
    now: () => NOW,
  });
  const api = createAdminApi({
    store,
    audit,
    access,
    gateway: { servers, readiness: () => plane.readiness },
    fleet,
    events,
    metrics,
    releases,
    version: "0.0.0-test",
    now,
  });
  const listen = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const server = await startAdminServer({ listen, hosts: ["admin.example.com"], api });
  return {
    url: server.url,
    folder,
    store,
    audit,
    releases,
    events,
    feed,
    roster,
    letPass: (milliseconds) => void (passed += milliseconds),
    warnings,
    metrics,
    plane,
    access,
    time,
    async newToken(name, role) {
      const made = await tokens.create({ name, role }, "test");
      if (made.kind !== "created") throw new Error(`no token ${name}: ${made.kind}`);
      return made.text;
    },
    call(path, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TEST_TOKEN}`);
      return fetch(server.url + path, { ...init, headers });
    },
    async stop() {
      await server.close();
      await store.close();
      await audit.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
