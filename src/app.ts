import { randomUUID } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import type { Operation } from "./admin/operation.ts";
import { Access } from "./admin/access.ts";
import { createAdminApi } from "./admin/api.ts";
import { startAdminServer, type AdminServer } from "./admin/admin-server.ts";
import { Audit } from "./admin/audit.ts";
import { openDashboard } from "./admin/dashboard.ts";
import { feedEvents } from "./admin/events/event-feed.ts";
import { EventHub } from "./admin/events/event-hub.ts";
import type { GatewayView } from "./admin/gateway-view.ts";
import { adminToken } from "./admin/token.ts";
import { TokenBook } from "./admin/token-book.ts";
import type { ListenAddress } from "./config/gateway-settings.ts";
import type { AppDocument } from "./config/app-document.ts";
import { compileApp } from "./config/compile-app.ts";
import { formatProblems } from "./config/format-problems.ts";
import type { GatewaySettings } from "./config/gateway-settings.ts";
import { parseHalftoneConfig, type HalftoneConfig } from "./config/halftone-config.ts";
import { loadAppFiles } from "./config/load-documents.ts";
import { unknownTlsOf } from "./config/unknown-tls.ts";
import { AppStore } from "./directory/app-store.ts";
import { Backup } from "./directory/backup.ts";
import { type ControllerOptions, ReleaseController } from "./release/controller.ts";
import { gatherFacts } from "./release/facts.ts";
import { noticeOfChange } from "./release/notice-of-change.ts";
import { Notifier } from "./release/notify.ts";
import { probeGroup } from "./release/probe-group.ts";
import { hookRunner } from "./release/run-hook.ts";
import { refuseUnderRelease } from "./release/guard-changes.ts";
import type { HookSettings } from "./config/hook-settings.ts";
import type { SignalSource } from "./config/signal-settings.ts";
import { OutsideCounts } from "./release/outside-counts.ts";
import { outsideSource } from "./release/outside-signals.ts";
import { StoredReleases } from "./release/stored-releases.ts";
import { liveRecords, ratesOf } from "./fleet/traffic.ts";
import { FleetMember } from "./fleet/member.ts";
import { openShared } from "./fleet/open-shared.ts";
import { AddressGuard } from "./gateway/address-guard.ts";
import { HealthChecker } from "./gateway/health-checker.ts";
import { listenText } from "./gateway/listener.ts";
import type { HealthFinding } from "./gateway/server-status.ts";
import { ServerTlsTable } from "./gateway/tls-servers.ts";
import type { DataPlane } from "./process/data-plane.ts";
import { InProcessPlane } from "./process/in-process-plane.ts";
import { signSupervisor } from "./process/supervisor-mark.ts";
import { TlsKeeper } from "./process/tls-keeper.ts";
import { WorkerPlane } from "./process/worker-plane.ts";
import { VERSION } from "./version.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { evidenceOf, releaseFactsOf } from "./telemetry/release-facts.ts";

/** How long a change waits for the processes that carry traffic, in ms; one that is slower follows when it can. */
const APPLY_TIME = 5000;

type Log = Pick<Logger, "info" | "warn" | "error">;

/** Something people wrote cannot be put in force. The message says what, where and what stays. */
class Refused extends Error {
  override readonly name = "Refused";
}

/** A running gateway with its admin API. */
export interface Halftone {
  /** Addresses that take traffic, ports filled in. */
  readonly listen: readonly string[];
  readonly adminUrl: string;
  /** Bearer token of the admin API. */
  readonly token: string;
  readonly store: AppStore;
  readonly plane: DataPlane;
  /** Reads the configuration again. Throws `Refused` and leaves everything as it was when it is not valid. */
  reload(): Promise<void>;
  /** Drains and stops. */
  stop(): Promise<void>;
}

/** Reads and checks `halftone.yaml`; throws `Refused` with every problem of it. */
async function readConfig(path: string): Promise<HalftoneConfig> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new Refused(`${path} cannot be read: ${(error as Error).message}`);
  }
  const parsed = parseHalftoneConfig(text, dirname(path));
  if (!parsed.ok) throw new Refused(`${path} is refused:\n${formatProblems(parsed.problems).join("\n")}`);
  return parsed.value;
}

/**
 * The composition root: starts every part of a gateway from one configuration file. `more`: operations of the admin API
 * beside its own.
 */
export async function startHalftone(
  configPath: string,
  log: Log,
  more: readonly Operation[] = [],
): Promise<Halftone> {
  const config = await readConfig(configPath);
  const documents = await readAppFiles(config);
  const tls = new TlsKeeper(log);
  try {
    await tls.take(config.gateway, () => Promise.resolve());
  } catch (error) {
    throw new Refused(`${configPath} is refused:\n${(error as Error).message}`);
  }
  await mkdir(config.data, { recursive: true });
  const mark = signSupervisor(config.data);
  try {
    return await startSigned(configPath, config, { documents, tls, more }, mark, log);
  } catch (error) {
    // After a crash the mark stays: workers of that time may still be waiting for a successor.
    if (!mark.followsCrash) mark.release();
    throw error;
  }
}

async function startSigned(
  configPath: string,
  config: HalftoneConfig,
  {
    documents,
    tls,
    more,
  }: {
    readonly documents: readonly AppDocument[];
    readonly tls: TlsKeeper;
    readonly more: readonly Operation[];
  },
  mark: ReturnType<typeof signSupervisor>,
  log: Log,
): Promise<Halftone> {
  let current = config;
  let wanted = documents;
  /** Those of them that the directory could not be asked for yet. All others were offered once: some were deleted since. */
  let unoffered = documents;
  const { directory, roster } = await openShared(config, documents);
  const store: AppStore = await AppStore.open({
    directory,
    // Memory forgets: a backup would remember for it.
    backup: config.directory.kind === "memory" ? undefined : new Backup(config.backup),
    now: Date.now,
    log,
    allowServers: () => current.gateway.allowServers,
    guard: refuseUnderRelease,
    lastResort: documents,
    onReachable: () => seedLater(),
  });
  const seedLater = (): void => {
    offer(unoffered).catch((error: unknown) => log.error({ err: error }, "apps could not be stored"));
  };
  const offer = async (documents: readonly AppDocument[]): Promise<void> => {
    unoffered = await seed(store, documents, log);
  };
  const audit = await Audit.open(config.data);
  const token = await adminToken({
    folder: config.data,
    ...(config.admin.token === undefined ? {} : { configured: config.admin.token }),
  });
  const tokens = await TokenBook.open({ folder: config.data, admin: token.token, now: Date.now });
  if (tokens.damage !== undefined) {
    log.error(
      `${tokens.damage}; it stays as it is, and the token admin alone is known until that is repaired`,
    );
  }
  audit.follow(store);
  if (store.status().state === "current") await offer(documents);

  const workers = workerCount(config.workers);
  // Reserved from the start, so that no request gets to the admin API before it is known where it really listens.
  let reserved: readonly ListenAddress[] = [config.admin.listen];
  const settings = { ...config.gateway, reserved };
  const id = randomUUID();
  const fleet = { roster, id, digest: (): string => member.digest };
  const events = new EventHub({ log });
  const feed = feedEvents(events, {
    store,
    fleet,
    servers: (app) => plane.servers(app),
    log,
    now: Date.now,
  });
  const noteFinding = ({ app }: HealthFinding): void => feed.noteServers(app);
  const plane: DataPlane =
    workers === 0
      ? new InProcessPlane(settings, tls.material, log, noteFinding)
      : new WorkerPlane(settings, tls.material, workers, mark, log, noteFinding);
  const addressGuard = (): AddressGuard =>
    new AddressGuard([...plane.bound, ...reserved], current.gateway.allowServers);
  const checker = new HealthChecker(
    (finding) => {
      const { app, server, healthy, error } = finding;
      if (healthy) log.info({ app, server }, "server is healthy again");
      else log.warn({ app, server, error }, "server is unhealthy: it is left out");
      plane.adopt(finding);
    },
    addressGuard,
    new ServerTlsTable(config.gateway.serverTls, tls.material),
  );
  let draining = false;
  let adminUrl = "";
  const startedAt = new Date().toISOString();
  const isReady = (): boolean => !draining && (workers === 0 || plane.workers.running > 0);
  const member = new FleetMember({
    roster,
    report: () => ({
      name: config.name,
      id,
      version: VERSION,
      startedAt,
      listen: plane.bound.map(listenText),
      admin: adminUrl,
      ready: isReady(),
      directory: store.status().state,
    }),
    count: () => plane.count(),
    totals: (app) => plane.totals(app),
    counts: (app) => plane.counts(app),
    tally: (app) => plane.tally(app),
    differing: () => new Set(store.differences().map(({ name }) => name)),
    onFailures: (app) => feed.noteServers(app),
    log,
  });
  // Before the start: a change that comes while the workers start must reach them too.
  const changed = new Set<string>();
  store.subscribe(async ({ name, after }) => {
    changed.add(name);
    let applied: Promise<void>;
    if (after === undefined) {
      checker.forget(name);
      applied = plane.deleteApp(name);
    } else {
      tellUnknownTls([after.document], current.gateway, log);
      applied = plane.putApp(after);
      checker.follow(compileApp(after.document, after.revision));
    }
    const told = applied.then(() => member.inForce(name, after?.revision));
    // A worker that is stuck must not hold up every other change; the fleet is told only when it has followed.
    await Promise.race([told, setTimeout(APPLY_TIME, undefined, { ref: false })]);
  });
  tellUnknownTls(
    store.list().map(({ document }) => document),
    config.gateway,
    log,
  );
  const first = store.list();
  await plane.start(first);
  tls.watch(async (material) => {
    const serverTls = new ServerTlsTable(current.gateway.serverTls, material);
    await plane.renewTls(material);
    checker.serverTls = serverTls;
  });
  for (const { document, revision } of store.list()) checker.follow(compileApp(document, revision));

  // What was changed since is told when it is confirmed, like every change.
  for (const { name, revision } of first) if (!changed.has(name)) member.inForce(name, revision);

  const facts: ControllerOptions["facts"] = (document, freeze) =>
    gatherFacts(
      {
        servers: (app) => plane.servers(app),
        rate: async (app) =>
          [...ratesOf(await liveRecords(roster, app)).values()].reduce((sum, rate) => sum + rate, 0),
      },
      document,
      freeze,
      Date.now(),
    );
  const hooks = (): readonly HookSettings[] => current.hooks;
  const signals = (): readonly SignalSource[] => current.signals;
  const releases = new StoredReleases({ store, facts, hooks, signals, now: Date.now });
  let notifier = new Notifier(config.notify, log);
  store.subscribe((change) => {
    const notice = noticeOfChange(change);
    if (notice !== undefined) notifier.send(notice);
  });
  const view: GatewayView = {
    servers: (app) => plane.servers(app),
    readiness: () => ({
      ready: isReady(),
      draining,
      workers: plane.workers,
      listen: plane.bound.map(listenText),
    }),
  };
  const metrics = createMetrics({
    version: VERSION,
    directory: () => store.status(),
    apps: () => store.list(),
    differences: () => store.differences().length,
    workers: () => plane.workers,
    traffic: plane,
    release: (app) => releaseFactsOf(app, Date.now()),
    evidence: (app) => evidenceOf(roster, app),
    now: Date.now,
  });
  const api = createAdminApi({
    store,
    audit,
    access: new Access({ tokens, audit, now: Date.now }),
    gateway: view,
    releases,
    dashboard: await openDashboard(),
    fleet,
    more,
    events,
    metrics,
    version: VERSION,
    now: Date.now,
  });
  let admin: AdminServer;
  try {
    const { listen, hosts } = config.admin;
    admin = await startAdminServer({ listen, hosts, api });
  } catch (error) {
    await plane.drain();
    throw new Refused(`admin.listen: ${(error as Error).message}`);
  }
  if (listenText(admin.bound) !== listenText(config.admin.listen)) {
    reserved = [admin.bound];
    await plane.reconfigure({ ...config.gateway, reserved }, workers, tls.material);
  }
  adminUrl = admin.url;
  member.start();
  // Only now: a gateway that does not come up, as its ports are taken, must not begin a hook before it ends.
  const controller = new ReleaseController({
    store,
    locks: directory.locks,
    roster,
    gateway: config.name,
    hooks,
    runner: hookRunner(),
    probe: (app, { servers }, onRound) =>
      probeGroup({ app, servers, guard: addressGuard, serverTls: () => checker.serverTls }, onRound),
    facts,
    outside: (names) =>
      new OutsideCounts(
        signals()
          .filter(({ name }) => names.includes(name))
          .map((source) => outsideSource(source)),
      ),
    log,
    now: Date.now,
  });
  log.info(
    { gateway: plane.bound.map(listenText), admin: admin.url, apps: store.list().length },
    "listening",
  );

  if (token.made) {
    log.info(
      { dashboard: `${admin.url}/?token=${token.token}`, file: token.path },
      "an admin token was made; it is shown this once",
    );
  }

  const takeOver = async (): Promise<void> => {
    const next = await readConfig(configPath);
    const documents = await readAppFiles(next);
    refuseRestartOnly(configPath, current, next);
    refuseOtherBase(configPath, next, wanted, documents);
    try {
      await tls.take(next.gateway, async (material) => {
        const serverTls = new ServerTlsTable(next.gateway.serverTls, material);
        const settings = { ...next.gateway, reserved };
        await plane.reconfigure(settings, workerCount(next.workers), material);
        checker.serverTls = serverTls;
      });
    } catch (error) {
      throw new Refused(`${configPath} is refused: ${(error as Error).message}`);
    }
    if (!isDeepStrictEqual(current.notify, next.notify)) {
      notifier.stop();
      notifier = new Notifier(next.notify, log);
    }
    current = next;
    wanted = documents;
    await offer(documents);
    await store.reload();
    tellUnknownTls(
      store.list().map(({ document }) => document),
      next.gateway,
      log,
    );
  };
  /** Who moved the access log away wants another one, whatever is wrong with the configuration. */
  const reopenLog = async (): Promise<void> => {
    if (current.gateway.accessLog === undefined) return;
    const settings = { ...current.gateway, reserved };
    await plane
      .reconfigure(settings, workerCount(current.workers), tls.material)
      .catch((error: unknown) => log.error((error as Error).message));
  };

  return {
    listen: plane.bound.map(listenText),
    adminUrl: admin.url,
    token: token.token,
    store,
    plane,
    async reload(): Promise<void> {
      try {
        await takeOver();
      } catch (error) {
        await reopenLog();
        throw error;
      }
    },
    async stop(): Promise<void> {
      draining = true;
      await controller.stop();
      notifier.stop();
      checker.stop();
      tls.stop();
      await plane.drain();
      // Only now: until here the others have to wait for what is in flight.
      await member.stop();
      await admin.close();
      await store.close();
      await audit.close();
      mark.release();
    },
  };
}

/** Apps that name a way to speak TLS which this gateway does not have: it answers for them with `tls_unknown`. */
function tellUnknownTls(documents: readonly AppDocument[], settings: GatewaySettings, log: Log): void {
  for (const { name, problem } of unknownTlsOf(documents, settings)) {
    log.error({ app: name }, `its requests are answered 503: ${formatProblems([problem]).join("")}`);
  }
}

/** `auto`: a core is left to the supervisor, so that its work never delays a request. */
function workerCount(workers: number | "auto"): number {
  return workers === "auto" ? Math.max(1, availableParallelism() - 1) : workers;
}

/** Reads every app file; throws `Refused` with all problems of all files. */
async function readAppFiles(config: HalftoneConfig): Promise<readonly AppDocument[]> {
  const { documents, problems } = await loadAppFiles(config);
  if (problems.length === 0) return documents.map(({ document }) => document);
  throw new Refused(
    problems
      .map(({ file, problems }) => `${file} is refused:\n${formatProblems(problems).join("\n")}`)
      .join("\n"),
  );
}

/** Puts those apps into the directory that it does not hold. Returns those for which it could not be asked. */
async function seed(
  store: AppStore,
  documents: readonly AppDocument[],
  log: Log,
): Promise<readonly AppDocument[]> {
  const { stored, deleted, refused } = await store.seed(documents, "start");
  if (stored.length > 0) log.info({ apps: stored.map(({ name }) => name) }, "apps put into the directory");
  if (deleted.length > 0) {
    log.warn(
      { apps: deleted },
      "apps of the configuration stay deleted; halftone app apply brings them back",
    );
  }
  for (const { name, result } of refused) {
    const why =
      result.kind === "invalid"
        ? formatProblems(result.problems).join("\n")
        : result.kind === "unavailable"
          ? result.reason
          : result.kind;
    log.error(`app ${name} of the configuration is refused, the others stay: ${why}`);
  }
  const unasked = new Set(
    refused.filter(({ result }) => result.kind === "unavailable").map(({ name }) => name),
  );
  return documents.filter(({ name }) => unasked.has(name));
}

function refuseRestartOnly(path: string, current: HalftoneConfig, next: HalftoneConfig): void {
  const changed = (["name", "admin", "data", "directory", "backup"] as const).filter(
    (key) => JSON.stringify(current[key]) !== JSON.stringify(next[key]),
  );
  if (changed.length === 0) return;
  throw new Refused(`${path} is refused: ${changed.join(", ")} cannot change without a restart`);
}

/** With the original's layout the files are part of every document: a change of theirs has no revision. */
function refuseOtherBase(
  path: string,
  { directory }: HalftoneConfig,
  before: readonly AppDocument[],
  after: readonly AppDocument[],
): void {
  if (directory.kind !== "redis" || directory.target.layout !== "original") return;
  if (isDeepStrictEqual(before, after)) return;
  throw new Refused(
    `${path} is refused: the files of apps cannot change without a restart while the directory has the original layout`,
  );
}
