import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AppDocument } from "../config/app-document.ts";
import type { AppContent, Directory } from "./directory.ts";

/** A valid document; `port` tells one version from another. */
export function document(name: string, port: number = 80): AppDocument {
  return {
    name,
    routes: [{ path: `/${name}` }],
    port,
    groups: { old: { servers: ["10.0.0.1"] }, new: { weight: 10, servers: ["10.0.0.2", "10.0.0.3"] } },
  };
}

/** The same as a writer stores it. */
export function content(name: string, port?: number): AppContent {
  return { document: document(name, port) };
}

/** What every directory does, whatever it stores in. */
export function describeDirectory(kind: string, open: () => Promise<Directory>): void {
  describe(`${kind} directory`, () => {
    let directory: Directory;
    beforeEach(async () => {
      directory = await open();
    });
    afterEach(async () => {
      await directory.close();
    });

    it("is empty at first", async () => {
      expect(await directory.read()).toEqual({ apps: [], deleted: [], damaged: [] });
    });

    it("gives back what was written, with revision 1", async () => {
      const app = { name: "shop", revision: 1, document: document("shop") };
      const result = await directory.write("shop", content("shop"), "absent");
      expect(result).toEqual({ kind: "written", app, before: undefined });
      expect((await directory.read()).apps).toEqual([app]);
    });

    it("keeps the order of the groups, which is the order of updates", async () => {
      const groups = {
        z: { servers: ["10.0.0.1"] },
        a: { servers: ["10.0.0.2"] },
        m: { servers: ["10.0.0.3"] },
      };
      await directory.write("shop", { document: { name: "shop", groups } }, "absent");
      const [app] = (await directory.read()).apps;
      expect(Object.keys(app!.document.groups)).toEqual(["z", "a", "m"]);
    });

    it("counts revisions up by one, an equal document included", async () => {
      await directory.write("shop", content("shop"), "absent");
      await directory.write("shop", content("shop"), 1);
      const result = await directory.write("shop", content("shop", 81), "any");
      expect(result).toMatchObject({ kind: "written", app: { revision: 3 }, before: { revision: 2 } });
    });

    it("keeps beside a document what is known of its releases", async () => {
      const releases = { current: { id: "r1" }, past: [] };
      await directory.write("shop", { ...content("shop"), releases }, "absent");
      expect((await directory.read()).apps).toEqual([
        { name: "shop", revision: 1, document: document("shop"), releases },
      ]);
      await directory.write("shop", content("shop"), 1);
      expect((await directory.read()).apps[0]).not.toHaveProperty("releases");
    });

    it("refuses a writer who has not seen what stands, and changes nothing", async () => {
      await directory.write("shop", content("shop"), "absent");
      await directory.write("shop", content("shop", 81), 1);
      const before = await directory.read();
      for (const expected of [1, 3, "absent"] as const) {
        const current = { revision: 2, document: { port: 81 } };
        expect(await directory.write("shop", content("shop", 82), expected)).toMatchObject({
          kind: "stale",
          current,
        });
      }
      for (const expected of [1, "absent"] as const) {
        expect(await directory.delete("shop", expected)).toMatchObject({
          kind: "stale",
          current: { revision: 2 },
        });
      }
      expect(await directory.write("other", content("other"), 1)).toEqual({
        kind: "stale",
        current: undefined,
      });
      expect(await directory.read()).toEqual(before);
    });

    it("lets exactly one of several writers win that saw the same revision", async () => {
      await directory.write("shop", content("shop"), "absent");
      const ports = [81, 82, 83, 84, 85];
      const results = await Promise.all(
        ports.map((port) => directory.write("shop", content("shop", port), 1)),
      );
      const won = results.flatMap((result) => (result.kind === "written" ? [result.app] : []));
      expect(won).toHaveLength(1);
      expect((await directory.read()).apps).toEqual(won);
    });

    it("remembers a deletion, and goes on counting after it", async () => {
      await directory.write("shop", content("shop"), "absent");
      await directory.write("shop", content("shop"), 1);
      expect(await directory.delete("shop", 2)).toMatchObject({
        kind: "deleted",
        before: { revision: 2 },
        revision: 3,
      });
      expect(await directory.read()).toEqual({
        apps: [],
        deleted: [{ name: "shop", revision: 3 }],
        damaged: [],
      });
      expect(await directory.delete("shop", "any")).toEqual({ kind: "stale", current: undefined });
      expect(await directory.write("shop", content("shop"), 3)).toEqual({
        kind: "stale",
        current: undefined,
      });
      const again = await directory.write("shop", content("shop"), "absent");
      expect(again).toMatchObject({ kind: "written", app: { revision: 4 }, before: undefined });
      expect((await directory.read()).deleted).toEqual([]);
    });

    it("gives a revision above the floor", async () => {
      expect(await directory.write("shop", content("shop"), "absent", { floor: 7 })).toMatchObject({
        app: { revision: 8 },
      });
      expect(await directory.write("shop", content("shop"), 8, { floor: 3 })).toMatchObject({
        app: { revision: 9 },
      });
    });

    it("takes names that mean something to JavaScript as plain data", async () => {
      for (const name of ["__proto__", "constructor", "toString", "a.json", "A_b-c.1"]) {
        expect(await directory.write(name, content(name), "absent")).toMatchObject({ kind: "written" });
      }
      const names = (await directory.read()).apps.map((app) => app.name);
      expect(names.sort()).toEqual(["A_b-c.1", "__proto__", "a.json", "constructor", "toString"]);
    });

    it("gives a lock to one holder, until it is given back", async () => {
      const { locks } = directory;
      const held = await locks.acquire("release", "one", 60_000);
      if (held.kind !== "held") throw new Error("the lock was free");
      expect(await locks.acquire("release", "other", 60_000)).toMatchObject({ kind: "taken", holder: "one" });
      expect(await locks.renew(held.lock, 60_000)).toBe(true);
      await locks.release(held.lock);
      expect(await locks.renew(held.lock, 60_000)).toBe(false);
      const next = await locks.acquire("release", "other", 60_000);
      if (next.kind !== "held") throw new Error("the lock was given back");
      expect(next.lock.token).toBeGreaterThan(held.lock.token);
    });

    it("refuses the writes of a holder that slept through its lease", async () => {
      const { locks } = directory;
      const asleep = await locks.acquire("release", "one", 1);
      if (asleep.kind !== "held") throw new Error("the lock was free");
      let next = await locks.acquire("release", "other", 60_000);
      while (next.kind === "taken") next = await locks.acquire("release", "other", 60_000);
      const { lock: fence } = next;
      await directory.write("shop", content("shop"), "absent", { fence });
      const refused = { kind: "fenced", lock: "release" };
      expect(await directory.write("shop", content("shop"), 1, { fence: asleep.lock })).toEqual(refused);
      expect(await directory.delete("shop", 1, { fence: asleep.lock })).toEqual(refused);
      expect(await directory.delete("shop", 1, { fence })).toMatchObject({ kind: "deleted" });
    });

    it("ends a watch when asked, also twice", () => {
      const stop = directory.watch(() => undefined);
      stop();
      stop();
    });
  });
}
