import type { RedisLink } from "../directory/redis/redis-link.ts";
import { BEATS, GATEWAYS, IN_FORCE } from "../directory/redis/redis-keys.ts";
import { type AppRecord, byName, type GatewayReport, type Roster, type Sighting } from "./roster.ts";

const A_DAY = 24 * 60 * 60 * 1000;
/** Records told by one command: Lua takes no more than some thousand arguments. */
const PAGE = 500;

/**
 * KEYS: gateways, beats, records of this one. ARGV: name, report, then pairs of app and record, "" for one that is gone.
 * Times are Redis's own, so that the clocks of the gateways need not agree. Returns how many records there are.
 */
const BEAT = `
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], time[1] .. string.format('%03d', math.floor(tonumber(time[2]) / 1000)))
for i = 3, #ARGV, 2 do
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

  constructor(link: RedisLink) {
    this.#link = link;
  }

  async beat(report: GatewayReport, changed: ReadonlyMap<string, AppRecord>): Promise<boolean> {
    const fields = Array.from(changed, ([app, record]) => [
      app,
      record.revision === null ? "" : JSON.stringify(record),
    ]);
    let told = 0;
    do {
      const page = fields.slice(told, told + PAGE).flat();
      const length = await this.#link.use((client) =>
        client.eval(BEAT, {
          keys: [GATEWAYS, BEATS, IN_FORCE + report.name],
          arguments: [report.name, JSON.stringify(report), ...page],
        }),
      );
      told += PAGE;
      if (told >= fields.length) return Number(length) >= report.apps;
    } while (told < fields.length);
    return true;
  }

  async sightings(): Promise<readonly Sighting[]> {
    const answer = await this.#link.use((client) =>
      client.eval(SIGHTINGS, { keys: [GATEWAYS, BEATS], arguments: [] }),
    );
    const [now, reports, beats] = answer as [string, string[], string[]];
    const seen = new Map(pairs(beats));
    const sightings = pairs(reports).map(([name, report]) => ({
      report: JSON.parse(report) as GatewayReport,
      ago: Number(now) - Number(seen.get(name) ?? 0),
    }));
    const forgotten = sightings.filter(({ ago }) => ago > A_DAY);
    for (const { report } of forgotten) await this.leave(report.name);
    return sightings.filter(({ ago }) => ago <= A_DAY).sort(byName);
  }

  async records(gateways: readonly string[], app: string): Promise<readonly (AppRecord | undefined)[]> {
    return await this.#link.use(async (client) => {
      const values = await Promise.all(gateways.map((gateway) => client.hGet(IN_FORCE + gateway, app)));
      return values.map((value) => (value === null ? undefined : (JSON.parse(value) as AppRecord)));
    });
  }

  async allRecords(gateway: string): Promise<ReadonlyMap<string, AppRecord>> {
    const values = await this.#link.use((client) => client.hGetAll(IN_FORCE + gateway));
    return new Map(Object.entries(values).map(([app, record]) => [app, JSON.parse(record) as AppRecord]));
  }

  async leave(name: string): Promise<void> {
    await this.#link.use(async (client) => {
      await Promise.all([client.hDel(GATEWAYS, name), client.hDel(BEATS, name), client.del(IN_FORCE + name)]);
    });
  }
}

function pairs(list: readonly string[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, index) => [list[2 * index]!, list[2 * index + 1]!]);
}
