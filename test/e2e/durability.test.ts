import { readdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startBackends } from "./harness/backend.ts";
import { ask } from "./harness/client.ts";
import { createSite, type HalftoneProcess, readJson, revisionOf } from "./harness/halftone-process.ts";
import { openScene } from "./harness/scene.ts";
import { pause, until } from "./harness/until.ts";

const ROUNDS = 10;

/** mulberry32: one number is the whole test run, to be repeated with HALFTONE_SEED. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const document = (counter: number): object => ({
  name: "shop",
  groups: { only: { weight: counter, servers: ["127.0.4.61:8080"] } },
});

interface Written {
  readonly counter: number;
  readonly revision: number;
}

/** Puts documents one after another until the process is gone. */
class Writer {
  sent: number;
  acknowledged: Written;
  readonly done: Promise<void>;

  constructor(halftone: HalftoneProcess, from: Written) {
    this.sent = from.counter;
    this.acknowledged = from;
    this.done = this.#run(halftone);
  }

  async #run(halftone: HalftoneProcess): Promise<void> {
    for (;;) {
      this.sent += 1;
      try {
        const revision = await halftone.put("shop", document(this.sent));
        this.acknowledged = { counter: this.sent, revision };
      } catch (error) {
        // fetch's own error: the connection broke. Everything else is a refusal, which a whole gateway has no reason for.
        if (!(error instanceof TypeError)) throw error;
        return;
      }
    }
  }
}

describe("a supervisor that is killed in the middle of writes", () => {
  it("has lost nothing that it acknowledged", { timeout: 60_000 }, async () => {
    const scene = openScene(onTestFinished);
    const seed = Number(process.env["HALFTONE_SEED"] ?? Date.now() % 2 ** 31);
    console.log(`HALFTONE_SEED=${seed}`);
    const random = dice(seed);
    const site = await createSite(scene, { gateway: { workers: 0 } });
    let halftone = await site.start();
    let inForce: Written = { counter: 1, revision: await halftone.put("shop", document(1)) };

    for (let round = 0; round < ROUNDS; round++) {
      const writer = new Writer(halftone, inForce);
      await pause(random() * 400);
      halftone.kill("SIGKILL");
      await writer.done;
      await halftone.exit;
      const { acknowledged, sent } = writer;

      halftone = await site.start();
      const answer = await halftone.api("GET", "/apps/shop");
      expect(answer.status, `round ${round}`).toBe(200);
      const counter = (answer.body as { groups: { only: { weight: number } } }).groups.only.weight;
      inForce = { counter, revision: revisionOf(answer) };
      // The last write it said yes to, or the one that it had not answered yet.
      const one = sent - acknowledged.counter;
      expect([0, 1]).toContain(one);
      expect([acknowledged.counter, sent]).toContain(counter);
      expect(inForce.revision).toBe(acknowledged.revision + (counter - acknowledged.counter));

      const readiness = await halftone.admin("GET", "/readyz");
      expect(readiness.status).toBe(200);
      const files = await readdir(join(site.folder, "data", "apps"));
      expect(files.filter((name) => name.includes("damaged"))).toEqual([]);
      // It is written beside the changes, not before they are acknowledged.
      await until("the backup to follow", async () => {
        const backup = (await readJson(join(site.folder, "data", "backup.json")).catch(() => undefined)) as
          | { apps: readonly { name: string; revision: number }[] }
          | undefined;
        return backup?.apps[0]?.revision === inForce.revision;
      });
    }
    expect(inForce.counter).toBeGreaterThan(ROUNDS);

    const audit = await readFile(join(site.folder, "data", "audit.jsonl"), "utf8");
    const entries = audit.trimEnd().split("\n");
    // Each kill may have torn the line that was being written, no other.
    const torn = entries.filter((line) => !isJson(line));
    expect(torn.length).toBeLessThanOrEqual(ROUNDS);
    expect(await halftone.stop()).toBe(0);
  });
});

describe("a document whose file is damaged", () => {
  it("is set aside and named, and the backup's is in force", async () => {
    const scene = openScene(onTestFinished);
    const [backend] = await startBackends(scene, ["127.0.4.62", "127.0.4.63"]);
    const site = await createSite(scene);
    const first = await site.start();
    await first.put("shop", {
      name: "shop",
      port: backend!.port,
      groups: { blue: { servers: ["127.0.4.62"] }, green: { servers: ["127.0.4.63"] } },
    });
    await first.put("other", {
      name: "other",
      routes: [{ host: "other.example" }],
      groups: { only: { servers: ["127.0.4.62:1"] } },
    });
    await first.deploy("shop", 1);
    const stored = await first.api("GET", "/apps/shop");
    expect(await first.stop()).toBe(0);

    const folder = join(site.folder, "data", "apps");
    await truncate(join(folder, "shop.json"), 100);
    const second = await site.start();

    const after = await second.api("GET", "/apps/shop");
    expect(after.body).toEqual(stored.body);
    expect(revisionOf(after)).toBe(revisionOf(stored));
    expect((await ask({ port: second.gatewayPort })).servedBy).toBe("127.0.4.63");

    const files = await readdir(folder);
    const setAside = files.find((name) => name.startsWith("shop.json.damaged-"));
    expect(setAside).toBeDefined();
    const readiness = await second.admin("GET", "/readyz");
    expect(JSON.stringify(readiness.body)).toContain(setAside);
    expect(JSON.stringify(await second.logged(/shop\.json\.damaged-/))).toContain("shop");

    // Written again it is whole again, at a revision above all before.
    const revision = await second.put("shop", after.body);
    expect(revision).toBeGreaterThan(revisionOf(stored));
    expect(JSON.stringify((await second.admin("GET", "/readyz")).body)).not.toContain(setAside);
    expect(await second.stop()).toBe(0);
    const third = await site.start();
    expect(revisionOf(await third.api("GET", "/apps/shop"))).toBe(revision);
  });

  it("does not stop the others when the backup is damaged too", async () => {
    const scene = openScene(onTestFinished);
    const site = await createSite(scene, { gateway: { workers: 0 } });
    const first = await site.start();
    await first.put("shop", document(1));
    await first.put("other", {
      name: "other",
      routes: [{ host: "other.example" }],
      groups: { only: { servers: ["127.0.4.62:1"] } },
    });
    expect(await first.stop()).toBe(0);
    const data = join(site.folder, "data");
    await truncate(join(data, "apps", "shop.json"), 100);
    for (const name of await readdir(data)) {
      if (name.startsWith("backup.json")) await truncate(join(data, name), 50);
    }

    const second = await site.start();
    expect((await second.api("GET", "/apps/shop")).status).toBe(404);
    expect((await second.api("GET", "/apps/other")).status).toBe(200);
    expect(JSON.stringify((await second.admin("GET", "/readyz")).body)).toContain("shop.json.damaged-");
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
