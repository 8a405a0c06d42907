// @ts-check
// What each thing that gateways ask of Redis costs it, measured by the built program's own code against a real server.
import { join } from "node:path";
import { built, appName, fillRedis, storedValue } from "./documents.mjs";
import { infoOf } from "./redis.mjs";

const DOCUMENTS = 5000;
const CONNECTIONS = 16;
const LISTENERS = 200;
const WRITES = 150;
const SAVES = 10;
const PAGE = 200;
const RECORDS = 500;

/**
 * Times are CPU of Redis's main thread in µs, sizes bytes.
 * @typedef {object} Costs
 * @property {number} pulse a sign of life
 * @property {number} read an MGET of one value
 * @property {number} readMore each further value of it
 * @property {number} scanKeys a SCAN, per key it goes over
 * @property {number} digest a digest, in a page of 200
 * @property {number} write a compare-and-set with its entries in index and audit
 * @property {number} push telling one connection of a change
 * @property {number} connect a connection until it is ready
 * @property {number} beat a heartbeat
 * @property {number} beatMore each record of an app in it
 * @property {number} document bytes of a value
 * @property {number} held memory of a value with key and index
 * @property {number} connection memory of a connection that is told of changes
 * @property {number} record bytes of a record of an app in a heartbeat, as sent
 * @property {number} recordHeld memory of it
 * @property {number} report bytes of a heartbeat without records
 * @property {number} parse CPU of a gateway for a value that is new
 * @property {number} compare CPU of a gateway for a value that it knows
 * @property {number} backup CPU of a gateway for an app of a backup that did not change
 */

/**
 * @param {import("./redis.mjs").Redis} redis empty
 * @param {string} folder
 * @returns {Promise<Costs>}
 */
export async function measureCosts(redis, folder) {
  const { client, url } = redis;
  /** @type {typeof import("../../src/directory/redis/redis-directory.ts")} */
  const { RedisDirectory } = await built("directory/redis/redis-directory.js");
  /** @type {typeof import("../../src/fleet/redis-roster.ts")} */
  const { RedisRoster } = await built("fleet/redis-roster.js");
  const { parseRedisUrl } = await built("config/redis-target.js");
  const { DIGESTS } = await built("directory/redis/redis-scripts.js");
  const { APPS } = await built("directory/redis/redis-keys.js");
  const config = { target: parseRedisUrl(url) };
  /** @type {InstanceType<typeof RedisDirectory>[]} */
  const directories = [];
  /** @param {number} count */
  const open = async (count) => {
    for (let n = 0; n < count; n++) {
      const directory = new RedisDirectory({ config, gateway: `gateway-${n}`, scanEvery: 1e9 });
      directories.push(directory);
      await directory.read(new Set([appName(0)]));
    }
  };
  const cpu = async () =>
    1e6 *
    ((await infoOf(client, "used_cpu_user_main_thread")) +
      (await infoOf(client, "used_cpu_sys_main_thread")));
  /** @type {(times: number, task: (directory: any, index: number) => Promise<unknown>) => Promise<number>} */
  const each = async (times, task) => {
    const before = await cpu();
    await Promise.all(
      directories.slice(0, CONNECTIONS).map(async (directory, connection) => {
        for (let n = 0; n < times; n++) await task(directory, n * CONNECTIONS + connection);
      }),
    );
    return ((await cpu()) - before) / (times * CONNECTIONS);
  };
  const used = async () => await infoOf(client, "used_memory");

  const empty = await used();
  await fillRedis(client, DOCUMENTS, 8080);
  const held = ((await used()) - empty) / DOCUMENTS;
  await open(CONNECTIONS);
  const [first] = directories;
  if (first === undefined) throw new Error("there is no connection");
  /** @type {(count: number) => string[]} */
  const names = (count) => Array.from({ length: count }, (_, n) => appName(n));

  const cold = process.cpuUsage();
  await first.read();
  const parse = cpuOf(cold) / DOCUMENTS;
  const warm = process.cpuUsage();
  const { apps } = await first.read();
  const compare = cpuOf(warm) / DOCUMENTS;

  /** @type {typeof import("../../src/directory/backup.ts")} */
  const { Backup } = await built("directory/backup.js");
  const file = new Backup(join(folder, "backup.json"));
  await file.save(apps);
  const saving = process.cpuUsage();
  for (let n = 0; n < SAVES; n++) await file.save(apps);
  const backup = cpuOf(saving) / (SAVES * DOCUMENTS);

  const pulse = await each(1000, (d) =>
    d.link.use((/** @type {any} */ c) => c.exists("halftone:{apps}:revisions")),
  );
  const read = await each(1000, (d, n) => d.read(new Set([appName(n % DOCUMENTS)])));
  const pageRead = await each(30, (d) => d.read(new Set(names(PAGE))));
  const keys = names(PAGE).map((name) => APPS + name);
  const page = await each(50, (d) =>
    d.link.use((/** @type {any} */ c) => c.eval(DIGESTS, { keys, arguments: [] })),
  );
  const MATCH = `${APPS.replaceAll(/[{}]/g, "\\$&")}*`;
  const scan = await each(30, (d) =>
    d.link.use((/** @type {any} */ c) => c.scan("0", { MATCH, COUNT: 1000 })),
  );

  /** @type {import("../../src/fleet/roster.ts").GatewayReport} */
  const report = {
    name: "gateway-0000",
    id: "7c1f3b54-6c3a-4c0e-9d0e-0e4c2d1f6a00",
    version: "0.1.0",
    startedAt: "2026-11-26T00:00:00.000Z",
    listen: ["10.0.0.5:80", "10.0.0.5:443"],
    admin: "http://10.0.0.5:9000",
    ready: true,
    directory: "current",
    apps: 0,
    digest: "0123456789abcdef",
    inFlight: 12,
  };
  const record = {
    revision: 12,
    groups: {
      blue: { requests: 1_234_567, failures: 12, inFlight: 3 },
      green: { requests: 1_234_567, failures: 12, inFlight: 3 },
    },
    rates: { blue: 123.4, green: 123.4 },
  };
  const records = new Map(names(RECORDS).map((name) => [name, record]));
  const rosters = new Map(directories.map((d) => [d, new RedisRoster(d.link)]));
  /** @type {(d: any, n: number, changed: ReadonlyMap<string, typeof record>) => Promise<unknown>} */
  const tell = async (d, n, changed) =>
    await rosters.get(d)?.beat({ ...report, id: `gateway-${n % CONNECTIONS}` }, changed, false);
  const beat = await each(500, (d, n) => tell(d, n, new Map()));
  const beforeRecords = await used();
  await each(1, (d, n) => tell(d, n, records));
  const recordHeld = ((await used()) - beforeRecords) / (CONNECTIONS * RECORDS);
  const fullBeat = await each(20, (d, n) => tell(d, n, records));
  const one = new Map([...records].slice(0, 1));
  const beatBytes = await bytesOf(client, () => each(50, (d, n) => tell(d, n, one)));

  // The same changes, one after another, told to few and to many.
  const stored = JSON.parse(await storedValue(0, 8080)).document;
  const write = async () => {
    const before = await cpu();
    for (let n = 0; n < WRITES; n++)
      await first.write(appName(n), { document: { ...stored, name: appName(n) }, releases: [] }, "any");
    return ((await cpu()) - before) / WRITES;
  };
  const toFew = await write();
  const beforeListeners = await used();
  const connecting = await cpu();
  await open(LISTENERS);
  const connect = ((await cpu()) - connecting) / LISTENERS - read;
  const connection = ((await used()) - beforeListeners) / LISTENERS;
  const toMany = await write();
  const push = (toMany - toFew) / LISTENERS;
  for (const directory of directories) await directory.close();
  const document = (await storedValue(0, 8080)).length;
  const recordSent = JSON.stringify(record).length + appName(0).length + 12;
  return {
    pulse,
    read,
    readMore: Math.max(0, (pageRead - read) / (PAGE - 1)),
    scanKeys: scan / 1000,
    digest: page / PAGE,
    write: toFew - CONNECTIONS * push,
    push,
    connect,
    beat,
    beatMore: (fullBeat - beat) / RECORDS,
    document,
    held,
    connection,
    record: recordSent,
    recordHeld,
    report: beatBytes / (50 * CONNECTIONS) - recordSent,
    parse,
    compare,
    backup,
  };
}

/** @param {NodeJS.CpuUsage} since */
function cpuOf(since) {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

/**
 * What Redis received meanwhile.
 * @param {import("./redis.mjs").Client} client
 * @param {() => Promise<unknown>} task
 */
async function bytesOf(client, task) {
  const before = await infoOf(client, "total_net_input_bytes");
  await task();
  return (await infoOf(client, "total_net_input_bytes")) - before;
}
