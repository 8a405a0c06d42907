import type { TallyReport } from "../core/verdict/tally.ts";
import type { AppTotals } from "../gateway/group-totals.ts";

/** What a gateway says of itself with every beat. */
export interface GatewayReport {
  readonly name: string;
  /** Another one at each start: by it the roster tells apart two gateways that were given the same name. */
  readonly id: string;
  readonly version: string;
  /** ISO time. */
  readonly startedAt: string;
  /** Addresses that take traffic. */
  readonly listen: readonly string[];
  readonly admin: string;
  readonly ready: boolean;
  /** As in `DirectoryStatus`. */
  readonly directory: "current" | "backup";
  /** Number of apps in force. */
  readonly apps: number;
  /** Of all their names and revisions: gateways that agree have the same. */
  readonly digest: string;
  /** Requests and tunnels that are with servers now. */
  readonly inFlight: number;
}

/** What one gateway has in force of one app, and what it has done for it. */
export interface AppRecord {
  /** Confirmed by every process that carries traffic; null: the app is gone. */
  readonly revision: number | null;
  /** Counted after that was confirmed. */
  readonly groups: AppTotals;
  /** Tries a second by group, over the last second or so. */
  readonly rates: Readonly<Record<string, number>>;
  /** Of these, those that failed or were answered 5xx. */
  readonly failureRates: Readonly<Record<string, number>>;
  /**
   * After how long answers began, over the last five seconds, by group: steps of `latency-scale.ts` and how many, in turns.
   * Absent: there were none.
   */
  readonly latencies?: Readonly<Record<string, readonly number[]>>;
  /** The directory holds something else, which is not taken: a later revision of others says nothing of this one. */
  readonly differs?: true;
  /** While a release runs. */
  readonly tally?: AppTally;
}

/**
 * What a gateway counted for the verdict on a release: the windows of the last 40 s that are over, each whole and told only
 * so; all latencies of the old version until it is settled what is slow.
 */
export type AppTally = TallyReport;

/** The evidence on a release, as the gateway that runs it knows it: for the others to show, and to go on from. */
export interface KeptVerdict {
  readonly release: string;
  /** What only `release/jury.ts` reads. */
  readonly state: unknown;
}

/** A report as others see it. */
export interface Sighting {
  readonly report: GatewayReport;
  /** Ms since it came, by the roster's clock. */
  readonly ago: number;
}

/**
 * Where the gateways of one directory tell each other how they are. Throws `DirectoryUnavailable` when it is out of
 * reach.
 */
export interface Roster {
  /**
   * Tells this gateway's report and its records that changed since the last beat; `anew`: these are all, and what it told
   * before is forgotten. False: the roster may know something else than it was told, and everything has to be told anew.
   */
  beat(report: GatewayReport, changed: ReadonlyMap<string, AppRecord>, anew: boolean): Promise<boolean>;
  /** Every gateway that has told of itself within a day, in the order of their names. */
  sightings(): Promise<readonly Sighting[]>;
  /** What these gateways have told of the app, by their ids; undefined for one that has told nothing. */
  records(ids: readonly string[], app: string): Promise<readonly (AppRecord | undefined)[]>;
  /** The same of several apps: of each of the ids, by app. */
  recordsOf(
    ids: readonly string[],
    apps: readonly string[],
  ): Promise<readonly ReadonlyMap<string, AppRecord>[]>;
  /** All that a gateway has told, by app. */
  allRecords(id: string): Promise<ReadonlyMap<string, AppRecord>>;
  /**
   * Keeps the evidence on the app's release. It is worth keeping, but nothing depends on it: who finds none begins anew, and
   * shows nothing more often than it is true.
   */
  keepVerdict(app: string, verdict: KeptVerdict): Promise<void>;
  /** The last one kept of the app; undefined: none. */
  verdict(app: string): Promise<KeptVerdict | undefined>;
  /** This gateway stops, and is not waited for any more. */
  leave(id: string): Promise<void>;
}

/** The roster of a gateway that shares its directory with nobody. */
export class LocalRoster implements Roster {
  readonly #now: () => number;
  readonly #gateways = new Map<
    string,
    { report: GatewayReport; at: number; records: Map<string, AppRecord> }
  >();

  readonly #verdicts = new Map<string, KeptVerdict>();

  /** `now`: ms of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  beat(report: GatewayReport, changed: ReadonlyMap<string, AppRecord>): Promise<boolean> {
    const records = this.#gateways.get(report.id)?.records ?? new Map<string, AppRecord>();
    for (const [app, record] of changed) {
      if (record.revision === null) records.delete(app);
      else records.set(app, record);
    }
    this.#gateways.set(report.id, { report, at: this.#now(), records });
    return Promise.resolve(true);
  }

  sightings(): Promise<readonly Sighting[]> {
    const now = this.#now();
    const sightings = Array.from(this.#gateways.values(), ({ report, at }) => ({ report, ago: now - at }));
    return Promise.resolve(sightings.sort(byName));
  }

  records(ids: readonly string[], app: string): Promise<readonly (AppRecord | undefined)[]> {
    return Promise.resolve(ids.map((id) => this.#gateways.get(id)?.records.get(app)));
  }

  recordsOf(
    ids: readonly string[],
    apps: readonly string[],
  ): Promise<readonly ReadonlyMap<string, AppRecord>[]> {
    const told = ids.map((id) => {
      const records = this.#gateways.get(id)?.records;
      return new Map(
        apps.flatMap((app) => {
          const record = records?.get(app);
          return record === undefined ? [] : [[app, record] as const];
        }),
      );
    });
    return Promise.resolve(told);
  }

  allRecords(id: string): Promise<ReadonlyMap<string, AppRecord>> {
    return Promise.resolve(new Map(this.#gateways.get(id)?.records));
  }

  keepVerdict(app: string, verdict: KeptVerdict): Promise<void> {
    this.#verdicts.set(app, verdict);
    return Promise.resolve();
  }

  verdict(app: string): Promise<KeptVerdict | undefined> {
    return Promise.resolve(this.#verdicts.get(app));
  }

  leave(id: string): Promise<void> {
    this.#gateways.delete(id);
    return Promise.resolve();
  }
}

export function byName(one: Sighting, other: Sighting): number {
  const [first, second] = [one, other].map(({ report: { name, id } }) => `${name} ${id}`) as [string, string];
  return first < second ? -1 : 1;
}
