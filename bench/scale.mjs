// @ts-check
// How long does a gateway with thousands of apps in Redis take to start, and what does it hold? bench/README.md says more.
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { benchMain } from "./bench-main.mjs";
import { commandLine } from "./command-line.mjs";
import { childrenOf, othersBetween, othersTime, proxyTime } from "./cpu-time.mjs";
import { appHost, fillRedis } from "./fleet/documents.mjs";
import { FleetGateway } from "./fleet/gateway.mjs";
import { appsTold, infoOf, startRedis } from "./fleet/redis.mjs";
import { freePort } from "./free-port.mjs";
import { machine, requireTools } from "./machine.mjs";
import { aligned } from "./report.mjs";
import { statusOf } from "./wait-for-answer.mjs";

/** What is aimed at, in ms. */
const MOST = 10_000;
const GIVE_UP = 180_000;
const POLL = 10;
/** What a gateway is given to calm down in before its memory is read, in ms. */
const SETTLE = 5000;

const USAGE = `npm run bench:scale -- [options]
  --apps N       apps in Redis (10000)
  --rounds N     starts of each kind (3)
  --profile DIR  writes a CPU profile of the supervisor of each start there
  --json FILE    writes everything there
`;

/**
 * @typedef {object} Start
 * @property {string} title
 * @property {number} apps
 * @property {number} ready ms from the start of the process until /readyz answered 200
 * @property {number} served ms until a request for the last app was answered by its server
 * @property {number} told ms until the gateway had told Redis of every app it has in force; NaN: there is no Redis
 * @property {{ supervisor: number, worker: number }} seconds CPU time until then
 * @property {{ supervisor: number, worker: number }} memory resident, in MiB, when it has calmed down
 * @property {{ supervisor: number, worker: number }} most resident, in MiB, so far
 * @property {number} others CPU time that other programs used until then, in cores
 */

/**
 * @param {import("./children.mjs").Children} children
 * @param {FleetGateway} gateway
 * @param {{ title: string, apps: number, cores: readonly number[], redis: import("./fleet/redis.mjs").Redis | undefined, profile: string | undefined }} options
 * @returns {Promise<Start>}
 */
async function measureStart(children, gateway, { title, apps, cores, redis, profile }) {
  const node = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  const othersBefore = othersTime(children.groups);
  const from = performance.now();
  const child = gateway.start(children, cores, node);
  /** @type {(what: string, holds: () => Promise<boolean>) => Promise<number>} */
  const since = async (what, holds) => {
    while (!(await holds())) {
      if (!child.running()) throw new Error(`${child.name} ended:\n${child.output()}`);
      if (performance.now() - from > GIVE_UP) throw new Error(`${what} took too long:\n${child.output()}`);
      await pause(POLL);
    }
    return performance.now() - from;
  };
  const ready = await since("the start", async () => (await statusOf(gateway.adminPort, "/readyz")) === 200);
  const served = await since("the last app", async () => {
    const { status } = await gateway.get(appHost(apps - 1));
    return status === 200;
  });
  const told =
    redis === undefined
      ? Number.NaN
      : await since("telling the others", async () => (await appsTold(redis.client)) === apps);
  const others =
    othersBetween(othersBefore, othersTime(children.groups)) / ((performance.now() - from) / 1000);
  const { supervisor, traffic: worker } = proxyTime(child.pid);
  await since("the backup", () => Promise.resolve(existsSync(join(gateway.folder, "data", "backup.json"))));
  await pause(SETTLE);
  const [workerPid = 0] = childrenOf(child.pid);
  const memory = { supervisor: memoryOf(child.pid, "VmRSS"), worker: memoryOf(workerPid, "VmRSS") };
  const most = { supervisor: memoryOf(child.pid, "VmHWM"), worker: memoryOf(workerPid, "VmHWM") };
  await children.end(child);
  return { title, apps, ready, served, told, seconds: { supervisor, worker }, memory, most, others };
}

/**
 * @param {number} pid
 * @param {string} field
 */
function memoryOf(pid, field) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
}

/**
 * All starts with so many apps: as a new gateway, as one that was there before, and as that with Redis away.
 * @param {import("./children.mjs").Children} children
 * @param {string} folder
 * @param {{ apps: number, rounds: number, port: number, cores: readonly number[], profile: string | undefined }} options
 */
async function measure(children, folder, { apps, rounds, port, cores, profile }) {
  const redis = await startRedis(children, folder, cores);
  const empty = await infoOf(redis.client, "used_memory");
  await fillRedis(redis.client, apps, port);
  const filled = (await infoOf(redis.client, "used_memory")) - empty;
  const gateway = await FleetGateway.prepare(join(folder, "gateway"), "gateway-1", redis.url);
  const data = join(gateway.folder, "data");
  /** @type {Start[]} */
  const starts = [];
  /** @type {(title: string, redis: import("./fleet/redis.mjs").Redis | undefined) => Promise<void>} */
  const start = async (title, redis) => {
    const start = await measureStart(children, gateway, { title, apps, cores, redis, profile });
    starts.push(start);
    process.stderr.write(`${apps} apps, ${title}: ${(start.ready / 1000).toFixed(2)} s\n`);
  };
  let told = 0;
  for (let round = 0; round < rounds; round++) {
    rmSync(data, { recursive: true, force: true });
    await start("without a backup", redis);
    await start("with a backup", redis);
  }
  const record = await infoOf(redis.client, "used_memory");
  const again = gateway.start(children, cores);
  while ((await appsTold(redis.client)) < apps && again.running()) await pause(50);
  told = (await infoOf(redis.client, "used_memory")) - record;
  await children.end(again);
  const backup = statSync(join(data, "backup.json")).size;
  redis.client.destroy();
  await children.end(redis.child);
  for (let round = 0; round < rounds; round++) await start("from the backup, Redis away", undefined);
  return { starts, redis: { documents: filled, inForce: told }, backup };
}

/** @param {readonly Start[]} starts */
function report(starts) {
  /** @type {(value: number) => string} */
  const seconds = (value) => (Number.isNaN(value) ? "-" : `${(value / 1000).toFixed(2)} s`);
  /** @type {(value: number) => string} */
  const mib = (value) => `${value.toFixed(0)} MiB`;
  return aligned([
    [
      "apps",
      "start",
      "ready",
      "last app",
      "told",
      "CPU supervisor",
      "worker",
      "RSS supervisor",
      "most",
      "RSS worker",
      "most",
      "others",
    ],
    ...starts.map((start) => [
      String(start.apps),
      start.title,
      seconds(start.ready),
      seconds(start.served),
      seconds(start.told),
      `${start.seconds.supervisor.toFixed(2)} s`,
      `${start.seconds.worker.toFixed(2)} s`,
      mib(start.memory.supervisor),
      mib(start.most.supervisor),
      mib(start.memory.worker),
      mib(start.most.worker),
      `${(100 * start.others).toFixed(0)} %`,
    ]),
  ]);
}

await benchMain(USAGE, async (children, folder) => {
  const { help, text, whole } = commandLine(["apps", "rounds", "profile", "json"]);
  if (help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options = { apps: whole("apps", 10_000, 1), rounds: whole("rounds", 3, 1), profile: text("profile") };
  requireTools(["redis-server"], true);
  const host = machine();
  const facts = Object.entries(host).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(`${facts.join(" · ")}\n`);
  const cores = cpus().map((_, core) => core);
  const upstream = createServer((_, response) => response.end("served"));
  const port = await freePort("0.0.0.0");
  upstream.listen(port, "0.0.0.0");
  await once(upstream, "listening");
  const all = [];
  for (const apps of new Set([1, options.apps])) {
    all.push(await measure(children, join(folder, String(apps)), { ...options, apps, port, cores }));
  }
  upstream.close();
  upstream.closeAllConnections();

  const starts = all.flatMap((one) => one.starts);
  process.stdout.write(`\n${report(starts)}\n\n`);
  for (const { starts, redis, backup } of all) {
    const mib = [redis.documents, redis.inForce, backup].map((bytes) => (bytes / 2 ** 20).toFixed(2));
    process.stdout.write(
      `${starts[0]?.apps} apps: ${mib[0]} MiB in Redis, ${mib[1]} MiB more for what each gateway has in force; backup ${mib[2]} MiB\n`,
    );
  }
  const late = starts.filter(({ ready, served }) => Math.max(ready, served) > MOST);
  for (const { apps, title } of late)
    process.stdout.write(`! ${apps} apps, ${title}: above ${MOST / 1000} s\n`);
  if (text("json") !== undefined) {
    const document = { at: new Date().toISOString(), machine: host, options, all };
    writeFileSync(String(text("json")), `${JSON.stringify(document, undefined, 2)}\n`);
  }
  return late.length === 0 ? 0 : 1;
});
