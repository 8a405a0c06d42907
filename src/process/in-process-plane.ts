import type { Logger } from "pino";
import type { GatewaySettings, ListenAddress } from "../config/gateway-settings.ts";
import type { RevisedDocument } from "../gateway/app-table.ts";
import { Gateway } from "../gateway/gateway.ts";
import type { CheckFinding, HealthFinding, OutOfService, ServerStatus } from "../gateway/server-status.ts";
import type { Processes } from "../gateway/process-report.ts";
import type { TlsMaterial } from "../gateway/tls-material.ts";
import type { AppCounts, AppTotals } from "../gateway/group-totals.ts";
import type { AppTally } from "../fleet/roster.ts";
import { FoldedProcesses } from "./fold-processes.ts";
import { FoldedTallies } from "./fold-tallies.ts";
import { FoldedTotals } from "./fold-totals.ts";
import { openAccessLog } from "../telemetry/access-log.ts";
import { openTracer } from "../telemetry/open-tracer.ts";
import type { DataPlane } from "./data-plane.ts";
import { KnownFindings } from "./known-findings.ts";

/** `workers: 0`: this process carries the traffic itself. */
export class InProcessPlane implements DataPlane {
  readonly gateway: Gateway;
  private readonly folded = new FoldedTotals();
  private readonly tallies = new FoldedTallies();
  private readonly reports = new FoldedProcesses();
  private readonly findings = new KnownFindings();
  private readonly log: Pick<Logger, "info" | "warn" | "error">;
  private readonly onFinding: (finding: HealthFinding) => void;

  /** `onFinding`: told of what requests find out about servers, and of what is adopted. */
  constructor(
    settings: GatewaySettings,
    tls: TlsMaterial,
    log: Pick<Logger, "info" | "warn" | "error">,
    onFinding: (finding: HealthFinding) => void,
  ) {
    this.log = log;
    this.onFinding = onFinding;
    this.gateway = new Gateway(
      settings,
      {
        onFinding: (finding) => {
          this.findings.take(finding);
          onFinding(finding);
        },
        onError: (error) => log.error(error.message),
        openAccessLog,
        openTracer,
      },
      tls,
    );
    this.reports.begin(0);
  }

  get bound(): readonly ListenAddress[] {
    return this.gateway.bound;
  }

  get workers(): { running: number; expected: number } {
    return { running: 0, expected: 0 };
  }

  async start(apps: readonly RevisedDocument[]): Promise<readonly ListenAddress[]> {
    this.gateway.replaceApps(apps);
    for (const { document } of apps) this.tallies.follow(document);
    return this.gateway.listen();
  }

  putApp(app: RevisedDocument): Promise<void> {
    this.gateway.putApp(app);
    this.tallies.follow(app.document);
    return Promise.resolve();
  }

  deleteApp(name: string): Promise<void> {
    this.gateway.deleteApp(name);
    this.folded.forget(name);
    this.tallies.forget(name);
    this.findings.forget(name);
    return Promise.resolve();
  }

  async reconfigure(settings: GatewaySettings, workers: number, tls: TlsMaterial): Promise<void> {
    if (workers !== 0)
      throw new Error("gateway.workers cannot change from 0 to another number without a restart");
    await this.gateway.reconfigure(settings, tls);
  }

  async renewTls(tls: TlsMaterial): Promise<void> {
    await this.gateway.renewTls(tls);
  }

  adopt(finding: CheckFinding): void {
    this.findings.take(finding);
    this.gateway.adopt(finding);
    this.onFinding(finding);
  }

  servers(app: string): Promise<readonly ServerStatus[]> {
    return Promise.resolve(this.gateway.servers(app));
  }

  count(): Promise<readonly string[]> {
    const changed = this.gateway.takeNews();
    this.folded.take(0, changed);
    this.reports.take(0, this.gateway.report());
    for (const [app, report] of this.gateway.takeTallies()) this.tallies.take(app, report);
    return Promise.resolve([...new Set([...changed.keys(), ...this.tallies.news(Date.now())])]);
  }

  tally(app: string): AppTally | undefined {
    return this.tallies.tell(app, Date.now());
  }

  totals(app: string): AppTotals {
    return this.folded.of(app);
  }

  counts(app: string): AppCounts {
    return this.folded.counts(app);
  }

  outOfService(app: string): readonly OutOfService[] {
    return this.findings.of(app);
  }

  processes(): Processes {
    return this.reports.all();
  }

  destroy(): void {
    this.gateway.destroy();
  }

  async drain(): Promise<void> {
    const cut = await this.gateway.drain();
    if (cut > 0) this.log.warn({ connections: cut }, "drain time is over: connections were cut");
  }
}
