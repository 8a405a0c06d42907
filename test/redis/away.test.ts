import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startBackends } from "../e2e/harness/backend.ts";
import { ask } from "../e2e/harness/client.ts";
import { runCli } from "../e2e/harness/cli.ts";
import { type HalftoneProcess, readJson, revisionOf } from "../e2e/harness/halftone-process.ts";
import { startLoad } from "../e2e/harness/load.ts";
import { openScene, type Scene } from "../e2e/harness/scene.ts";
import { pause, until } from "../e2e/harness/until.ts";
import {
  agreeOn,
  createGateways,
  directoryOf,
  reaches,
  startGateways,
  twoGroups,
  asked,
} from "./gateways.ts";
import { type RedisOptions, type RedisProcess, startRedis } from "./redis-process.ts";

const SERVERS = ["127.0.6.11", "127.0.6.12"] as const;
/** How long Redis stays away besides what the test does meanwhile, in s; by hand 30. */
const AWAY = Number(process.env["HALFTONE_AWAY"] ?? 0);
const APP_KEY = "halftone:{apps}:app:shop";

interface Stage {
  readonly redis: RedisProcess;
  readonly gateways: readonly HalftoneProcess[];
  readonly port: number;
}

/** Two gateways on one Redis, with an app in force at both. */
async function stage(scene: Scene, options: RedisOptions = {}): Promise<Stage> {
  const redis = await startRedis(scene, options);
  const [backend] = await startBackends(scene, SERVERS);
  const { port } = backend!;
  const gateways = await startGateways(scene, redis.url, ["gateway-1", "gateway-2"]);
  await gateways[0]!.put("shop", twoGroups("shop", port, [...SERVERS]));
  await agreeOn(gateways, "shop", 1);
  return { redis, gateways, port };
}

describe("while Redis is away, under load", { timeout: 60_000 + AWAY * 1000 }, () => {
  it.each<
    [
      string,
      (redis: RedisProcess) => Promise<void> | void,
      (redis: RedisProcess) => Promise<void> | void,
      RegExp,
    ]
  >([
    ["killed", (redis) => redis.stop(), (redis) => redis.start(), /ECONNREFUSED|closed|connect/i],
    [
      "stopped by SIGSTOP",
      (redis) => redis.freeze(),
      (redis) => redis.thaw(),
      /no answer within 2000 ms|timed? ?out/i,
    ],
  ])(
    "%s: nothing fails, changes are refused, and all agree afterwards",
    async (_how, leave, comeBack, reason) => {
      const scene = openScene(onTestFinished);
      // Written to disk at each change: what a killed one has acknowledged is there when it comes back.
      const { redis, gateways } = await stage(scene, {
        options: ["--appendonly", "yes", "--appendfsync", "always"],
      });
      const loads = gateways.map(({ gatewayPort }) => startLoad(scene, { port: gatewayPort, clients: 8 }));
      await Promise.all(loads.map((load) => load.more(50)));

      await leave(redis);
      for (const gateway of gateways) await reaches(gateway, "backup");
      await Promise.all(loads.map((load) => load.more(200)));
      const refused = await gateways[0]!.api("PUT", "/apps/shop/deploy", { deploy: 1 });
      expect(refused).toMatchObject({
        status: 503,
        body: { type: "urn:halftone:problem:directory-unavailable" },
      });
      expect((await directoryOf(gateways[1]!))["reason"]).toMatch(reason);
      expect((await gateways[1]!.admin("GET", "/metrics")).body).toMatch(/^halftone_directory_up 0$/m);
      expect((await gateways[0]!.api("GET", "/gateways")).status).toBe(503);

      await pause(AWAY * 1000);
      await comeBack(redis);
      for (const gateway of gateways) await reaches(gateway, "current");
      await gateways[1]!.deploy("shop", 1);
      await agreeOn(gateways, "shop", 2);
      await Promise.all(loads.map((load) => load.more(50)));
      for (const load of loads) {
        await load.stop();
        expect(load.failures).toEqual([]);
      }
    },
  );

  it("flushed: what is in force stays, is reported, and is restored for all by one command", async () => {
    const scene = openScene(onTestFinished);
    const { redis, gateways } = await stage(scene);
    const [first, second] = gateways as [HalftoneProcess, HalftoneProcess];
    const load = startLoad(scene, { port: second.gatewayPort, clients: 8 });
    await first.deploy("shop", 1);
    await agreeOn(gateways, "shop", 2);

    await redis.command("FLUSHALL");
    for (const gateway of gateways) {
      await until("the loss to be reported", async () => (await directoryOf(gateway))["differences"] === 1);
      expect((await gateway.api("GET", "/apps/shop")).body).toMatchObject({ deploy: 1 });
    }
    const diff = await runCli(["directory", "diff"], asked(second));
    expect(diff.stdout).toMatch(
      /shop: in force is revision 2; the directory answers no such app, and no deletion/,
    );
    const restored = await runCli(["directory", "restore", "--all"], asked(second));
    expect(restored).toMatchObject({ code: 0, stdout: "shop is at revision 3\n" });
    await agreeOn(gateways, "shop", 3);
    for (const gateway of gateways) {
      await until("the report to end", async () => (await directoryOf(gateway))["differences"] === 0);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
  });

  it("an old copy that comes back is not obeyed, until somebody says so", async () => {
    const scene = openScene(onTestFinished);
    const { redis, gateways, port } = await stage(scene);
    const old = String(await redis.command("GET", APP_KEY));
    await gateways[0]!.deploy("shop", 1);
    await agreeOn(gateways, "shop", 2);
    await redis.command("SET", APP_KEY, old);
    for (const gateway of gateways) {
      await until(
        "the old copy to be reported",
        async () => (await directoryOf(gateway))["differences"] === 1,
      );
    }
    expect((await ask({ port: gateways[1]!.gatewayPort })).servedBy).toBe(SERVERS[1]);
    const { body } = await gateways[0]!.api("GET", "/directory/differences");
    expect(body).toMatchObject([
      { name: "shop", inForce: { revision: 2 }, directory: { revision: 1, document: { port } } },
    ]);
    const accepted = await runCli(
      ["directory", "restore", "shop", "--from", "directory"],
      asked(gateways[0]!),
    );
    expect(accepted).toMatchObject({ code: 0, stdout: "shop is at revision 3\n" });
    await agreeOn(gateways, "shop", 3);
    expect((await gateways[1]!.api("GET", "/apps/shop")).body).not.toHaveProperty("deploy");
  });

  it("a change to a document that only one gateway could keep is never lost by a failover that lost it", async () => {
    const scene = openScene(onTestFinished);
    const { redis, gateways } = await stage(scene);
    const old = String(await redis.command("GET", APP_KEY));
    await gateways[0]!.deploy("shop", 1);
    await agreeOn(gateways, "shop", 2);
    // The new primary never had revision 2, and another writer makes its own.
    const other = JSON.parse(old) as Record<string, unknown>;
    await redis.command("SET", APP_KEY, JSON.stringify({ ...other, revision: 2 }));
    await until(
      "the other content to be reported",
      async () => (await directoryOf(gateways[1]!))["differences"] === 1,
    );
    expect((await gateways[1]!.api("GET", "/apps/shop")).body).toMatchObject({ deploy: 1 });
    await gateways[1]!.deploy("shop", 2);
    await agreeOn(gateways, "shop", 3);
  });
});

describe("a Redis that answers, but not as it should", () => {
  const scene = openScene(afterAll);
  let redis: RedisProcess;
  let gateways: readonly HalftoneProcess[];
  let port: number;

  beforeAll(async () => {
    ({ redis, gateways, port } = await stage(scene));
  });

  it("out of memory: changes are refused with its words, traffic goes on", async () => {
    await redis.command("CONFIG", "SET", "maxmemory", "1");
    const refused = await gateways[0]!.api("PUT", "/apps/shop/deploy", { deploy: 1 });
    expect(refused.status).toBe(503);
    expect((refused.body as { detail: string }).detail).toMatch(/OOM.*nothing was changed/);
    expect((await ask({ port: gateways[0]!.gatewayPort })).status).toBe(200);
    await redis.command("CONFIG", "SET", "maxmemory", "0");
    await gateways[0]!.deploy("shop", 0);
  });

  it("a poisoned value: refused alone and by name, all others go on", async () => {
    await gateways[0]!.put("blog", { ...twoGroups("blog", port, [...SERVERS]), routes: [{ path: "/blog" }] });
    const before = revisionOf(await gateways[1]!.api("GET", "/apps/shop"));
    await redis.command("SET", APP_KEY, '{"revision": 99, "document": {"name": "shop", "groups": []}}');
    await until("the poison to be reported", async () => {
      const damaged = (await directoryOf(gateways[1]!))["damaged"] as readonly { name: string }[];
      return damaged.some(({ name }) => name === "shop");
    });
    expect((await ask({ port: gateways[1]!.gatewayPort })).status).toBe(200);
    await gateways[1]!.deploy("blog", 1);
    await until(
      "blog's change at the other",
      async () => (await gateways[0]!.api("GET", "/apps/blog")).headers.get("etag") === '"2"',
    );
    expect(revisionOf(await gateways[1]!.api("GET", "/apps/shop"))).toBe(before);
    // The next change puts it right, above the poisoned revision.
    await gateways[1]!.deploy("shop", 1);
    await agreeOn(gateways, "shop", 100);
    expect((await directoryOf(gateways[0]!))["damaged"]).toEqual([]);
  });

  it("a replica in its place: said in these words; followed again when it is the primary", async () => {
    const primary = await startRedis(scene);
    await redis.command("REPLICAOF", primary.host, String(primary.port));
    await reaches(gateways[0]!, "backup");
    await until("the words", async () =>
      /read-only replica/.test(String((await directoryOf(gateways[0]!))["reason"])),
    );
    expect((await ask({ port: gateways[0]!.gatewayPort })).status).toBe(200);
    await redis.command("REPLICAOF", "NO", "ONE");
    await reaches(gateways[0]!, "current");
  });

  it("a password it did not have: said in Redis's words", async () => {
    await redis.command("CONFIG", "SET", "requirepass", "secret");
    await redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await reaches(gateways[0]!, "backup");
    await until("the words", async () =>
      /NOAUTH|WRONGPASS/.test(String((await directoryOf(gateways[0]!))["reason"])),
    );
    expect((await ask({ port: gateways[1]!.gatewayPort })).status).toBe(200);
    await redis.command("CONFIG", "SET", "requirepass", "");
    await reaches(gateways[0]!, "current");
  });
});

describe("a start without Redis", { timeout: 60_000 }, () => {
  it("serves from the backup what was acknowledged last, and says so", async () => {
    const scene = openScene(onTestFinished);
    const redis = await startRedis(scene);
    const [backend] = await startBackends(scene, SERVERS);
    const sites = await createGateways(scene, redis.url, ["gateway-1", "gateway-2"]);
    const gateways = await Promise.all(sites.map(({ site }) => site.start()));
    await gateways[0]!.put("shop", twoGroups("shop", backend!.port, [...SERVERS]));
    await gateways[1]!.deploy("shop", 1);
    await agreeOn(gateways, "shop", 2);
    expect((await gateways[0]!.api("GET", "/apps/shop/convergence?wait=10s")).status).toBe(200);
    for (const gateway of gateways)
      await until("the backup", async () => (await backupRevision(gateway)) === 2);

    await redis.stop();
    for (const gateway of gateways) gateway.kill("SIGKILL");
    await Promise.all(gateways.map((gateway) => gateway.exit));
    const again = await Promise.all(sites.map(({ site }) => site.start()));
    for (const gateway of again) {
      expect((await ask({ port: gateway.gatewayPort })).servedBy).toBe(SERVERS[1]);
      const directory = await directoryOf(gateway);
      expect(directory).toMatchObject({
        state: "backup",
        backup: { path: expect.stringMatching(/backup\.json$/) as string },
      });
      expect((await gateway.admin("GET", "/readyz")).status).toBe(200);
      expect((await gateway.admin("GET", "/metrics")).body).toMatch(/^halftone_backup_age_seconds \d/m);
      await gateway.logged(/out of reach, what was last known is in force/);
    }
    // It comes back empty: the newer documents stay.
    await redis.start();
    for (const gateway of again) await reaches(gateway, "current");
    expect((await again[0]!.api("GET", "/apps/shop")).body).toMatchObject({ deploy: 1 });
    expect((await directoryOf(again[0]!))["differences"]).toBe(1);
  });

  it("without a backup serves the apps of the configuration, until Redis is there", async () => {
    const scene = openScene(onTestFinished);
    const redis = await startRedis(scene);
    const [backend] = await startBackends(scene, SERVERS);
    const [gateway] = await createGateways(scene, redis.url, ["gateway-1"], { apps: ["./apps/*.json"] });
    await writeFile(
      `${gateway!.site.folder}/apps/shop.json`,
      JSON.stringify(twoGroups("shop", backend!.port, [...SERVERS])),
    );
    await redis.stop();
    const halftone = await gateway!.site.start();
    expect((await ask({ port: halftone.gatewayPort })).status).toBe(200);
    expect((await halftone.api("GET", "/apps/shop")).headers.get("etag")).toBe('"0"');
    await redis.start();
    await until("the app to be stored", async () => (await redis.command("EXISTS", APP_KEY)) === 1);
    await agreeOn([halftone], "shop", 1);
  });
});

it(
  "no revision is taken for one of the same number that the directory has lost",
  { timeout: 60_000 },
  async () => {
    const scene = openScene(onTestFinished);
    const { redis, gateways, port } = await stage(scene);
    await gateways[0]!.deploy("shop", 1);
    await agreeOn(gateways, "shop", 2);
    await redis.command("FLUSHALL");
    // It never saw what was lost.
    const [site] = await createGateways(scene, redis.url, ["gateway-3"]);
    const other = await site!.site.start();
    expect(await other.put("shop", twoGroups("shop", port, [...SERVERS]))).toBe(1);
    const answer = await other.api("GET", "/apps/shop/convergence?wait=2s");
    expect(answer.status).toBe(409);
    expect((answer.body as { detail: string }).detail).toContain("gateway-1 (has 2)");
    // Now the numbers are equal, and the documents are not.
    await other.put("shop", twoGroups("shop", port, [SERVERS[1], SERVERS[0]]));
    expect((await other.api("GET", "/apps/shop/convergence?wait=2s")).status).toBe(409);
    await other.put("shop", twoGroups("shop", port, [...SERVERS]));
    expect((await other.api("GET", "/apps/shop/convergence?wait=10s")).status).toBe(200);
  },
);

it("an app that was deleted stays so when Redis was away, though a file names it", async () => {
  const scene = openScene(onTestFinished);
  const redis = await startRedis(scene, { options: ["--appendonly", "yes", "--appendfsync", "always"] });
  const [backend] = await startBackends(scene, SERVERS);
  const [gateway] = await createGateways(scene, redis.url, ["gateway-1"], { apps: ["./apps/*.json"] });
  await writeFile(
    `${gateway!.site.folder}/apps/shop.json`,
    JSON.stringify(twoGroups("shop", backend!.port, [...SERVERS])),
  );
  const halftone = await gateway!.site.start();
  expect((await halftone.api("DELETE", "/apps/shop", undefined, { "if-match": "*" })).status).toBe(204);
  await redis.stop();
  await reaches(halftone, "backup");
  await redis.start();
  await reaches(halftone, "current");
  // A change that is made after whatever the return brought about.
  await halftone.put("blog", { ...twoGroups("blog", backend!.port, [...SERVERS]), routes: [{ path: "/b" }] });
  expect((await halftone.api("GET", "/apps/shop")).status).toBe(404);
});

async function backupRevision(gateway: HalftoneProcess): Promise<number | undefined> {
  const backup = (await readJson(`${gateway.site.folder}/data/backup.json`).catch(() => undefined)) as
    | { apps?: readonly { revision: number }[] }
    | undefined;
  return backup?.apps?.[0]?.revision;
}
