import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AppChange, AppStore } from "./app-store.ts";
import { Backup } from "./backup.ts";
import { document, content } from "./directory.contract.ts";
import type { Directory, DirectoryContent } from "./directory.ts";
import { FileDirectory } from "./file-directory.ts";
import { MemoryDirectory } from "./memory-directory.ts";

/** `toMatchObject` takes a bare regular expression for equal to any string. */
function like(pattern: RegExp): string {
  return expect.stringMatching(pattern) as string;
}

const NOW = Date.UTC(2030, 0, 2, 3, 4, 5, 6);
const AT = "2030-01-02T03:04:05.006Z";

let folder: string;
let stores: AppStore[];
let logged: string;
const log = pino({ base: null }, { write: (line: string) => void (logged += line) });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "halftone-store-"));
  stores = [];
  logged = "";
});
afterEach(async () => {
  for (const store of stores) await store.close();
  await rm(folder, { recursive: true });
});

async function open(
  directory: Directory = new MemoryDirectory(),
  backup?: Backup,
  retryEvery: number = 1,
): Promise<AppStore> {
  const store = await AppStore.open({ directory, backup, now: () => NOW, log, retryEvery });
  stores.push(store);
  return store;
}

function files(): FileDirectory {
  return new FileDirectory(folder, { watchDelay: 0 });
}

function backupFile(): Backup {
  return new Backup(join(folder, "backup.json"));
}

/** Closes it, so that its backup is on disk. */
async function fill(names: readonly string[]): Promise<void> {
  const store = await open(files(), backupFile());
  for (const name of names) await store.put(name, document(name), "absent", "amy");
  await store.close();
}

function nextChange(store: AppStore): Promise<AppChange> {
  return new Promise((resolve) => {
    const stop = store.subscribe((change) => {
      stop();
      resolve(change);
    });
  });
}

describe("AppStore: changes", () => {
  it("stores, counts up, deletes, and tells what became of each change", async () => {
    const store = await open();
    const changes: AppChange[] = [];
    store.subscribe((change) => void changes.push(change));
    const first = { name: "shop", revision: 1, document: document("shop") };
    expect(await store.put("shop", document("shop"), "absent", "amy")).toEqual({
      kind: "stored",
      app: first,
      created: true,
    });
    expect(await store.put("shop", document("shop"), 1, "bob")).toMatchObject({
      created: false,
      app: { revision: 2 },
    });
    expect(store.list()).toEqual([{ ...first, revision: 2 }]);
    expect(await store.delete("shop", 2, "cat")).toEqual({
      kind: "deleted",
      before: { ...first, revision: 2 },
    });
    expect(store.get("shop")).toBeUndefined();
    expect(await store.put("shop", document("shop"), "any", "amy")).toMatchObject({
      created: true,
      app: { revision: 4 },
    });
    expect(
      changes.map(({ by, what, before, after }) => [by, what, before?.revision, after?.revision]),
    ).toEqual([
      ["amy", "put", undefined, 1],
      ["bob", "put", 1, 2],
      ["cat", "delete", 2, undefined],
      ["amy", "put", undefined, 4],
    ]);
    expect(changes[0]).toEqual({
      at: AT,
      by: "amy",
      what: "put",
      name: "shop",
      before: undefined,
      after: first,
    });
  });

  it("refuses what is invalid, stale or missing, and leaves what stands", async () => {
    const store = await open();
    await store.put("shop", document("shop"), "absent", "amy");
    const current = store.get("shop");
    expect(await store.put("shop", { ...document("shop"), wrong: 1 }, "any", "amy")).toMatchObject({
      kind: "invalid",
    });
    expect(await store.put("shop", document("other"), "any", "amy")).toMatchObject({ kind: "invalid" });
    expect(await store.put("shop", document("shop"), 7, "amy")).toEqual({ kind: "stale", current });
    expect(await store.put("shop", document("shop"), "absent", "amy")).toEqual({ kind: "stale", current });
    expect(await store.put("gone", document("gone"), 1, "amy")).toEqual({
      kind: "stale",
      current: undefined,
    });
    expect(await store.delete("shop", 7, "amy")).toEqual({ kind: "stale", current });
    expect(await store.delete("gone", "any", "amy")).toEqual({ kind: "missing" });
    expect(await store.setDeploy("gone", { deploy: 1 }, "any", "amy")).toEqual({ kind: "missing" });
    expect(store.list()).toEqual([current]);
  });

  it("lets one of two writers win that saw the same revision", async () => {
    const store = await open(files());
    await store.put("shop", document("shop"), "absent", "amy");
    const both = [
      store.put("shop", document("shop", 81), 1, "amy"),
      store.put("shop", document("shop", 82), 1, "bob"),
    ];
    const [one, other] = await Promise.all(both);
    expect(one).toMatchObject({ kind: "stored", app: { revision: 2 } });
    expect(other).toEqual({ kind: "stale", current: store.get("shop") });
  });

  it("refuses a route that another app claims, named or by default, and frees it with the app", async () => {
    const store = await open();
    const routes = [{ host: "a.example.com" }, { host: "shop.example.com", path: "/" }];
    await store.put("x", { ...document("x"), routes }, "absent", "amy");
    const claim = { ...document("y"), routes: [{ path: "/y" }, { host: "SHOP.example.com" }] };
    const refused = await store.put("y", claim, "absent", "amy");
    expect(refused).toEqual({
      kind: "invalid",
      problems: [
        {
          path: "routes[1]",
          found: '{"host":"shop.example.com"}',
          expected: "a route of its own: shop.example.com/ is already claimed by app x",
        },
      ],
    });
    expect(await store.put("x", { ...document("x"), routes }, "any", "amy")).toMatchObject({
      kind: "stored",
    });
    const { routes: _none, ...anywhere } = document("z");
    await store.put("z", anywhere, "absent", "amy");
    const second = await store.put("second", { ...anywhere, name: "second" }, "absent", "amy");
    expect(second).toMatchObject({
      problems: [{ path: "routes", expected: like(/\*\/ is already claimed by app z/) }],
    });
    await store.delete("x", "any", "amy");
    expect(await store.put("y", claim, "absent", "amy")).toMatchObject({ kind: "stored" });
  });

  it("lets one of two apps win that claim the same route at once", async () => {
    const store = await open(files());
    const routes = [{ host: "same.example.com" }];
    const both = ["x", "y"].map((name) => store.put(name, { ...document(name), routes }, "absent", "amy"));
    const kinds = (await Promise.all(both)).map((result) => result.kind);
    expect(kinds).toEqual(["stored", "invalid"]);
  });

  it("switches the group under test, with the share reset unless given", async () => {
    const store = await open();
    await store.put("shop", document("shop"), "absent", "amy");
    const changed = nextChange(store);
    expect(await store.setDeploy("shop", { deploy: 1, share: 25 }, 1, "amy")).toMatchObject({
      app: { revision: 2, document: { deploy: 1, share: 25, port: 80 } },
    });
    expect((await changed).what).toBe("deploy 1 share 25");
    expect(await store.setDeploy("shop", { deploy: "2" }, "any", "amy")).toMatchObject({
      app: { document: { deploy: 2, share: 0 } },
    });
    for (const deploy of [3, -1, 1.5, "x", "", null, undefined]) {
      expect(await store.setDeploy("shop", { deploy }, "any", "amy")).toMatchObject({ kind: "invalid" });
    }
    expect(await store.setDeploy("shop", { deploy: 1, share: null }, "any", "amy")).toMatchObject({
      kind: "invalid",
    });
    expect(await store.setDeploy("shop", { deploy: 0 }, 1, "amy")).toMatchObject({ kind: "stale" });
    expect(store.get("shop")?.document.deploy).toBe(2);
  });

  it("answers only when every listener is done, and goes on when one fails", async () => {
    const store = await open();
    const steps: string[] = [];
    let release: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const reached = new Promise<void>((resolve) => {
      store.subscribe(async () => {
        resolve();
        await gate;
        steps.push("applied");
      });
    });
    store.subscribe(() => {
      throw new Error("listener broke");
    });
    const answered = store
      .put("shop", document("shop"), "absent", "amy")
      .then((result) => steps.push(result.kind));
    await reached;
    // Nothing here waits for the system, so everything that could go on has done so by the next turn.
    await new Promise(setImmediate);
    expect(store.get("shop")).toBeDefined();
    expect(steps).toEqual([]);
    release?.();
    await answered;
    expect(steps).toEqual(["applied", "stored"]);
    expect(logged).toContain("listener broke");
  });

  it("does not bring back by a seed what was deleted", async () => {
    const store = await open(files(), backupFile());
    await store.put("shop", document("shop"), "absent", "amy");
    await store.delete("shop", 1, "amy");
    await store.close();
    const again = await open(files(), backupFile());
    const result = await again.seed([document("shop")], "start");
    expect(result).toEqual({ stored: [], present: [], deleted: ["shop"], refused: [] });
    expect(await again.put("shop", document("shop"), "absent", "amy")).toMatchObject({ kind: "stored" });
  });

  it("seeds only what is absent", async () => {
    const store = await open();
    await store.put("shop", document("shop", 81), "absent", "amy");
    const clash = { ...document("clash"), routes: [{ path: "/cart" }] };
    const seeds = [document("shop"), document("cart"), document("cart", 82), clash];
    const result = await store.seed(seeds, "start");
    expect(result.stored.map((app) => app.name)).toEqual(["cart"]);
    expect(result.present).toEqual(["shop"]);
    expect(result.refused.map(({ name, result }) => [name, result.kind])).toEqual([
      ["cart", "invalid"],
      ["clash", "invalid"],
    ]);
    expect(store.get("shop")?.document.port).toBe(81);
    expect(store.get("cart")?.document.port).toBe(80);
  });
});

describe("AppStore: directory and backup", () => {
  it("starts from the backup when the directory is out of reach, refuses changes, and catches up", async () => {
    await fill(["shop", "cart"]);
    const elsewhere = new FileDirectory(folder);
    await elsewhere.write("shop", content("shop", 81), 1);
    await elsewhere.write("new", content("new"), "absent");
    await elsewhere.delete("cart", 1);
    await rename(join(folder, "apps"), join(folder, "away"));
    await writeFile(join(folder, "apps"), "");
    const store = await open(files(), backupFile());
    expect(store.list().map((app) => [app.name, app.revision])).toEqual([
      ["shop", 1],
      ["cart", 1],
    ]);
    expect(store.status()).toMatchObject({
      state: "backup",
      since: AT,
      reason: like(/cannot make .*apps/),
      damaged: [],
    });
    const refused = { kind: "unavailable", reason: like(/out of reach/) };
    expect(await store.put("shop", document("shop"), "any", "amy")).toMatchObject(refused);
    expect(await store.delete("shop", "any", "amy")).toMatchObject(refused);
    expect((await store.seed([document("seed")], "start")).refused).toMatchObject([
      { name: "seed", result: refused },
    ]);

    const names: string[] = [];
    const all = new Promise<void>((resolve) => {
      store.subscribe((change) => {
        if (names.push(`${change.by} ${change.name} ${change.after?.revision ?? "gone"}`) === 3) resolve();
      });
    });
    await rm(join(folder, "apps"));
    await rename(join(folder, "away"), join(folder, "apps"));
    await all;
    expect(names.sort()).toEqual(["directory cart gone", "directory new 1", "directory shop 2"]);
    expect(store.status()).toMatchObject({ state: "current" });
    expect(store.status().reason).toBeUndefined();
    expect(await store.put("shop", document("shop"), 2, "amy")).toMatchObject({ kind: "stored" });
  });

  it("says what is wrong with both when neither can be read", async () => {
    await writeFile(join(folder, "apps"), "");
    const apps = join(folder, "apps");
    const path = join(folder, "backup.json");
    await expect(open(files(), backupFile())).rejects.toThrow(`(file ${apps}) is out of reach`);
    await expect(open(files(), backupFile())).rejects.toThrow(`there is no backup at ${path}`);
    await expect(open(files())).rejects.toThrow("no backup is configured");
    await writeFile(path, "{");
    await expect(open(files(), backupFile())).rejects.toThrow(`the backup ${path} is damaged`);
  });

  it("takes a damaged app from the backup, the others from the directory, over restarts and until it is written", async () => {
    await fill(["shop", "cart"]);
    await new FileDirectory(folder).write("cart", content("cart", 81), 1);
    await writeFile(join(folder, "apps", "shop.json"), "{");
    for (const start of ["first", "second"]) {
      const store = await open(files(), backupFile());
      expect(store.get("shop"), start).toEqual({ name: "shop", revision: 1, document: document("shop") });
      expect(store.get("cart")?.revision).toBe(2);
      expect(store.status()).toMatchObject({ state: "current", damaged: [{ name: "shop" }] });
      expect((await store.seed([document("shop")], "start")).present).toEqual(["shop"]);
      await store.close();
    }
    expect(logged).toContain("app shop: not readable as JSON");
    expect(logged).toContain("revision in force: 1");
    const store = await open(files(), backupFile());
    expect(await store.put("shop", document("shop"), 1, "amy")).toMatchObject({
      kind: "stored",
      app: { revision: 2 },
    });
    expect(store.status().damaged).toEqual([]);
    await store.reload();
    expect(store.status().damaged).toEqual([]);
  });

  it("deletes an app that only the backup still holds, for good", async () => {
    await fill(["shop"]);
    await writeFile(join(folder, "apps", "shop.json"), "{");
    const store = await open(files(), backupFile());
    expect(await store.delete("shop", 1, "amy")).toMatchObject({ kind: "deleted", before: { revision: 1 } });
    await store.close();
    const later = await open(files(), backupFile());
    expect(later.list()).toEqual([]);
    expect(later.status().damaged).toEqual([]);
    expect(await later.put("shop", document("shop"), "absent", "amy")).toMatchObject({
      app: { revision: 4 },
    });
  });

  it("does not seed over a damaged app: how far its release had come is unknown", async () => {
    await fill(["shop"]);
    await rm(join(folder, "backup.json"));
    await writeFile(join(folder, "apps", "shop.json"), "{");
    const store = await open(files(), backupFile());
    const { refused } = await store.seed([document("shop")], "start");
    expect(refused).toMatchObject([
      { name: "shop", result: { kind: "unavailable", reason: like(/damaged and set aside as/) } },
    ]);
    expect(await store.put("shop", document("shop"), "absent", "amy")).toMatchObject({ kind: "stored" });
  });

  it("applies what others change, by watching", async () => {
    const store = await open(files());
    const elsewhere = new FileDirectory(folder);
    const created = nextChange(store);
    await elsewhere.write("shop", content("shop"), "absent");
    expect(await created).toMatchObject({
      by: "directory",
      what: "directory",
      before: undefined,
      after: { revision: 1 },
    });
    const deleted = nextChange(store);
    await elsewhere.delete("shop", 1);
    expect(await deleted).toMatchObject({ before: { revision: 1 }, after: undefined });
  });

  it("refuses a writer who has not seen what others changed, and brings that into force", async () => {
    const directory = new MemoryDirectory();
    const store = await open(directory);
    await store.put("shop", document("shop"), "absent", "amy");
    await directory.write("shop", content("shop", 81), 1);
    const changed = nextChange(store);
    const current = { revision: 2, document: { port: 81 } };
    expect(await store.put("shop", document("shop", 82), 1, "amy")).toMatchObject({ kind: "stale", current });
    expect(await changed).toMatchObject({ by: "directory", after: current });
    await directory.write("shop", content("shop", 83), 2);
    const switched = await store.setDeploy("shop", { deploy: 1 }, "any", "amy");
    expect(switched).toMatchObject({
      kind: "stored",
      app: { revision: 4, document: { port: 83, deploy: 1 } },
    });
  });

  it("never goes backwards: an older or emptied directory changes nothing, and can be written over", async () => {
    const store = await open(files());
    await store.put("old", document("old"), "absent", "amy");
    await store.put("lost", document("lost"), "absent", "amy");
    await store.put("dead", document("dead"), "absent", "amy");
    await store.delete("dead", 1, "amy");
    await store.put("old", document("old", 81), 1, "amy");
    const before = store.list();

    const restored = new FileDirectory(join(folder, "restored"));
    await restored.write("old", content("old"), "absent");
    await restored.write("dead", content("dead"), "absent");
    await rm(join(folder, "apps"), { recursive: true });
    await rename(join(folder, "restored", "apps"), join(folder, "apps"));
    await store.reload();
    expect(store.list()).toEqual(before);
    expect(logged).toContain("the directory answers revision 1, older than 2 for app old");
    expect(logged).toContain("the directory answers no such app, and no deletion for app lost");

    expect(await store.put("old", document("old", 82), 2, "amy")).toMatchObject({
      kind: "stored",
      app: { revision: 3 },
    });
    expect(await store.put("lost", document("lost"), 1, "amy")).toMatchObject({
      kind: "stored",
      app: { revision: 2 },
    });
    expect(await store.put("dead", document("dead"), "absent", "amy")).toMatchObject({
      app: { revision: 3 },
    });
    const { apps } = await new FileDirectory(folder).read();
    expect(apps.map((app) => [app.name, app.revision])).toEqual([
      ["dead", 3],
      ["lost", 2],
      ["old", 3],
    ]);
  });

  it("keeps what is in force when the directory vanishes, and follows it again", async () => {
    const store = await open(files(), backupFile(), 1);
    await store.put("shop", document("shop"), "absent", "amy");
    await rename(join(folder, "apps"), join(folder, "away"));
    await store.reload();
    expect(store.status()).toMatchObject({ state: "backup", reason: like(/ENOENT/) });
    expect(store.get("shop")?.revision).toBe(1);
    const elsewhere = new FileDirectory(join(folder, "elsewhere"));
    await elsewhere.write("shop", content("shop", 81), "absent", { floor: 1 });
    const changed = nextChange(store);
    await rename(join(folder, "elsewhere", "apps"), join(folder, "apps"));
    expect(await changed).toMatchObject({ after: { revision: 2, document: { port: 81 } } });
    expect(store.status().state).toBe("current");
  });

  it("writes the backup at every change, and reports when it cannot", async () => {
    const store = await open(files(), backupFile());
    await store.put("shop", document("shop"), "absent", "amy");
    await store.setDeploy("shop", { deploy: 1 }, "any", "amy");
    await store.close();
    expect(await backupFile().load()).toMatchObject({ apps: [{ name: "shop", revision: 2 }] });
    expect(store.status().backup).toEqual({ path: join(folder, "backup.json"), savedAt: AT });

    await writeFile(join(folder, "blocked"), "");
    const failing = await open(files(), new Backup(join(folder, "blocked", "backup.json")));
    expect(await failing.put("shop", document("shop"), "any", "amy")).toMatchObject({ kind: "stored" });
    await failing.close();
    expect(failing.status().backup?.error).toMatch(/EEXIST|ENOTDIR/);
    expect(logged).toContain("the backup could not be written");
  });

  it("does not write the backup again at a start that changes nothing", async () => {
    await fill(["shop", "cart"]);
    await fill([]);
    const kept = await new Backup(join(folder, "backup.json.previous")).load();
    expect(kept).toMatchObject({ apps: [{ name: "shop" }] });
  });
});

describe("AppStore: differences", () => {
  const SHOP = { name: "shop", revision: 5, document: document("shop") };

  /** Its content is set by the test, as by somebody else. */
  class SetDirectory extends MemoryDirectory {
    content: DirectoryContent = { apps: [SHOP], deleted: [], damaged: [] };
    asked: readonly unknown[] = [];
    override read(): Promise<DirectoryContent> {
      return Promise.resolve(this.content);
    }
    override write(...asked: Parameters<MemoryDirectory["write"]>): ReturnType<MemoryDirectory["write"]> {
      const [name, { document }, expected, { floor = 0 } = {}] = asked;
      this.asked = ["write", name, expected, floor];
      return Promise.resolve({
        kind: "written",
        app: { name, revision: floor + 1, document },
        before: undefined,
      });
    }
    override delete(...asked: Parameters<MemoryDirectory["delete"]>): ReturnType<MemoryDirectory["delete"]> {
      const [name, expected, { floor = 0 } = {}] = asked;
      this.asked = ["delete", name, expected, floor];
      return Promise.resolve({ kind: "deleted", before: { ...SHOP, name }, revision: floor + 1 });
    }
  }

  it("takes what cannot be read for no wish that the app goes", async () => {
    const directory = new SetDirectory();
    const store = await open(directory);
    const damage = { name: "shop", setAside: "a key", reason: "no JSON" };
    directory.content = { apps: [], deleted: [], damaged: [damage] };
    await store.reload();
    expect(await store.restore("shop", "directory", "amy")).toMatchObject({
      kind: "invalid",
      problems: [{ found: "what cannot be read: no JSON" }],
    });
    expect(store.list()).toEqual([SHOP]);
    expect(directory.asked).toEqual([]);
  });

  it("brings back a deletion that the directory has lost", async () => {
    const directory = new SetDirectory();
    const store = await open(directory);
    directory.content = { apps: [], deleted: [{ name: "shop", revision: 6 }], damaged: [] };
    await store.reload();
    directory.content = { apps: [SHOP], deleted: [], damaged: [] };
    await store.reload();
    expect(store.differences()).toMatchObject([{ name: "shop", inForce: undefined, stored: SHOP }]);
    expect(await store.restore("shop", "gateway", "amy")).toMatchObject({ kind: "deleted" });
    expect(directory.asked).toEqual(["delete", "shop", 5, 6]);
    expect(store.differences()).toEqual([]);
  });

  it("restores over what was seen in the directory, not over what somebody sets meanwhile", async () => {
    const directory = new SetDirectory();
    const store = await open(directory);
    directory.content = { apps: [{ ...SHOP, revision: 3 }], deleted: [], damaged: [] };
    await store.reload();
    await store.restore("shop", "gateway", "amy");
    expect(directory.asked).toEqual(["write", "shop", 3, 5]);
  });
});

it("starts from the backup when the directory answers, but does not come to an end", async () => {
  await fill(["shop"]);
  class SlowDirectory extends MemoryDirectory {
    slow = true;
    override async read(): Promise<DirectoryContent> {
      // As one that takes two seconds for each of fifty pages.
      while (this.slow) await new Promise((resolve) => setTimeout(resolve, 5));
      return {
        apps: [{ name: "shop", revision: 7, document: document("shop", 81) }],
        deleted: [],
        damaged: [],
      };
    }
  }
  const directory = new SlowDirectory();
  const options = { directory, backup: backupFile(), now: () => NOW, log, retryEvery: 1, startWithin: 20 };
  const store = await AppStore.open(options);
  stores.push(store);
  expect(store.list()).toMatchObject([{ name: "shop", revision: 1 }]);
  expect(store.status()).toMatchObject({
    state: "backup",
    reason: like(/has not answered in full within 20 ms/),
  });
  const change = nextChange(store);
  directory.slow = false;
  expect((await change).after).toMatchObject({ revision: 7 });
  expect(store.status().state).toBe("current");
});
