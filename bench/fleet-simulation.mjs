// @ts-check
// What many gateways mean for their one Redis: bench/README.md says what is assumed, docs/scale.md what came out.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { benchMain } from "./bench-main.mjs";
import { commandLine } from "./command-line.mjs";
import { measureCosts } from "./fleet/costs.mjs";
import { startRedis } from "./fleet/redis.mjs";
import { simulate } from "./fleet/simulator.mjs";
import { machine, requireTools } from "./machine.mjs";
import { aligned } from "./report.mjs";

/** Of a core of Redis: above this, queues grow long. */
const FULL = 0.7;
const SCAN_EVERY_S = 25;

const USAGE = `npm run bench:fleet -- [options]
  --seed N       of everything that is drawn (1)
  --costs FILE   takes the costs from there (as --json writes them) in place of measuring them
  --json FILE    writes everything there
`;

/** @typedef {import("./fleet/simulator.mjs").Scenario} Scenario */
/** @typedef {import("./fleet/costs.mjs").Costs} Costs */

/** @type {Omit<Scenario, "title">} */
const USUAL = { gateways: 3, apps: 10_000, changesPerSecond: 1, active: 100, seconds: 40, gbit: 10 };
const HUNDRED = { ...USUAL, gateways: 100 };
const FLEET = { ...USUAL, gateways: 1000, apps: 100_000 };
const MANY = { changesPerSecond: 100, seconds: 12 };
/** Until apps that did not change were kept as JSON between two backups, µs. */
const FORMER_BACKUP = 30;
const BUCKETS = { buckets: true };
const COUNTERS = { ...BUCKETS, recordsEvery: 10 };
const REPLICAS = { ...COUNTERS, replicas: 4, backupEvery: 5000 };

/** @type {readonly Scenario[]} */
const STEADY = [
  { ...USUAL, title: "as measured" },
  { ...HUNDRED, title: "hundred gateways" },
  { ...HUNDRED, title: "the same", ...MANY },
  { ...USUAL, title: "thousand gateways", gateways: 1000 },
  { ...HUNDRED, title: "many apps", apps: 100_000 },
  { ...HUNDRED, title: "the same, former backup", apps: 100_000, backup: FORMER_BACKUP },
  { ...FLEET, title: "the fleet" },
  { ...FLEET, title: "the same", ...MANY },
  { ...FLEET, title: "+ digests of buckets", ...BUCKETS },
  { ...FLEET, title: "+ counters every 10 s", ...COUNTERS },
  { ...FLEET, title: "the same", ...COUNTERS, ...MANY },
  { ...FLEET, title: "+ 4 replicas, backup every 5 s", ...REPLICAS },
  { ...FLEET, title: "the same", ...REPLICAS, ...MANY },
];
/** @type {readonly Scenario[]} */
const STORMS = [
  { ...HUNDRED, title: "hundred gateways" },
  { ...USUAL, title: "thousand gateways", gateways: 1000 },
  { ...HUNDRED, title: "many apps", apps: 100_000 },
  { ...FLEET, title: "the fleet, 10 Gbit/s", seconds: 600 },
  { ...FLEET, title: "the fleet, 1 Gbit/s", seconds: 1200, gbit: 1 },
  { ...FLEET, title: "+ digests of buckets", ...COUNTERS, seconds: 300 },
  { ...FLEET, title: "+ 4 replicas", ...REPLICAS, seconds: 300 },
].map((scenario) =>
  Object.assign(scenario, { storm: true, changesPerSecond: 0, seconds: Math.max(scenario.seconds, 60) }),
);

/**
 * What every kind of work asks of the one core that serves the slot, in cores, if nothing waited.
 * @param {Costs} costs
 * @param {{ gateways: number, apps: number, active: number, changesPerSecond: number }} fleet
 */
function demandOf(costs, { gateways, apps, active, changesPerSecond }) {
  const each = 1e-6 * gateways;
  return {
    pulses: each * costs.pulse,
    beats: each * costs.beat,
    counters: each * active * costs.beatMore,
    scans: (each * apps * (costs.scanKeys + costs.digest)) / SCAN_EVERY_S,
    changes:
      changesPerSecond *
      (1e-6 * costs.write + each * (costs.push + costs.read + costs.beat + costs.beatMore)),
  };
}

/** @param {Costs} costs */
function demandTable(costs) {
  const fleets = [
    { gateways: 3, apps: 10_000, active: 100, changesPerSecond: 1 },
    { gateways: 100, apps: 10_000, active: 100, changesPerSecond: 1 },
    { gateways: 1000, apps: 10_000, active: 100, changesPerSecond: 1 },
    { gateways: 100, apps: 100_000, active: 1000, changesPerSecond: 1 },
    { gateways: 1000, apps: 100_000, active: 100, changesPerSecond: 1 },
    { gateways: 1000, apps: 100_000, active: 10_000, changesPerSecond: 100 },
  ];
  const rows = fleets.map((fleet) => {
    const demand = demandOf(costs, fleet);
    const kinds = Object.values(demand);
    const cores = kinds.concat(kinds.reduce((sum, one) => sum + one, 0));
    const beats = fleet.gateways * (costs.report + fleet.active * costs.record);
    const held =
      fleet.apps * costs.held +
      fleet.gateways * (costs.connection + costs.report + fleet.apps * costs.recordHeld);
    const numbers = [fleet.gateways, fleet.apps, fleet.active, fleet.changesPerSecond].map(String);
    return numbers.concat(
      cores.map((one) => `${(100 * one).toFixed(1)} %`),
      `${(beats / 1e6).toFixed(1)} MB/s`,
      `${(held / 2 ** 30).toFixed(2)} GiB`,
      `${((fleet.gateways * fleet.apps * (costs.document + 10)) / 1e9).toFixed(1)} GB`,
      `${fleet.gateways * fleet.changesPerSecond}/s`,
    );
  });
  const head = [
    "gateways",
    "apps",
    "active",
    "changes/s",
    "pulses",
    "beats",
    "counters",
    "scans",
    "changes",
    "all",
  ];
  return aligned([[...head, "beats", "memory", "all read all", "told"], ...rows]);
}

/**
 * Where one kind of work alone fills the core.
 * @param {Costs} costs
 */
function limits(costs) {
  const one = { gateways: 1, apps: 1, active: 1, changesPerSecond: 1 };
  const { scans, counters, changes } = demandOf(costs, one);
  const fixed = demandOf(costs, { ...one, active: 0, apps: 0, changesPerSecond: 0 });
  const perGateway = fixed.pulses + fixed.beats;
  /** @type {(value: number) => string} */
  const whole = (value) => Number(value.toPrecision(2)).toLocaleString("en");
  return [
    `scans: gateways × apps = ${whole(FULL / scans)}`,
    `counters: gateways × active apps = ${whole(FULL / counters)}`,
    `changes: gateways × changes a second = ${whole(FULL / (changes - 1e-6 * costs.write))}, told one by one`,
    `pulses and heartbeats: ${whole(FULL / perGateway)} gateways`,
    `writes alone: ${whole((FULL * 1e6) / costs.write)} changes a second`,
  ];
}

/**
 * @param {readonly Scenario[]} scenarios
 * @param {Costs} costs
 * @param {number} seed
 */
async function run(scenarios, costs, seed) {
  const runs = [];
  for (const scenario of scenarios) {
    // A run that is to be stopped is stopped between two of them.
    await pause(1);
    const from = performance.now();
    runs.push({ scenario, result: simulate(scenario, costs, seed) });
    process.stderr.write(`${scenario.title}: ${((performance.now() - from) / 1000).toFixed(1)} s\n`);
  }
  return runs;
}

/** @typedef {Awaited<ReturnType<typeof run>>} Runs */

/** @type {(value: number) => string} */
const ms = (value) =>
  Number.isNaN(value) ? "-" : value < 10 ? `${value.toFixed(1)} ms` : `${value.toFixed(0)} ms`;
/** @type {(value: number) => string} */
const percent = (value) => `${(100 * value).toFixed(0)} %`;

/** @param {Runs} runs */
function steadyTable(runs) {
  const head = ["", "gateways", "apps", "changes/s", "primary", "replica", "network", "answer p50", "p99"];
  const rows = runs.map(({ scenario, result }) => [
    scenario.title,
    String(scenario.gateways),
    String(scenario.apps),
    String(scenario.changesPerSecond),
    percent(result.primary),
    scenario.replicas ? percent(result.replica) : "-",
    percent(result.network),
    ms(result.wait.p50),
    ms(result.wait.p99),
    ms(result.change.p50),
    ms(result.change.p99),
    ms(result.change.most),
    String(result.missed),
    String(result.lost),
  ]);
  return aligned([[...head, "in force p50", "p99", "worst", "not", "given up"], ...rows]);
}

/** @param {Runs} runs */
function stormTable(runs) {
  const rows = runs.map(({ scenario, result }) => [
    scenario.title,
    String(scenario.gateways),
    String(scenario.apps),
    Number.isNaN(result.caughtUp) ? "never" : `${(result.caughtUp / 1000).toFixed(1)} s`,
    ms(result.wait.p99),
    ms(result.wait.most),
    String(result.lost),
  ]);
  return aligned([
    ["after a failover", "gateways", "apps", "all caught up", "answer p99", "worst", "given up"],
    ...rows,
  ]);
}

await benchMain(USAGE, async (children, folder) => {
  const { help, text, whole } = commandLine(["seed", "costs", "json"]);
  if (help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const seed = whole("seed", 1, 0);
  const given = text("costs");
  /** @type {Costs} */
  let costs;
  if (given === undefined) {
    requireTools(["redis-server"], true);
    const redis = await startRedis(
      children,
      folder,
      cpus().map((_, core) => core),
    );
    costs = await measureCosts(redis, folder);
    redis.client.destroy();
    await children.end(redis.child);
  } else ({ costs } = JSON.parse(readFileSync(given, "utf8")));
  const host = machine();
  const facts = Object.entries(host).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(
    `${facts.join(" · ")} · seed ${seed}\n\ncosts ${given === undefined ? "measured now" : `of ${given}`}:\n`,
  );
  process.stdout.write(
    `${aligned(Object.entries(costs).map(([name, value]) => [name, value.toFixed(2)]))}\n`,
  );
  process.stdout.write(`\nwhat is asked of one core of Redis, if nothing waited:\n${demandTable(costs)}\n`);
  process.stdout.write(`\n${percent(FULL)} of a core are reached by:\n  ${limits(costs).join("\n  ")}\n\n`);
  const steady = await run(STEADY, costs, seed);
  process.stdout.write(`simulated:\n${steadyTable(steady)}\n`);
  const storms = await run(STORMS, costs, seed);
  process.stdout.write(`\n${stormTable(storms)}\n`);
  if (text("json") !== undefined) {
    const document = { at: new Date().toISOString(), machine: host, seed, costs, steady, storms };
    writeFileSync(String(text("json")), `${JSON.stringify(document, undefined, 2)}\n`);
  }
  return 0;
});
