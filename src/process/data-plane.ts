import type { GatewaySettings, ListenAddress } from "../config/gateway-settings.ts";
import type { RevisedDocument } from "../gateway/app-table.ts";
import type { CheckFinding, OutOfService, ServerStatus } from "../gateway/server-status.ts";
import type { AppCounts, AppTotals } from "../gateway/group-totals.ts";
import type { AppTally } from "../fleet/roster.ts";
import type { Processes } from "../gateway/process-report.ts";
import type { TlsMaterial } from "../gateway/tls-material.ts";

/** The processes that carry traffic, as the supervisor sees them. */
export interface DataPlane {
  /** Resolves when traffic is taken; throws an Error for people when it cannot be (an address in use). */
  start(apps: readonly RevisedDocument[]): Promise<readonly ListenAddress[]>;
  /**
   * Resolves when every process has the app in force, however long that takes: one that is gone counts as having it, as
   * the next one starts with it.
   */
  putApp(app: RevisedDocument): Promise<void>;
  deleteApp(name: string): Promise<void>;
  /** Throws an Error for people and leaves the old settings in force when the new ones cannot be had. */
  reconfigure(settings: GatewaySettings, workers: number, tls: TlsMaterial): Promise<void>;
  /** Puts new TLS files in force for connections to come, in every process; throws, and keeps the old ones. */
  renewTls(tls: TlsMaterial): Promise<void>;
  /** Tells every process what the active check of a server found. */
  adopt(finding: CheckFinding): void;
  /** Servers of one app, the numbers of all processes added up. */
  servers(app: string): Promise<readonly ServerStatus[]>;
  /** Asks every process for its counters; resolves with the apps that have something new to tell. */
  count(): Promise<readonly string[]>;
  /** What was counted for the verdict on the app's release, as far as its windows are over; undefined: nothing. */
  tally(app: string): AppTally | undefined;
  /** What was last counted for the app, by group; what processes did that are gone is part of it. */
  totals(app: string): AppTotals;
  /** What was counted of its requests in the same time. */
  counts(app: string): AppCounts;
  /** Its servers that are out now, by traffic or by check. */
  outOfService(app: string): readonly OutOfService[];
  /** What the processes told of themselves when they were last asked. */
  processes(): Processes;
  readonly bound: readonly ListenAddress[];
  readonly workers: { readonly running: number; readonly expected: number };
  /** Lets requests under way end, then stops. */
  drain(): Promise<void>;
  /** Cuts everything at once. */
  destroy(): void;
}
