import { createHash } from "node:crypto";
import { DirectoryUnavailable } from "../directory/directory.ts";
import type { Log } from "../directory/log.ts";
import type { AppCounts, AppTotals } from "../gateway/group-totals.ts";
import { TrafficRates } from "./rates.ts";
import { RecentLatencies } from "./recent-latencies.ts";
import type { AppRecord, AppTally, GatewayReport, Roster } from "./roster.ts";

const BEAT_EVERY = 1000;

export interface MemberOptions {
  readonly roster: Roster;
  /** What the gateway says of itself, but for what the member counts. */
  readonly report: () => Omit<GatewayReport, "apps" | "digest" | "inFlight">;
  /** Reads the counters of every process anew; resolves with the apps whose numbers changed. */
  readonly count: () => Promise<readonly string[]>;
  readonly totals: (app: string) => AppTotals;
  /** Default: none. */
  readonly counts?: (app: string) => AppCounts;
  /** What was counted for the verdict on the app's release. */
  readonly tally: (app: string) => AppTally | undefined;
  /** Apps of which the directory holds something else than what is in force here. */
  readonly differing: () => ReadonlySet<string>;
  /** Tries for the app have failed since it was counted last. Default: nobody is told. */
  readonly onFailures?: (app: string) => void;
  readonly log: Log;
  /** Ms, default 1000. */
  readonly beatEvery?: number;
}

/**
 * This gateway as one of those of its directory: tells them once a second how it is, and at once when a revision is in force
 * here. What cannot be told is told later: traffic never waits for it.
 */
export class FleetMember {
  readonly #options: MemberOptions;
  readonly #revisions = new Map<string, number>();
  readonly #digest = new RevisionsDigest();
  readonly #rates = new TrafficRates();
  readonly #latencies = new RecentLatencies();
  /** Requests and tunnels that are with servers, of apps that have any. */
  readonly #flying = new Map<string, number>();
  /** Tries that have failed, of apps of which any has. */
  readonly #failed = new Map<string, number>();
  /** Apps of which the roster has to be told. */
  #untold = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #beat: Promise<void> = Promise.resolve();
  #waiting = false;
  #stopped = false;
  /** Everything is to be told, as if nothing had been before. */
  #anew = true;
  /** When the counters were read last, in ms. */
  #countedAt = performance.now();
  #differing: ReadonlySet<string> = new Set();

  constructor(options: MemberOptions) {
    this.#options = options;
  }

  /** As in `GatewayReport`. */
  get digest(): string {
    return this.#digest.text;
  }

  start(): void {
    const { beatEvery = BEAT_EVERY } = this.#options;
    this.#timer = setInterval(() => this.#beatSoon(), beatEvery).unref();
    this.#beatSoon();
  }

  /** A revision is in force in every process here; undefined: the app is gone. Told at once. */
  inForce(app: string, revision: number | undefined): void {
    this.#digest.change(app, this.#revisions.get(app), revision);
    if (revision === undefined) {
      this.#revisions.delete(app);
      this.#failed.delete(app);
      this.#rates.forget(app);
      this.#latencies.forget(app);
    } else this.#revisions.set(app, revision);
    this.#untold.add(app);
    if (this.#timer !== undefined) this.#beatSoon();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#beat;
    const { roster, report } = this.#options;
    // Out of reach: the lease ends by itself.
    await roster.leave(report().id).catch(() => undefined);
  }

  /** One beat at a time; those that come due meanwhile are one. */
  #beatSoon(): void {
    if (this.#waiting || this.#stopped) return;
    this.#waiting = true;
    this.#beat = this.#beat.then(async () => {
      this.#waiting = false;
      await this.#tell();
    });
  }

  async #tell(): Promise<void> {
    const { roster, report, count, totals, counts, tally, differing, log } = this.#options;
    const untold = this.#untold;
    this.#untold = new Set();
    const countedBefore = this.#countedAt;
    this.#countedAt = performance.now();
    try {
      for (const app of [...(await count()), ...this.#rates.moving(), ...this.#latencies.moving()])
        untold.add(app);
      const before = this.#differing;
      const differs = (this.#differing = differing());
      for (const app of [...before, ...differs]) if (before.has(app) !== differs.has(app)) untold.add(app);
      const anew = this.#anew;
      if (anew) for (const app of this.#revisions.keys()) untold.add(app);
      const changed = new Map<string, AppRecord>();
      for (const app of untold) {
        const revision = this.#revisions.get(app) ?? null;
        const groups = totals(app);
        this.#noteFlying(app, groups);
        this.#noteFailures(app, groups);
        const rates =
          revision === null
            ? { rates: {}, failureRates: {} }
            : this.#rates.measure(app, groups, performance.now(), countedBefore);
        const latencies =
          revision === null || counts === undefined
            ? undefined
            : this.#latencies.measure(app, counts(app), performance.now());
        const counted = revision === null ? undefined : tally(app);
        changed.set(app, {
          revision,
          groups,
          ...rates,
          ...(differs.has(app) && { differs: true }),
          ...(latencies !== undefined && { latencies }),
          ...(counted !== undefined && { tally: counted }),
        });
      }
      const whole = {
        ...report(),
        apps: this.#revisions.size,
        digest: this.#digest.text,
        inFlight: [...this.#flying.values()].reduce((sum, flying) => sum + flying, 0),
      };
      this.#anew = !(await roster.beat(whole, changed, anew));
    } catch (error) {
      for (const app of untold) this.#untold.add(app);
      // Some of it may have been told.
      this.#anew = true;
      if (!(error instanceof DirectoryUnavailable))
        log.error({ err: error }, "the other gateways could not be told");
    }
  }

  /** Only of apps whose numbers changed: to add up thousands with every beat would hold up the changes that wait for it. */
  #noteFlying(app: string, groups: AppTotals): void {
    const flying = Object.values(groups).reduce((sum, { inFlight }) => sum + inFlight, 0);
    if (flying === 0) this.#flying.delete(app);
    else this.#flying.set(app, flying);
  }

  #noteFailures(app: string, groups: AppTotals): void {
    const failed = Object.values(groups).reduce((sum, { failures }) => sum + failures, 0);
    if (failed === (this.#failed.get(app) ?? 0)) return;
    this.#failed.set(app, failed);
    this.#options.onFailures?.(app);
  }
}

/** The same for the same apps at the same revisions, in whatever order they came: the exclusive or of their hashes. */
class RevisionsDigest {
  readonly #sum = new Uint8Array(8);

  get text(): string {
    return Buffer.from(this.#sum).toString("hex");
  }

  /** undefined: there is or was no such app. */
  change(app: string, before: number | undefined, after: number | undefined): void {
    for (const revision of [before, after]) {
      if (revision === undefined) continue;
      const one = createHash("sha256").update(`${app}\0${revision}`).digest();
      for (let index = 0; index < this.#sum.length; index += 1) this.#sum[index]! ^= one[index]!;
    }
  }
}
