import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from "vitest";
import { RedisDirectory } from "../../src/directory/redis/redis-directory.ts";
import { FleetMember } from "../../src/fleet/member.ts";
import { RedisRoster } from "../../src/fleet/redis-roster.ts";
import type { AppTally, GatewayReport } from "../../src/fleet/roster.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { redisConfig, type RedisProcess, startRedis } from "./redis-process.ts";

const scene = openScene(afterAll);
let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis(scene);
});
beforeEach(async () => {
  await redis.command("FLUSHALL");
});

function opened(): RedisRoster {
  const directory = new RedisDirectory({ config: redisConfig(redis.url), gateway: "gateway-1" });
  onTestFinished(() => directory.close());
  return new RedisRoster(directory.link);
}

/** Tells of itself every 20 ms. */
function joined(
  name: string,
  id: string,
  differing: ReadonlySet<string> = new Set(),
  tally: (app: string) => AppTally | undefined = () => undefined,
): FleetMember {
  const member = new FleetMember({
    roster: opened(),
    report: () => ({
      name,
      id,
      version: "0",
      startedAt: "",
      listen: [],
      admin: "",
      ready: true,
      directory: "current",
    }),
    count: () => Promise.resolve([]),
    totals: () => ({}),
    tally,
    differing: () => differing,
    log: { info: ignore, warn: ignore, error: ignore },
    beatEvery: 20,
  });
  member.start();
  onTestFinished(() => member.stop());
  return member;
}

function ignore(): void {}

async function revisions(roster: RedisRoster, app: string): Promise<readonly unknown[]> {
  const ids = (await roster.sightings()).map(({ report }) => report.id);
  return (await roster.records(ids, app)).map((record) => record?.revision);
}

it("keeps apart two gateways that were given the same name", async () => {
  const roster = opened();
  joined("gateway-1", "a").inForce("shop", 4);
  await until("the first to be told of", async () => (await revisions(roster, "shop")).length === 1);
  joined("gateway-1", "b").inForce("shop", 5);
  await until("both to be told of", async () => (await revisions(roster, "shop")).join() === "4,5");
});

it("forgets what a gateway of this name told before it ended", async () => {
  const roster = opened();
  const report = { name: "gateway-1", id: "a", apps: 1 } as GatewayReport;
  await roster.beat(
    report,
    new Map([["shop", { revision: 4, groups: {}, rates: {}, failureRates: {} }]]),
    true,
  );
  joined("gateway-1", "b");
  await until(
    "the new one",
    async () => (await roster.sightings()).map(({ report }) => report.id).join() === "b",
  );
});

it("tells everything anew when what was told may be lost", async () => {
  const roster = opened();
  const member = joined("gateway-1", "a");
  member.inForce("shop", 4);
  await until("it to be told", async () => (await revisions(roster, "shop")).join() === "4");
  // As by a failover to a server that never had the newest record, and still has that of an app that is gone.
  const old = (revision: number): string => JSON.stringify({ revision, groups: {}, rates: {} });
  await redis.command("HSET", "halftone:{apps}:in-force:a", "shop", old(3), "gone", old(1));
  await redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  await until(
    "it to be told again",
    async () => (await revisions(roster, "shop").catch(() => [])).join() === "4",
  );
  await until("the other to be forgotten", async () => (await revisions(roster, "gone")).join() === "");
});

it("tells of which apps the directory holds something else", async () => {
  const roster = opened();
  joined("gateway-1", "a", new Set(["shop"])).inForce("shop", 4);
  await until("it to be told", async () => (await roster.records(["a"], "shop"))[0]?.differs === true);
});

it("gives the records of several apps at once, those of earlier versions too", async () => {
  const roster = opened();
  const record = {
    revision: 4,
    groups: { blue: { requests: 9, failures: 2, errors: 0, inFlight: 1 } },
    rates: { blue: 3 },
    failureRates: { blue: 0.5 },
    latencies: { blue: [40, 9] },
  };
  const records = new Map([
    ["shop", record],
    ["cart", { ...record, revision: 5 }],
  ]);
  await roster.beat({ name: "gateway-1", id: "a", apps: 2 } as GatewayReport, records, true);
  const { failureRates: _, latencies: __, ...earlier } = record;
  await redis.command("HSET", "halftone:{apps}:in-force:b", "shop", JSON.stringify(earlier), "cart", "{");
  expect(await roster.recordsOf(["a", "b", "nobody"], ["cart", "none", "shop"])).toEqual([
    new Map([
      ["cart", { ...record, revision: 5 }],
      ["shop", record],
    ]),
    new Map([["shop", { ...earlier, failureRates: {} }]]),
    new Map(),
  ]);
  expect(await roster.recordsOf(["a"], [])).toEqual([new Map()]);
});

it("shows what cannot be read as far as it can be, and all others", async () => {
  const roster = opened();
  joined("gateway-1", "a").inForce("shop", 4);
  await until("the first to be told of", async () => (await revisions(roster, "shop")).length === 1);
  const [seconds] = (await redis.command("TIME")) as [string];
  for (const [id, report] of [
    ["garbage", "{"],
    ["later", '{"name":"gateway-9","apps":{"shop":4}}'],
  ] as const) {
    await redis.command("HSET", "halftone:{apps}:gateways", id, report);
    await redis.command("HSET", "halftone:{apps}:beats", id, `${seconds}000`);
    await redis.command("HSET", `halftone:{apps}:in-force:${id}`, "shop", report);
  }
  const sightings = await roster.sightings();
  expect(sightings.map(({ report }) => [report.name, report.version, report.apps])).toEqual([
    ["garbage", "unknown", 0],
    ["gateway-1", "0", 1],
    ["gateway-9", "unknown", 0],
  ]);
  expect(await revisions(roster, "shop")).toEqual([undefined, 4, undefined]);
  expect([...(await roster.allRecords("garbage"))]).toEqual([]);
});

const TALLY: AppTally = {
  release: "r1",
  length: 10_000,
  windows: [
    {
      window: 7,
      part: 1,
      cells: { "10.0.0.1:80": [3, 2, 1, 2, 1, 2, 0.5] },
      erring: [[2 ** 31 - 1, "10.0.0.1:80"]],
      met: [5],
      testers: [1, 0],
    },
  ],
  latencies: [[40, 7]],
};

it("tells what was counted for a release, and no more when that is over", async () => {
  const roster = opened();
  let counted: AppTally | undefined = TALLY;
  const member = joined("gateway-1", "a", new Set(), () => counted);
  member.inForce("shop", 4);
  const record = async () => (await roster.records(["a"], "shop"))[0];
  await until("it to be told", async () => (await record())?.revision === 4);
  expect((await record())?.tally).toEqual(TALLY);
  counted = undefined;
  member.inForce("shop", 5);
  await until("the next to be told", async () => (await record())?.revision === 5);
  expect(await record()).not.toHaveProperty("tally");
});

it("hears of a gateway whose counts it cannot read all the rest", async () => {
  const roster = opened();
  joined("gateway-1", "a", new Set(), () => TALLY).inForce("shop", 4);
  await until("it to be told", async () => (await roster.records(["a"], "shop"))[0]?.tally !== undefined);
  const later = JSON.stringify({ revision: 5, groups: {}, rates: {}, tally: { ...TALLY, windows: "many" } });
  await redis.command("HSET", "halftone:{apps}:in-force:b", "shop", later);
  expect(await roster.records(["a", "b"], "shop")).toMatchObject([{ tally: TALLY }, { revision: 5 }]);
  expect((await roster.records(["b"], "shop"))[0]).not.toHaveProperty("tally");
});

it("keeps the evidence on a release for the next gateway", async () => {
  const [one, other] = [opened(), opened()];
  expect(await one.verdict("shop")).toBeUndefined();
  await one.keepVerdict("shop", { release: "r1", state: { format: 1, words: ["naïve"] } });
  await one.keepVerdict("cart", { release: "r9", state: null });
  expect(await other.verdict("shop")).toEqual({ release: "r1", state: { format: 1, words: ["naïve"] } });
  await other.keepVerdict("shop", { release: "r2", state: 7 });
  expect(await one.verdict("shop")).toEqual({ release: "r2", state: 7 });
  for (const damaged of ["{", "7", "null", '{"release":7}']) {
    await redis.command("HSET", "halftone:{apps}:verdicts", "shop", damaged);
    expect(await one.verdict("shop"), damaged).toBeUndefined();
  }
});
