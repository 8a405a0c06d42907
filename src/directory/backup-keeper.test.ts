import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { BackupKeeper } from "./backup-keeper.ts";
import { Backup } from "./backup.ts";
import { document } from "./directory.contract.ts";
import type { StoredApp } from "./directory.ts";

const root = await mkdtemp(join(tmpdir(), "halftone-backup-keeper-"));
afterAll(async () => {
  await rm(root, { recursive: true });
});

it("saves the newest of many changes, not each: a start with thousands of apps is one of them", async () => {
  const path = join(root, "backup.json");
  let written = 0;
  // The time is asked for once for each backup that was written.
  const now = (): number => ++written;
  const silent = {
    info: () => {},
    warn: () => {},
    error: (problem: unknown) => expect.fail(String(problem)),
  };
  const keeper = new BackupKeeper(new Backup(path), now, silent);
  const apps: StoredApp[] = [];
  for (let i = 0; i < 500; i++) {
    apps.push({ name: `app-${i}`, revision: 1, document: document(`app-${i}`, 1) });
    keeper.save(() => [...apps]);
  }
  await keeper.settled();
  expect(written).toBe(2);
  expect(await new Backup(path).load()).toMatchObject({ kind: "loaded", apps });
  keeper.save(() => apps.slice(1));
  await keeper.settled();
  expect(await new Backup(path).load()).toMatchObject({ kind: "loaded", apps: apps.slice(1) });
});
