import type { Server } from "../core/app.ts";
import { newHealth, type Health, type HealthEpoch } from "../core/health.ts";
import type { Member } from "../core/pool.ts";
import type { GroupMeter } from "./group-meter.ts";
import type { ServerTlsProfile } from "./tls-servers.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/** Idle connections kept per server and process; what comes back beyond that is closed. */
const MAX_IDLE = 256;

/**
 * One server of one app as this process knows it: its health, its counters and its idle connections. It outlives the
 * compiled apps that name it, so that a change of the document forgets nothing.
 */
export class UpstreamServer implements Member {
  readonly app: string;
  /** Group and weight follow the newest document; pools of older snapshots keep the weights they were built with. */
  group: string;
  meter: GroupMeter;
  server: Server;
  readonly health: Health;
  inFlight = 0;
  requests = 0;
  failures = 0;
  /** Answers 5xx that are no failed tries. */
  errors = 0;
  lastError: string | undefined;
  /** That its address is refused was told already. */
  refusalTold = false;
  private readonly idle: UpstreamConnection[] = [];
  private retired = false;
  private session: { readonly profile: ServerTlsProfile; readonly ticket: Buffer } | undefined;

  constructor(app: string, group: string, server: Server, meter: GroupMeter, epoch: HealthEpoch) {
    this.app = app;
    this.group = group;
    this.meter = meter;
    this.server = server;
    this.health = newHealth(epoch);
  }

  /**
   * The connection used last: the others grow old and are closed by their deadline. One that was made by another
   * profile (the app asks for TLS now, or the authorities are others) was verified by what no longer holds.
   */
  takeIdle(profile: ServerTlsProfile | undefined): UpstreamConnection | undefined {
    let connection = this.idle.pop();
    while (connection !== undefined && connection.profile !== profile) {
      connection.destroy();
      connection = this.idle.pop();
    }
    return connection;
  }

  /** The TLS session to resume, if it was begun under the same profile: resuming one verifies nothing anew. */
  sessionOf(profile: ServerTlsProfile): Buffer | undefined {
    return this.session?.profile === profile ? this.session.ticket : undefined;
  }

  keepSession(profile: ServerTlsProfile, ticket: Buffer): void {
    this.session = { profile, ticket };
  }

  /** False when the connection is not wanted and has to be closed. */
  putIdle(connection: UpstreamConnection): boolean {
    if (this.retired || this.idle.length >= MAX_IDLE) return false;
    this.idle.push(connection);
    return true;
  }

  removeIdle(connection: UpstreamConnection): void {
    const index = this.idle.lastIndexOf(connection);
    if (index >= 0) this.idle.splice(index, 1);
  }

  /** No document names this server any more: requests in flight end, nothing is kept for later ones. */
  retire(): void {
    this.retired = true;
    this.closeIdle();
  }

  closeIdle(): void {
    for (const connection of this.idle.splice(0)) connection.destroy();
  }
}
