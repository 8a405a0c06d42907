import type { App, CheckPolicy, Group, Route, TesterRule, Testers } from "../core/app.ts";
import { addressSet } from "./address-set.ts";
import type { AppDocument, CheckDocument } from "./app-document.ts";
import { parseDuration } from "./duration.ts";
import { DEFAULT_PORT, serverOf } from "./server-address.ts";

/** Retries a second that are allowed whatever the budget says: without them a quiet app could never retry. */
const RETRY_BUDGET_FLOOR = 3;

/**
 * The request path's form of a checked document: defaults filled in, durations in ms, addresses parsed.
 * Throws only for a document that `parseAppDocument` would have refused.
 */
export function compileApp(document: AppDocument, revision: number): App {
  const { health = {}, retry = {} } = document;
  return {
    name: document.name,
    revision,
    draw: document.draw ?? "",
    routes: compileRoutes(document),
    tls: document.tls ?? false,
    groups: compileGroups(document),
    deploy: document.deploy ?? 0,
    testing: document.testing ?? true,
    share: document.share ?? 0,
    testers: compileTesters(document),
    stickiness: (document.stickiness ?? ["address" as const]).map((source) => {
      if (source === "address") return { kind: "address" };
      if ("cookie" in source) return { kind: "cookie", name: source.cookie };
      return { kind: "header", name: source.header.toLowerCase() };
    }),
    balance: document.balance ?? "roundRobin",
    health: {
      maxFails: health.maxFails ?? 1,
      dieTime: duration(health.dieTime ?? "10s"),
      maxDieTime: duration(health.maxDieTime ?? "300s"),
      slowStart: duration(health.slowStart ?? "0ms"),
    },
    check: compileCheck(health.check),
    retry: {
      tries: retry.tries ?? 2,
      budget: retry.budget ?? 20,
      budgetFloor: RETRY_BUDGET_FLOOR,
      on: retry.on ?? [],
    },
    proxyProtocol: document.proxyProtocol,
    testersFallBack: document.testersFallBack ?? false,
    emergencySpill: document.emergencySpill ?? false,
    upgrades: (document.upgrades ?? ["websocket"]).map((protocol) => protocol.toLowerCase()),
    expose: document.expose ?? false,
    tally: document.tally && {
      release: document.draw ?? "",
      window: duration(document.tally.window),
      slower: document.tally.slower,
    },
  };
}

function compileCheck(written: CheckDocument | undefined): CheckPolicy | undefined {
  if (written === undefined) return undefined;
  const { path, interval = "2s", timeout = interval, expect = 200, healthy = 2, unhealthy = 3 } = written;
  return {
    path,
    interval: duration(interval),
    timeout: duration(timeout),
    expect: typeof expect === "number" ? [expect] : expect,
    healthy,
    unhealthy,
  };
}

/** Of the compiled app, what it claims alone: compiling its servers costs far more. */
export function compileRoutes({ routes = [{}] }: AppDocument): readonly Route[] {
  return routes.map(({ host = "*", path = "/" }) => ({ host, path }));
}

/** Weights are whole numbers: where a group has a part of its own, those of all groups are counted in hundredths. */
function compileGroups({
  groups,
  port = DEFAULT_PORT,
  standby = [],
  ramp,
  quarantine = [],
}: AppDocument): readonly Group[] {
  return Object.entries(groups).map(([name, { weight = 1, servers }]) => ({
    name,
    standby: standby.includes(name),
    servers: servers.map((written) => {
      const server = serverOf(written, { port, weight });
      if (server === undefined) throw new Error(`not a server address: ${JSON.stringify(written)}`);
      const { id, target } = server;
      const part = quarantine.includes(id) ? 0 : ramp === undefined ? 1 : (ramp[name] ?? 100);
      return { id, target, weight: server.weight * part };
    }),
  }));
}

function compileTesters(document: AppDocument): Testers {
  const addresses: string[] = [];
  const rules: TesterRule[] = [];
  for (const tester of document.testers ?? []) {
    if (typeof tester === "string") addresses.push(tester);
    else if ("header" in tester) {
      rules.push({ kind: "header", name: tester.header.toLowerCase(), equals: tester.equals });
    } else if ("cookie" in tester) {
      rules.push({ kind: "cookie", name: tester.cookie, equals: tester.equals });
    } else rules.push({ kind: "certificate", name: tester.certificate, equals: tester.equals });
  }
  return { addresses: addressSet(addresses), rules };
}

function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new Error(`not a duration: ${text}`);
  return milliseconds;
}
