import type { RedisClient } from "../directory/redis/redis-client.ts";
import type { RedisLink } from "../directory/redis/redis-link.ts";
import { isRecord } from "../directory/sealed-json.ts";
import { BEATS, GATEWAYS, IN_FORCE, VERDICTS } from "../directory/redis/redis-keys.ts";
import { readLatencies } from "./read-latencies.ts";
import { readTally } from "./read-tally.ts";
import {
  type AppRecord,
  byName,
  type GatewayReport,
  type KeptVerdict,
  type Roster,
  type Sighting,
} from "./roster.ts";

const A_DAY = 24 * 60 * 60 * 1000;
/** Records told by one command: Lua takes no more than some thousand arguments. */
const PAGE = 500;

/**
 * KEYS: gateways, beats, records of this one. ARGV: id, report, "anew" if its records are to be forgotten first, then pairs
 * of app and record, "" for one that is gone. Times are Redis's own, so that the clocks of the gateways need not agree. Returns how many records there are.
 */
const BEAT = `
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], time[1] .. string.format('%03d', math.floor(tonumber(time[2]) / 1000)))
if ARGV[3] == 'anew' then redis.call('DEL', KEYS[3]) end
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[3], ARGV[i])
  else redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
end
return redis.call('HLEN', KEYS[3])
`;

/** KEYS: gateways, beats. Returns Redis's time in ms, and both hashes as lists. */
const SIGHTINGS = `
local time = redis.call('TIME')
return {time[1] .. string.format('%03d', math.floor(tonumber(time[2]) / 1000)),
  redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}
`;

/** The gateways of one Redis. */
export class RedisRoster implements Roster {
  readonly #link: RedisLink;
  /** The connection by which the records were told: another one may lead to a server that never had all of them. */
  #told: RedisClient | undefined;
  #joined = false;

  constructor(link: RedisLink) {
    this.#link = link;
  }

  async beat(
    report: GatewayReport,
    changed: ReadonlyMap<string, AppRecord>,
    anew: boolean,
  ): Promise<boolean> {
    if (!this.#joined) await this.#forgetEarlier(report);
    this.#joined = true;
    const fields = Array.from(changed, ([app, record]) => [
      app,
      record.revision === null ? "" : JSON.stringify(record),
    ]);
    let told = 0;
    let complete = true;
    for (;;) {
      const page = fields.slice(told, told + PAGE).flat();
      const forget = anew && told === 0;
      const length = await this.#link.use((client) => {
        if (client !== this.#told && !forget) complete = false;
        this.#told = client;
        return client.eval(BEAT, {
          keys: [GATEWAYS, BEATS, IN_FORCE + report.id],
          arguments: [report.id, JSON.stringify(report), forget ? "anew" : "", ...page],
        });
      });
      told += PAGE;
      if (told >= fields.length) return complete && Number(length) === report.apps;
    }
  }

  async sightings(): Promise<readonly Sighting[]> {
    const answer = await this.#link.use((client) =>
      client.eval(SIGHTINGS, { keys: [GATEWAYS, BEATS], arguments: [] }),
    );
    const [now, reports, beats] = answer as [string, string[], string[]];
    const seen = new Map(pairs(beats));
    const sightings = pairs(reports).map(([id, report]) => ({
      report: readReport(id, report),
      ago: Number(now) - (Number(seen.get(id)) || 0),
    }));
    const forgotten = sightings.filter(({ ago }) => ago > A_DAY);
    for (const { report } of forgotten) await this.leave(report.id);
    return sightings.filter(({ ago }) => ago <= A_DAY).sort(byName);
  }

  async records(ids: readonly string[], app: string): Promise<readonly (AppRecord | undefined)[]> {
    return await this.#link.use(async (client) => {
      const values = await Promise.all(ids.map((id) => client.hGet(IN_FORCE + id, app)));
      return values.map((value) => (value === null ? undefined : readRecord(value)));
    });
  }

  async recordsOf(
    ids: readonly string[],
    apps: readonly string[],
  ): Promise<readonly ReadonlyMap<string, AppRecord>[]> {
    if (apps.length === 0) return ids.map(() => new Map());
    return await this.#link.use(async (client) => {
      const told = await Promise.all(ids.map((id) => client.hmGet(IN_FORCE + id, [...apps])));
      return told.map((values) => recordsBy(apps.map((app, index) => [app, values[index] ?? ""])));
    });
  }

  async allRecords(id: string): Promise<ReadonlyMap<string, AppRecord>> {
    const values = await this.#link.use((client) => client.hGetAll(IN_FORCE + id));
    return recordsBy(Object.entries(values));
  }

  async keepVerdict(app: string, verdict: KeptVerdict): Promise<void> {
    await this.#link.use((client) => client.hSet(VERDICTS, app, JSON.stringify(verdict)));
  }

  async verdict(app: string): Promise<KeptVerdict | undefined> {
    const value = await this.#link.use((client) => client.hGet(VERDICTS, app));
    const { release, state } = readJson(value ?? "");
    return typeof release === "string" ? { release, state } : undefined;
  }

  async leave(id: string): Promise<void> {
    await this.#link.use(async (client) => {
      await Promise.all([client.hDel(GATEWAYS, id), client.hDel(BEATS, id), client.del(IN_FORCE + id)]);
    });
  }

  /**
   * What a gateway of this name told before it ended says nothing of this one. If it has not ended, two were given the
   * same name: then it tells of itself again within a second.
   */
  async #forgetEarlier({ name, id }: GatewayReport): Promise<void> {
    const earlier = (await this.sightings()).filter(({ report }) => report.name === name && report.id !== id);
    for (const { report } of earlier) await this.leave(report.id);
  }
}

/** What cannot be read, or was told by another version, is shown as far as it can be: it may be a gateway that serves. */
function readReport(id: string, text: string): GatewayReport {
  const { name, version, startedAt, listen, admin, ready, directory, apps, digest, inFlight } =
    readJson(text);
  return {
    name: typeof name === "string" ? name : id,
    id,
    version: typeof version === "string" ? version : "unknown",
    startedAt: typeof startedAt === "string" ? startedAt : "unknown",
    listen: Array.isArray(listen) ? listen.map(String) : [],
    admin: typeof admin === "string" ? admin : "",
    ready: ready === true,
    directory: directory === "backup" ? "backup" : "current",
    apps: count(apps),
    digest: typeof digest === "string" ? digest : "",
    inFlight: count(inFlight),
  };
}

function recordsBy(told: readonly (readonly [app: string, record: string])[]): Map<string, AppRecord> {
  const records = new Map<string, AppRecord>();
  for (const [app, text] of told) {
    const record = readRecord(text);
    if (record !== undefined) records.set(app, record);
  }
  return records;
}

/** Undefined: it cannot be read, and says nothing. */
function readRecord(text: string): AppRecord | undefined {
  const { revision, groups, rates, failureRates, latencies, differs, tally } = readJson(text);
  if (typeof revision !== "number") return undefined;
  const counted = tally === undefined ? undefined : readTally(tally);
  const begun = latencies === undefined ? undefined : readLatencies(latencies);
  const totals = Object.entries(isRecord(groups) ? groups : {}).map(([group, one]) => {
    const { requests, failures, errors, inFlight } = isRecord(one) ? one : {};
    return [
      group,
      {
        requests: count(requests),
        failures: count(failures),
        errors: count(errors),
        inFlight: count(inFlight),
      },
    ] as const;
  });
  return {
    revision,
    groups: Object.fromEntries(totals),
    rates: readRates(rates),
    // A gateway of an earlier version tells none.
    failureRates: readRates(failureRates),
    ...(differs === true && { differs }),
    ...(begun !== undefined && { latencies: begun }),
    ...(counted !== undefined && { tally: counted }),
  };
}

function readRates(value: unknown): Readonly<Record<string, number>> {
  const rates = Object.entries(isRecord(value) ? value : {});
  return Object.fromEntries(rates.map(([group, rate]) => [group, count(rate)]));
}

function readJson(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function pairs(list: readonly string[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, index) => [list[2 * index]!, list[2 * index + 1]!]);
}
