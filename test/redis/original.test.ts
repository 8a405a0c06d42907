import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type AppDocument, parseAppDocument } from "../../src/config/app-document.ts";
import { parseHalftoneConfig } from "../../src/config/halftone-config.ts";
import { AppStore } from "../../src/directory/app-store.ts";
import { Backup } from "../../src/directory/backup.ts";
import { OriginalDirectory } from "../../src/directory/redis/original-directory.ts";
import { openShared } from "../../src/fleet/open-shared.ts";
import { ROUTED_KEYS } from "../../src/release/route-document.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { CONVERTED, ORIGINAL } from "../original-documents.ts";
import { redisConfig, type RedisProcess, startRedis } from "./redis-process.ts";

const NAME = "my_object";

const scene = openScene(afterAll);
let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis(scene);
});
beforeEach(async () => {
  await redis.command("FLUSHALL");
});

const base: AppDocument = parsed({
  ...ORIGINAL,
  routes: [{ host: "shop.example.com" }],
  health: { maxFails: 3 },
});

function parsed(input: unknown): AppDocument {
  const result = parseAppDocument(input);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

function opened(
  gateway: string = "gateway-1",
  compareEvery: number = 60_000,
  documents: readonly AppDocument[] = [base],
): OriginalDirectory {
  const config = redisConfig(`${redis.url}?layout=original`);
  const directory = new OriginalDirectory({ config, documents, gateway, compareEvery });
  onTestFinished(() => directory.close());
  return directory;
}

async function value(): Promise<unknown> {
  return JSON.parse(String(await redis.command("GET", NAME))) as unknown;
}

async function set(change: Readonly<Record<string, unknown>>): Promise<void> {
  await redis.command("SET", NAME, JSON.stringify({ ...CONVERTED, ...change }));
}

describe("original layout", () => {
  it("writes the original's value, and nothing else under its key", async () => {
    expect(await opened().write(NAME, { document: base }, "absent")).toMatchObject({
      kind: "written",
      app: { revision: 1 },
    });
    expect(await value()).toEqual(CONVERTED);
  });

  it("reads what the original's writers set: the rest comes from the file", async () => {
    await set({ deploy: 2, testiplist: ["10.0.0.7"] });
    const { apps } = await opened().read();
    expect(apps).toMatchObject([{ name: NAME, revision: 1, origin: { what: "set by hand" } }]);
    expect(apps[0]!.document).toEqual({ ...base, deploy: 2, testers: ["10.0.0.7"] });
  });

  it("keeps the share beside the value, until somebody else sets it", async () => {
    const directory = opened();
    await directory.write(NAME, { document: { ...base, deploy: 1, share: 25 } }, "absent");
    expect(await value()).toEqual({ ...CONVERTED, deploy: 1 });
    expect((await opened("gateway-2").read()).apps[0]!.document).toMatchObject({ deploy: 1, share: 25 });
    await set({ deploy: 2 });
    const { apps } = await directory.read();
    expect(apps[0]).toMatchObject({ revision: 2, document: { deploy: 2 } });
    expect(apps[0]!.document).not.toHaveProperty("share");
  });

  it("keeps all that a release writes into a document beside the value", async () => {
    const routed: AppDocument = {
      ...base,
      deploy: 1,
      share: 10,
      testing: false,
      standby: [],
      ramp: { group2: 30 },
      draw: "r1",
      tally: { window: "10s", slower: [1.5, 20, 300] },
      quarantine: ["10.0.4.175:80"],
    };
    expect(Object.keys(routed)).toEqual(expect.arrayContaining([...ROUTED_KEYS]));
    const written = await opened().write(NAME, { document: routed, releases: { past: [] } }, "absent");
    expect(written).toMatchObject({ kind: "written" });
    expect(await value()).toEqual({ ...CONVERTED, deploy: 1 });
    const { apps } = await opened("gateway-2").read();
    expect(apps[0]).toMatchObject({ document: routed, releases: { past: [] } });
    const over = { ...base, deploy: 0, quarantine: ["10.0.4.175:80"] };
    await opened().write(NAME, { document: over }, apps[0]!.revision);
    expect((await opened("gateway-2").read()).apps[0]!.document).toEqual(over);
  });

  it("keeps the share of a document that is spelled otherwise than it reads", async () => {
    const spelled = {
      weight: 10,
      servers: [{ address: "10.0.4.175", weight: 10, port: 80 }, "10.0.4.176:80"],
    };
    const document = {
      ...base,
      groups: { ...base.groups, group1: spelled },
      deploy: 1,
      share: 25,
      testing: false,
    };
    const directory = opened();
    const written = await directory.write(NAME, { document: parsed(document) }, "absent");
    const { apps } = await opened("gateway-2").read();
    expect(apps).toMatchObject([{ revision: 1, document: { deploy: 1, share: 25, testing: false } }]);
    expect(written).toMatchObject({ app: { document: apps[0]!.document } });
  });

  it("goes on counting when what lies beside a value is lost", async () => {
    const directory = opened();
    directory.recall([{ name: NAME, revision: 7, document: base }]);
    await set({ deploy: 1 });
    expect((await directory.read()).apps).toMatchObject([{ revision: 8 }]);
    await redis.command("DEL", "halftone:{my_object}:beside");
    await set({ deploy: 2 });
    expect((await directory.read()).apps).toMatchObject([{ revision: 9, document: { deploy: 2 } }]);
  });

  it("takes what lies in files from there, also of the backup", () => {
    const old = { ...base, port: 8081, deploy: 1, share: 5 };
    expect(opened().recall([{ name: NAME, revision: 7, document: old }])).toEqual([
      { name: NAME, revision: 7, document: { ...base, deploy: 1, share: 5 } },
    ]);
  });

  it("moves aside what it could not read before it writes", async () => {
    await redis.command("SET", NAME, "precious {");
    expect(await opened().write(NAME, { document: base }, "absent")).toMatchObject({ kind: "written" });
    const [aside] = (await redis.command("KEYS", "halftone:{my_object}:aside:*")) as string[];
    expect(await redis.command("GET", aside!)).toBe("precious {");
    expect(await value()).toEqual(CONVERTED);
  });

  it("reads an empty list as Lua writes it", async () => {
    await set({ testiplist: {} });
    expect((await opened().read()).apps).toMatchObject([{ document: { testers: [] } }]);
  });

  it("takes no notice of where the original's round robin stands", async () => {
    const directory = opened();
    await directory.write(NAME, { document: { ...base, deploy: 1, share: 25 } }, "absent");
    const servers = [
      { ip: "10.0.4.175", current_weight: -10, weight: "10" },
      { ip: "10.0.4.176", current_weight: 20, weight: "10" },
    ];
    await set({ deploy: 1, group: servers });
    expect((await directory.read()).apps[0]).toMatchObject({ revision: 1, document: { share: 25 } });
  });

  it("gives a value set by hand one revision, whoever reads it first", async () => {
    await set({ deploy: 1 });
    const directories = ["gateway-1", "gateway-2", "gateway-3"].map((gateway) => opened(gateway));
    const contents = await Promise.all(directories.map((directory) => directory.read()));
    expect(contents.map(({ apps }) => apps[0]?.revision)).toEqual([1, 1, 1]);
  });

  it("lets exactly one of several writers win that saw the same revision", async () => {
    const directories = ["gateway-1", "gateway-2"].map((gateway) => opened(gateway));
    await directories[0]!.write(NAME, { document: base }, "absent");
    const results = await Promise.all(
      directories.map((directory, index) =>
        directory.write(NAME, { document: { ...base, deploy: index + 1 } }, 1),
      ),
    );
    expect(results.map(({ kind }) => kind).sort()).toEqual(["stale", "written"]);
  });

  it.each([
    ["a route", { routes: [{ host: "other.example.com" }] }, /routes.*as the file says/],
    [
      "a tester by cookie",
      { testers: [{ cookie: "beta", equals: "yes" }] },
      /testers\[0\].*knows no other testers/,
    ],
  ])("refuses %s, which it cannot carry", async (_what, change, problem) => {
    const directory = opened();
    await directory.write(NAME, { document: base }, "absent");
    const result = await directory.write(NAME, { document: parsed({ ...base, ...change }) }, 1);
    if (result.kind !== "refused") throw new Error(`found ${result.kind}, expected refused`);
    expect(result.problems.map(({ path, expected }) => `${path} ${expected}`).join()).toMatch(problem);
    expect(await value()).toEqual(CONVERTED);
  });

  it("refuses an app that no file names", async () => {
    const result = await opened().write("other", { document: { ...base, name: "other" } }, "absent");
    expect(result).toMatchObject({ kind: "refused", problems: [{ path: "name", found: '"other"' }] });
  });

  it("remembers a deletion, and takes a value that is set after it", async () => {
    const directory = opened();
    await directory.write(NAME, { document: base }, "absent");
    expect(await directory.delete(NAME, 1)).toMatchObject({ kind: "deleted", revision: 2 });
    expect(await redis.command("GET", NAME)).toBeNull();
    expect((await directory.read()).deleted).toMatchObject([{ name: NAME, revision: 2 }]);
    await set({});
    expect((await directory.read()).apps).toMatchObject([{ revision: 3 }]);
  });

  it("reports a value that cannot be read, and a switch beyond the groups", async () => {
    const directory = opened();
    await redis.command("SET", NAME, "{");
    expect((await directory.read()).damaged).toMatchObject([
      { name: NAME, reason: expect.stringMatching(/no JSON/) as string },
    ]);
    await set({ deploy: 3 });
    const { damaged } = await directory.read();
    expect(damaged[0]!.reason).toMatch(/deploy: found 3/);
  });

  it("reads what another gateway wrote whose file differs, without giving it another revision", async () => {
    const other = opened("gateway-2", 60_000, [{ ...base, port: 8123, retry: { tries: 2 } }]);
    const directory = opened();
    await directory.write(NAME, { document: { ...base, deploy: 1, share: 25 } }, "absent");
    for (const one of [other, directory, other]) {
      expect((await one.read()).apps).toMatchObject([{ revision: 1, document: { deploy: 1, share: 25 } }]);
    }
  });

  it.each<[string, Partial<AppDocument>]>([
    [
      "the app's port",
      { groups: { group1: { servers: ["10.0.4.175:80"] }, group2: { servers: ["10.0.4.146"] } } },
    ],
    [
      "the weight 1",
      { groups: { group1: { weight: 1, servers: ["10.0.4.175"] }, group2: { servers: ["10.0.4.146"] } } },
    ],
    [
      "servers' weights",
      {
        groups: {
          group1: { servers: [{ address: "10.0.4.175", weight: 1 }] },
          group2: { weight: 5, servers: ["10.0.4.146", { address: "10.0.4.147", weight: 5 }] },
        },
      },
    ],
    [
      "a name in capitals",
      { groups: { group1: { servers: ["WWW.Example.com"] }, group2: { servers: ["[::1]"] } } },
    ],
    [
      "a port of its own",
      { groups: { group1: { servers: ["10.0.4.175:8123"] }, group2: { servers: ["10.0.4.146"] } } },
    ],
    ["testers in other words", { testers: ["::FFFF:10.0.0.7", "10.0.0.0/8", "2001:DB8::1"] }],
  ])("reads as its own what it wrote, also with %s said in so many words", async (_what, more) => {
    const directory = opened();
    const { testers: _, ...rest } = base;
    const written = parsed({ ...rest, ...more, deploy: 1, share: 25 });
    expect(await directory.write(NAME, { document: written }, "absent")).toMatchObject({ kind: "written" });
    for (const one of [directory, opened("gateway-2", 60_000, [{ ...base, port: 8123 }])]) {
      expect((await one.read()).apps).toMatchObject([{ revision: 1, document: { deploy: 1, share: 25 } }]);
    }
  });

  it("reports a value of another type, and leaves it alone", async () => {
    const directory = opened();
    await redis.command("RPUSH", NAME, "precious");
    expect((await directory.read()).damaged).toMatchObject([
      { name: NAME, reason: expect.stringMatching(/a list/) as string },
    ]);
    await expect(directory.write(NAME, { document: base }, "absent")).rejects.toThrow(/WRONGTYPE/);
    expect(await redis.command("LLEN", NAME)).toBe(1);
  });

  it("tells of what somebody sets, again and again", async () => {
    const directory = opened();
    const told: (readonly string[] | undefined)[] = [];
    directory.watch((names) => void told.push(names));
    await directory.read();
    for (const deploy of [1, 2, 0]) {
      told.length = 0;
      await set({ deploy });
      await until("the change to be told", () => told.some((names) => names?.[0] === NAME));
      expect((await directory.read(new Set([NAME]))).apps[0]!.document.deploy ?? 0).toBe(deploy);
    }
  });

  it("finds by comparing what no message told of", async () => {
    const directory = opened("gateway-1", 30);
    await set({});
    await directory.read();
    await directory.link.use((client) => client.sendCommand(["CLIENT", "TRACKING", "OFF"]));
    const told: (readonly string[] | undefined)[] = [];
    directory.watch((names) => void told.push(names));
    await set({ deploy: 1 });
    await until("the change to be found", () => told.some((names) => names?.[0] === NAME));
  });
});

describe("a start with the original layout, after the files were changed", () => {
  const log = { info: ignore, warn: ignore, error: ignore };

  async function start(backup: Backup, documents: readonly AppDocument[]): Promise<AppStore> {
    const config = parseHalftoneConfig(`directory: ${redis.url}?layout=original`, "/");
    if (!config.ok) throw new Error("the configuration is refused");
    const { directory } = await openShared(config.value, documents);
    return await AppStore.open({ directory, backup, now: Date.now, log });
  }

  it("takes what they say now, and forgets apps that they do not name any more", async () => {
    const backup = new Backup(join(await scene.folder(), "backup.json"));
    const other = { ...base, name: "other", routes: [{ host: "other.example.com" }] };
    const before = await start(backup, [base, other]);
    await before.put(NAME, { ...base, deploy: 1, share: 25 }, "absent", "amy");
    await before.put("other", other, "absent", "amy");
    await before.close();
    const now = { ...base, health: { maxFails: 7 } };
    const after = await start(backup, [now]);
    onTestFinished(() => after.close());
    expect(after.list()).toMatchObject([
      { name: NAME, revision: 1, document: { health: { maxFails: 7 }, deploy: 1, share: 25 } },
    ]);
    expect(after.differences()).toEqual([]);
  });
});

function ignore(): void {}
