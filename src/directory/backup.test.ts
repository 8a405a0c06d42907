import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { Backup } from "./backup.ts";
import { document } from "./directory.contract.ts";
import type { StoredApp } from "./directory.ts";

const root = await mkdtemp(join(tmpdir(), "halftone-backup-"));
afterAll(async () => {
  await rm(root, { recursive: true });
});

const NOW = Date.UTC(2030, 0, 2, 3, 4, 5, 6);
const SAVED_AT = "2030-01-02T03:04:05.006Z";

function version(revision: number): readonly StoredApp[] {
  return [{ name: "shop", revision, document: document("shop", revision) }];
}

describe("Backup", () => {
  let folder: string;
  let path: string;
  let backup: Backup;
  beforeEach(async () => {
    folder = await mkdtemp(join(root, "b-"));
    path = join(folder, "data", "backup.json");
    backup = new Backup(path, () => NOW);
  });

  it("is absent at first", async () => {
    expect(await backup.load()).toEqual({ kind: "absent" });
  });

  it("gives back what was saved", async () => {
    await backup.save(version(3));
    expect(await new Backup(path).load()).toEqual({
      kind: "loaded",
      apps: version(3),
      damaged: [],
      savedAt: SAVED_AT,
    });
  });

  it("gives back many, of any text, and none", async () => {
    const odd = { ...document("b", 1), routes: [{ host: "*", path: '/a,\n"b' }] };
    const apps = [
      ...version(3),
      { name: "b", revision: 1, document: odd, origin: { by: ",\n", what: "é", gateway: "g" } },
    ];
    await backup.save(apps);
    await backup.save(apps);
    const load = await new Backup(path).load();
    expect(load).toMatchObject({ kind: "loaded", savedAt: SAVED_AT });
    expect(load.kind === "loaded" && load.apps.map(({ name }) => name)).toEqual(["shop"]);
    expect(load.kind === "loaded" && load.damaged.map(({ name }) => name)).toEqual(["b"]);
    await backup.save([]);
    expect(await new Backup(path).load()).toMatchObject({ kind: "loaded", apps: [], damaged: [] });
  });

  it("keeps the one before", async () => {
    await backup.save(version(1));
    await backup.save(version(2));
    expect(await readdir(join(folder, "data"))).toEqual(["backup.json", "backup.json.previous"]);
    expect(await new Backup(`${path}.previous`).load()).toMatchObject({ apps: version(1) });
  });

  it("writes the latest of many contents that come while it is busy, and only that", async () => {
    let writes = 0;
    const counting = new Backup(path, () => {
      writes += 1;
      return NOW;
    });
    const first = counting.save(version(1));
    const burst = Array.from({ length: 50 }, (_, n) => counting.save(version(n + 2)));
    await first;
    const meanwhile = Array.from({ length: 50 }, (_, n) => counting.save(version(n + 52)));
    await Promise.all([...burst, ...meanwhile]);
    expect(await counting.load()).toMatchObject({ apps: version(101) });
    expect(writes).toBeLessThanOrEqual(3);
  });

  it("answers a save only when that content or a later one is on disk", async () => {
    const landed: number[] = [];
    const saves = Array.from({ length: 30 }, async (_, n) => {
      await backup.save(version(n + 1));
      const loaded = await new Backup(path).load();
      landed.push(loaded.kind === "loaded" ? loaded.apps[0]!.revision - (n + 1) : -1);
    });
    await Promise.all(saves);
    expect(landed).toHaveLength(30);
    expect(Math.min(...landed)).toBeGreaterThanOrEqual(0);
  });

  it("falls back to the one before wherever the newest was cut, and keeps the damaged bytes", async () => {
    await backup.save(version(1));
    await backup.save(version(2));
    const newest = await readFile(path);
    for (let length = 0; length < newest.length - 1; length += 7) {
      await writeFile(path, newest.subarray(0, length));
      const loaded = await backup.load();
      expect(loaded).toMatchObject({ kind: "loaded", apps: version(1), savedAt: SAVED_AT });
      const aside = (await readdir(join(folder, "data"))).filter((name) => name.includes(".damaged-"));
      expect(aside).toHaveLength(1);
      expect(loaded).toMatchObject({ fellBack: expect.stringContaining(aside[0]!) as string });
      expect(await readFile(join(folder, "data", aside[0]!))).toEqual(newest.subarray(0, length));
      await rm(join(folder, "data", aside[0]!));
    }
  });

  it("falls back when a crash came between the two renames", async () => {
    await backup.save(version(1));
    await copyFile(path, `${path}.previous`);
    await rm(path);
    expect(await backup.load()).toMatchObject({
      kind: "loaded",
      apps: version(1),
      fellBack: `${path} is missing`,
    });
  });

  it("says so when both are damaged", async () => {
    await backup.save(version(1));
    await writeFile(path, "{");
    await writeFile(`${path}.previous`, "{");
    const loaded = await backup.load();
    expect(loaded).toMatchObject({ kind: "damaged", setAside: `${path}.damaged-20300102T030405006Z` });
    await backup.save(version(2));
    expect(await backup.load()).toMatchObject({ kind: "loaded", apps: version(2) });
  });

  it("rejects a save that cannot be written, and goes on after it", async () => {
    const blocked = join(folder, "data");
    await writeFile(blocked, "");
    await expect(backup.save(version(1))).rejects.toThrow();
    await rm(blocked);
    await backup.save(version(2));
    expect(await backup.load()).toMatchObject({ apps: version(2) });
  });
});
