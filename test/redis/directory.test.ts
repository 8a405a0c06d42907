import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { describeDirectory, document, content } from "../../src/directory/directory.contract.ts";
import type { DirectoryContent } from "../../src/directory/directory.ts";
import { RedisDirectory } from "../../src/directory/redis/redis-directory.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { redisConfig, type RedisProcess, startRedis } from "./redis-process.ts";

const APP = "halftone:{apps}:app:";

const scene = openScene(afterAll);
let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis(scene);
});

function open(gateway: string = "gateway-1", scanEvery: number = 60_000): RedisDirectory {
  return new RedisDirectory({ config: redisConfig(redis.url), gateway, scanEvery });
}

function opened(gateway?: string, scanEvery?: number): RedisDirectory {
  const directory = open(gateway, scanEvery);
  onTestFinished(() => directory.close());
  return directory;
}

describeDirectory("redis", async () => {
  await redis.command("FLUSHALL");
  return withoutOrigins(open());
});

/** The contract compares whole apps; who made them is of this kind only. */
function withoutOrigins(directory: RedisDirectory): RedisDirectory {
  const strip = <T extends object>(app: T): T => {
    const { origin: _, ...rest } = app as T & { origin?: unknown };
    return rest as T;
  };
  const content = ({ apps, deleted, damaged }: DirectoryContent): DirectoryContent => ({
    apps: apps.map(strip),
    deleted: deleted.map(strip),
    damaged,
  });
  return new Proxy(directory, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      const bound = value.bind(target) as (...args: unknown[]) => unknown;
      if (key === "read")
        return async (...args: unknown[]) => content((await bound(...args)) as DirectoryContent);
      if (key !== "write" && key !== "delete") return bound;
      return async (...args: unknown[]) => {
        const result = (await bound(...args)) as Record<string, unknown>;
        for (const part of ["app", "before", "current"]) {
          if (typeof result[part] === "object") result[part] = strip(result[part] as object);
        }
        return result;
      };
    },
  });
}

describe("redis directory", () => {
  beforeEach(async () => {
    await redis.command("FLUSHALL");
  });

  it("tells what somebody else changes, redis-cli included, by name", async () => {
    const [mine, other] = [opened("gateway-1"), opened("gateway-2")];
    await mine.read();
    await other.read();
    const told: (readonly string[] | undefined)[] = [];
    mine.watch((names) => void told.push(names));
    await other.write("shop", content("shop"), "absent");
    await until("the change to be told", () => told.some((names) => names?.[0] === "shop"));
    told.length = 0;
    const raw = JSON.stringify({ revision: 9, document: document("blog") });
    await redis.command("SET", `${APP}blog`, raw);
    await until("redis-cli's change to be told", () => told.some((names) => names?.[0] === "blog"));
    expect((await mine.read(new Set(["blog"]))).apps).toEqual([
      { name: "blog", revision: 9, document: document("blog") },
    ]);
    told.length = 0;
    await redis.command("FLUSHALL");
    await until("the flush to be told", () => told.includes(undefined));
  });

  it("finds by comparing what no message told of", async () => {
    const mine = opened("gateway-1", 30);
    await mine.write("shop", content("shop"), "absent");
    await mine.write("gone", content("gone"), "absent");
    await mine.read();
    // The server forgets whom to tell: as if the message had been lost.
    await mine.link.use((client) => client.sendCommand(["CLIENT", "TRACKING", "OFF"]));
    const told = new Set<string>();
    mine.watch((names) => names?.forEach((name) => told.add(name)));
    await redis.command("SET", `${APP}shop`, JSON.stringify({ revision: 2, document: document("shop", 81) }));
    await redis.command("SET", `${APP}new`, JSON.stringify({ revision: 1, document: document("new") }));
    await redis.command("DEL", `${APP}gone`);
    await until("all three to be found", () => told.size === 3);
    expect([...told].sort()).toEqual(["gone", "new", "shop"]);
  });

  it("gives a document set by hand one revision, whoever reads it first", async () => {
    const directories = [opened("gateway-1"), opened("gateway-2"), opened("gateway-3")];
    await directories[0]!.write("shop", content("shop"), "absent");
    await redis.command("SET", `${APP}shop`, JSON.stringify(document("shop", 81)));
    const contents = await Promise.all(directories.map((directory) => directory.read()));
    for (const { apps } of contents) {
      expect(apps).toEqual([
        {
          name: "shop",
          revision: 2,
          document: document("shop", 81),
          origin: { by: "redis", what: "set by hand", gateway: "redis" },
        },
      ]);
    }
  });

  it.each([
    ["no JSON", "{", /is not JSON/],
    ["no object", "[1]", /no object/],
    ["no document", '{"groups": 7}', /no revision and is no document: groups: found 7/],
    ["a revision that is none", '{"revision": 0, "document": {}}', /revision: found 0/],
    [
      "a document of a later version",
      '{"revision": 4, "document": {"name": "shop", "colour": "red"}}',
      /colour/,
    ],
  ])("reports a value that is %s, by name, and reads all others", async (_what, raw, reason) => {
    const directory = opened();
    await directory.write("blog", content("blog"), "absent");
    await redis.command("SET", `${APP}shop`, raw);
    const { apps, damaged } = await directory.read();
    expect(apps.map(({ name }) => name)).toEqual(["blog"]);
    expect(damaged).toMatchObject([{ name: "shop", setAside: `the key ${APP}shop` }]);
    expect(damaged[0]!.reason).toMatch(reason);
  });

  it("never overwrites what it could not read", async () => {
    const directory = opened();
    await redis.command("SET", `${APP}shop`, "precious {");
    expect(await directory.write("shop", content("shop"), "absent")).toMatchObject({
      kind: "written",
      app: { revision: 1 },
    });
    const [aside] = (await redis.command("KEYS", "halftone:{apps}:aside:shop:*")) as string[];
    expect(await redis.command("GET", aside!)).toBe("precious {");
  });

  it.each([
    ["of another type", ["RPUSH", `${APP}shop`, "precious"], /a list/],
    ["larger than any document", ["SETRANGE", `${APP}shop`, String(9 * 1024 * 1024), "x"], /9437185 bytes/],
  ])("reports a value %s, reads all others, and moves it aside", async (_what, command, reason) => {
    const directory = opened("gateway-1", 30);
    await directory.write("blog", content("blog"), "absent");
    await redis.command(...command);
    const { apps, damaged } = await directory.read();
    expect(apps.map(({ name }) => name)).toEqual(["blog"]);
    expect(damaged).toMatchObject([{ name: "shop", reason: expect.stringMatching(reason) as string }]);
    const told: (readonly string[] | undefined)[] = [];
    directory.watch((names) => void told.push(names));
    await redis.command("SET", "other", "value");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(told).toEqual([]);
    expect(await directory.write("shop", content("shop"), "absent")).toMatchObject({ app: { revision: 1 } });
    expect(await redis.command("KEYS", "halftone:{apps}:aside:shop:*")).toHaveLength(1);
  });

  it("reports bytes that are no UTF-8, and drops no app for them", async () => {
    const directory = opened();
    const text = JSON.stringify({
      ...document("shop"),
      testers: [{ header: "x-user", equals: "caf\u00e9" }],
    });
    // In Latin-1, as an editor may have saved it.
    await redis.command(
      "EVAL",
      "return redis.call('SET', KEYS[1], (string.gsub(ARGV[1], '\\195\\169', '\\233')))",
      "1",
      `${APP}shop`,
      text,
    );
    expect((await directory.read()).damaged).toMatchObject([
      { name: "shop", reason: expect.stringMatching(/UTF-8/) as string },
    ]);
  });

  it.each(["1e400", "9007199254740993", '"7"', "-3", "2.5"])(
    "takes no revision %s for one, and goes on counting",
    async (revision) => {
      const directory = opened();
      await directory.write("shop", content("shop"), "absent", { floor: 6 });
      const raw = `{"revision":${revision},"document":${JSON.stringify(document("shop"))}}`;
      await redis.command("SET", `${APP}shop`, raw);
      expect((await directory.read()).damaged).toMatchObject([{ name: "shop" }]);
      expect(await directory.write("shop", content("shop"), "absent")).toMatchObject({
        app: { revision: 8 },
      });
      expect(await directory.write("shop", content("shop", 81), "any")).toMatchObject({
        app: { revision: 9 },
      });
      expect(await redis.command("KEYS", "halftone:{apps}:aside:shop:*")).toHaveLength(1);
    },
  );

  it("counts on where the index says what is no number", async () => {
    const directory = opened();
    await directory.write("shop", content("shop"), "absent");
    await redis.command("HSET", "halftone:{apps}:revisions", "shop", "inf");
    expect(await directory.write("shop", content("shop"), 1)).toMatchObject({ app: { revision: 2 } });
    await redis.command("HSET", "halftone:{apps}:revisions", "shop", "many");
    expect(await directory.write("shop", content("shop"), 2)).toMatchObject({ app: { revision: 3 } });
  });

  it("takes only what says so for a deletion", async () => {
    const directory = opened();
    const raw = `{"revision":4,"deleted":null,"document":${JSON.stringify(document("shop"))}}`;
    await redis.command("SET", `${APP}shop`, raw);
    expect((await directory.read()).apps).toMatchObject([{ revision: 4 }]);
    expect(await directory.write("shop", content("shop"), 4)).toMatchObject({ app: { revision: 5 } });
  });

  it("tells who made a change, and keeps an audit of all", async () => {
    const note = { by: "amy", what: "deploy 1 share 5" };
    await opened("gateway-1").write("shop", content("shop"), "absent", { note });
    const { apps } = await opened("gateway-2").read();
    expect(apps[0]!.origin).toEqual({ ...note, gateway: "gateway-1" });
    const audit = JSON.stringify(await redis.command("XRANGE", "halftone:{apps}:audit", "-", "+"));
    expect(audit).toContain("deploy 1 share 5");
    expect(await redis.command("HGET", "halftone:{apps}:revisions", "shop")).toBe("1");
  });

  it("gives a document set by hand a revision above all that the backup knows", async () => {
    const directory = opened();
    directory.recall([{ name: "shop", revision: 7, document: document("shop") }]);
    await redis.command("SET", `${APP}shop`, JSON.stringify(document("shop", 81)));
    expect((await directory.read()).apps).toMatchObject([{ revision: 8 }]);
  });

  it("holds no lock for ever, whatever the lease", async () => {
    const { locks } = opened();
    expect(await locks.acquire("release", "gateway-1", 33.3)).toMatchObject({ kind: "held" });
    expect(await redis.command("PTTL", "halftone:{apps}:lock:release")).toBeGreaterThan(0);
  });

  it("goes on counting where an index is all that is left", async () => {
    const directory = opened();
    await directory.write("shop", content("shop"), "absent", { floor: 6 });
    await redis.command("DEL", `${APP}shop`);
    expect(await directory.write("shop", content("shop"), "absent")).toMatchObject({ app: { revision: 8 } });
  });
});
