import type { App, CheckPolicy, Server } from "../core/app.ts";
import { countCheck, newCheckStreak, type CheckStreak } from "../core/check-streak.ts";
import type { AddressGuard } from "./address-guard.ts";
import { checkServer } from "./check-server.ts";
import type { CheckFinding } from "./server-status.ts";
import { NO_TLS } from "./tls-material.ts";
import { ServerTlsTable } from "./tls-servers.ts";

interface Watched {
  readonly app: string;
  readonly server: Server;
  readonly policy: CheckPolicy;
  /** How the server is spoken to, as in `App`. */
  readonly tls: boolean | string;
  readonly proxyProtocol: App["proxyProtocol"];
  readonly streak: CheckStreak;
  stopped: boolean;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Active checks: asks every server of every app that wants it, and tells when one changes sides. One per gateway, in
 * the process that carries no traffic, so that a server is asked once and not once per worker.
 */
export class HealthChecker {
  private readonly watched = new Map<string, Watched>();
  private readonly onFinding: (finding: CheckFinding) => void;
  /** Replaced as a whole by new settings or files. */
  serverTls: ServerTlsTable;
  private readonly guard: () => AddressGuard;

  /** `guard`: the one in force, asked for each check. */
  constructor(
    onFinding: (finding: CheckFinding) => void,
    guard: () => AddressGuard,
    serverTls: ServerTlsTable = new ServerTlsTable({}, NO_TLS),
  ) {
    this.onFinding = onFinding;
    this.guard = guard;
    this.serverTls = serverTls;
  }

  /** Follows a newer version of an app: what stays the same keeps its streak. */
  follow(app: App): void {
    const policy = app.check;
    const wanted = new Map<string, Server>();
    if (policy !== undefined) {
      for (const group of app.groups)
        for (const server of group.servers) wanted.set(keyOf(app.name, server), server);
    }
    for (const [key, watched] of this.watched) {
      if (watched.app !== app.name) continue;
      const same = wanted.has(key) && watched.tls === app.tls && watched.proxyProtocol === app.proxyProtocol;
      if (same && samePolicy(watched.policy, policy!)) wanted.delete(key);
      else this.drop(key, watched);
    }
    for (const [key, server] of wanted) {
      const streak = newCheckStreak();
      const watched: Watched = {
        app: app.name,
        server,
        policy: policy!,
        tls: app.tls,
        proxyProtocol: app.proxyProtocol,
        streak,
        stopped: false,
        timer: undefined,
      };
      this.watched.set(key, watched);
      // Spread over the interval, so that a thousand servers are not asked in the same millisecond.
      this.schedule(watched, Math.random() * watched.policy.interval);
    }
  }

  forget(app: string): void {
    for (const [key, watched] of this.watched) if (watched.app === app) this.drop(key, watched);
  }

  stop(): void {
    for (const watched of this.watched.values()) halt(watched);
    this.watched.clear();
  }

  /** A server that is no longer checked counts as healthy again: traffic judges it from now on. */
  private drop(key: string, watched: Watched): void {
    this.watched.delete(key);
    halt(watched);
    if (!watched.streak.healthy) this.tell(watched, true, "");
  }

  private schedule(watched: Watched, wait: number): void {
    watched.timer = setTimeout(() => {
      const { server, policy, tls, proxyProtocol } = watched;
      const check = { ...policy, tls, proxyProtocol };
      void checkServer(server.target, check, this.guard(), this.serverTls).then((error) => {
        if (watched.stopped) return;
        const good = error === undefined;
        if (countCheck(watched.streak, good, watched.policy)) this.tell(watched, good, error ?? "");
        this.schedule(watched, watched.policy.interval);
      });
    }, wait);
    watched.timer.unref();
  }

  private tell(watched: Watched, healthy: boolean, error: string): void {
    this.onFinding({ kind: "check", app: watched.app, server: watched.server.id, healthy, error });
  }
}

function halt(watched: Watched): void {
  watched.stopped = true;
  clearTimeout(watched.timer);
}

function keyOf(app: string, server: Server): string {
  return `${app} ${server.id}`;
}

function samePolicy(a: CheckPolicy, b: CheckPolicy): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
