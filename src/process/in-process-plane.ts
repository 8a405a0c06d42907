import type { Logger } from "pino";
import type { GatewaySettings, ListenAddress } from "../config/gateway-settings.ts";
import type { RevisedDocument } from "../gateway/app-table.ts";
import { Gateway } from "../gateway/gateway.ts";
import type { CheckFinding, HealthFinding, ServerStatus } from "../gateway/server-status.ts";
import type { TlsMaterial } from "../gateway/tls-material.ts";
import type { AppTotals } from "../gateway/group-totals.ts";
import type { AppTally } from "../fleet/roster.ts";
import { FoldedTallies } from "./fold-tallies.ts";
import { FoldedTotals } from "./fold-totals.ts";
import type { DataPlane } from "./data-plane.ts";

/** `workers: 0`: this process carries the traffic itself. */
export class InProcessPlane implements DataPlane {
  readonly gateway: Gateway;
  private readonly folded = new FoldedTotals();
  private readonly tallies = new FoldedTallies();
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
    this.gateway = new Gateway(settings, { onFinding, onError: (error) => log.error(error.message) }, tls);
  }

  get bound(): readonly ListenAddress[] {
    return this.gateway.bound;
  }

  get workers(): { running: number; expected: number } {
    return { running: 0, expected: 0 };
  }

  async start(apps: readonly RevisedDocument[]): Promise<readonly ListenAddress[]> {
    this.gateway.replaceApps(apps);
    return this.gateway.listen();
  }

  putApp(app: RevisedDocument): Promise<void> {
    this.gateway.putApp(app);
    return Promise.resolve();
  }

  deleteApp(name: string): Promise<void> {
    this.gateway.deleteApp(name);
    this.folded.forget(name);
    this.tallies.forget(name);
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
    this.gateway.adopt(finding);
    this.onFinding(finding);
  }

  servers(app: string): Promise<readonly ServerStatus[]> {
    return Promise.resolve(this.gateway.servers(app));
  }

  count(): Promise<readonly string[]> {
    const changed = this.gateway.changedTotals();
    this.folded.take(0, changed);
    for (const [app, report] of this.gateway.takeTallies()) this.tallies.take(app, report);
    return Promise.resolve([...new Set([...changed.keys(), ...this.tallies.news(Date.now())])]);
  }

  tally(app: string): AppTally | undefined {
    return this.tallies.tell(app, Date.now());
  }

  totals(app: string): AppTotals {
    return this.folded.of(app);
  }

  destroy(): void {
    this.gateway.destroy();
  }

  async drain(): Promise<void> {
    const cut = await this.gateway.drain();
    if (cut > 0) this.log.warn({ connections: cut }, "drain time is over: connections were cut");
  }
}
