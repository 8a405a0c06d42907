import type { WaitingFor } from "../core/release-waiting.ts";
import type { ReleaseStatus } from "../core/release-state.ts";
import type { ReleasePhase } from "../core/release-view.ts";
import type { Meter } from "../core/verdict/meter.ts";
import { compileApp } from "../config/compile-app.ts";
import type { StoredApp } from "../directory/directory.ts";
import type { AppCounts, AppTotals, GroupTotals } from "../gateway/group-totals.ts";
import type { Processes } from "../gateway/process-report.ts";
import type { OutOfService } from "../gateway/server-status.ts";

/** What the processes that carry traffic have counted, as of the last second. */
export interface TrafficSource {
  totals(app: string): AppTotals;
  counts(app: string): AppCounts;
  outOfService(app: string): readonly OutOfService[];
  processes(): Processes;
}

/** The last release of an app, as far as metrics tell of it. */
export interface ReleaseFacts {
  readonly status: ReleaseStatus;
  readonly phase: ReleasePhase;
  readonly waitingFor: WaitingFor;
  /** When the phase began, in ms since the epoch. */
  readonly since: number;
}

/** The evidence on the release that runs: meters as in `Verdict`. */
export interface EvidenceFacts {
  readonly unequal: Meter;
  readonly beyond: Meter;
  readonly notWorse: Meter;
}

/** All that is told of one app. */
export interface AppFacts {
  readonly name: string;
  readonly deploy: number;
  /** In per cent. */
  readonly share: number;
  readonly groups: readonly GroupFacts[];
  readonly release: ReleaseFacts | undefined;
  readonly evidence: EvidenceFacts | undefined;
}

interface GroupFacts {
  readonly name: string;
  readonly totals: GroupTotals;
  /** As of `group-meter.ts`; undefined: there was no traffic. */
  readonly row: Float64Array | undefined;
  readonly servers: Readonly<Record<"up" | "dead" | "quarantined", number>>;
  /** Those left out for a failure, and for how many seconds more. */
  readonly dieTimes: readonly (readonly [server: string, seconds: number])[];
}

const NO_TOTALS: GroupTotals = { requests: 0, failures: 0, errors: 0, inFlight: 0 };

/** `now` in ms since the epoch. */
export function factsOf(
  { name, document, revision }: StoredApp,
  traffic: TrafficSource,
  release: ReleaseFacts | undefined,
  evidence: EvidenceFacts | undefined,
  now: number,
): AppFacts {
  const { deploy = 0, share = 0, quarantine = [] } = document;
  const [totals, rows, out] = [traffic.totals(name), traffic.counts(name), traffic.outOfService(name)];
  // The addresses of servers in their canonical form are needed only where one of them is out.
  const idsOf =
    out.length + quarantine.length === 0
      ? undefined
      : new Map(
          compileApp(document, revision).groups.map((group) => [
            group.name,
            group.servers.map(({ id }) => id),
          ]),
        );
  const groups = Object.entries(document.groups).map(([group, { servers }]): GroupFacts => {
    const ids = idsOf?.get(group) ?? [];
    const quarantined = ids.filter((id) => quarantine.includes(id)).length;
    const outHere = out.filter(({ server }) => ids.includes(server) && !quarantine.includes(server));
    const dead = new Set(outHere.map(({ server }) => server)).size;
    return {
      name: group,
      totals: totals[group] ?? NO_TOTALS,
      row: rows.get(group),
      servers: { up: servers.length - dead - quarantined, dead, quarantined },
      dieTimes: outHere.flatMap((finding) =>
        finding.kind === "dead"
          ? [[finding.server, Math.max(0, finding.deadUntil - now) / 1000] as const]
          : [],
      ),
    };
  });
  const nowhere = rows.get("");
  if (nowhere !== undefined) {
    const servers = { up: 0, dead: 0, quarantined: 0 };
    groups.push({ name: "", totals: NO_TOTALS, row: nowhere, servers, dieTimes: [] });
  }
  return { name, deploy, share, groups, release, evidence };
}
