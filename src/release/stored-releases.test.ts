import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Facts } from "../core/release-event.ts";
import { AppStore } from "../directory/app-store.ts";
import { DirectoryUnavailable } from "../directory/directory.ts";
import { MemoryDirectory } from "../directory/memory-directory.ts";
import { StoredReleases } from "./stored-releases.ts";

const GROUP = { weight: 1, liveWeight: 1, servers: 1, live: 1 };
const log = { info: () => {}, warn: () => {}, error: () => {} };

let store: AppStore;
let facts: () => Promise<Facts>;
let releases: StoredReleases;

beforeEach(async () => {
  store = await AppStore.open({ directory: new MemoryDirectory(), backup: undefined, now: Date.now, log });
  const groups = { one: { servers: ["10.0.0.1"] }, two: { servers: ["10.0.0.2"] } };
  await store.put("shop", { name: "shop", groups }, "absent", "test");
  facts = () => Promise.resolve({ groups: { one: GROUP, two: GROUP } });
  releases = new StoredReleases({
    store,
    facts: () => facts(),
    hooks: () => [],
    signals: () => [],
    now: Date.now,
  });
});

afterEach(() => store.close());

describe("what is said to a release", () => {
  it("is refused with the reason while the directory is out of reach, a rollback too", async () => {
    await releases.start("shop", { version: "2" }, "amy");
    facts = () => Promise.reject(new DirectoryUnavailable("redis: no answer within 1000 ms"));
    for (const type of ["rollback", "pause"] as const) {
      expect(await releases.command("shop", { type }, "amy")).toEqual({
        kind: "unavailable",
        reason: "redis: no answer within 1000 ms",
      });
    }
  });
});

describe("a look at what a beginning would be", () => {
  it("says what the beginning says, and changes nothing", async () => {
    const revision = store.get("shop")?.revision;
    const wrong = { version: "2", groups: ["one"], update: "nothing" };
    const seen = await releases.preview("shop", wrong);
    expect(await releases.start("shop", wrong, "amy")).toEqual({
      kind: "refused",
      refusals: seen.kind === "preview" && seen.refusals,
    });
    expect(await releases.preview("shop", { version: "2" })).toMatchObject({ kind: "preview", refusals: [] });
    expect(releases.view("shop")).toBeUndefined();
    expect(store.get("shop")?.revision).toBe(revision);
  });

  it("has no plan where none is written, and all other facts", async () => {
    expect(await releases.preview("shop", { version: "2", steps: [{ share: "many" }] })).toMatchObject({
      plan: undefined,
      refusals: [{ code: "badPlan" }],
      hooks: [],
    });
    expect(await releases.preview("none", { version: "2" })).toEqual({ kind: "missing", what: "app" });
    facts = () => Promise.reject(new DirectoryUnavailable("redis: no answer within 1000 ms"));
    expect(await releases.preview("shop", { version: "2" })).toMatchObject({ kind: "unavailable" });
  });
});

describe("a reason", () => {
  it("is kept without what a terminal takes for a command, and not at any length", async () => {
    await releases.start("shop", { version: "2" }, "amy");
    const reason = `lunch\u001b[2J\nshop 1: done${"!".repeat(1000)}`;
    await releases.command("shop", { type: "pause", reason }, "amy");
    await releases.freeze("shop", { until: null, reason }, "amy");
    for (const kept of [releases.view("shop")?.reason, releases.freezeOf("shop")?.reason]) {
      expect(kept).toMatch(/lunch\ufffdshop 1: done!+…$/);
      expect(kept!.length).toBeLessThan(600);
    }
  });
});

describe("a release of another version of the program", () => {
  beforeEach(async () => {
    await store.advance("shop", "test", ({ document }) => ({
      document,
      releases: { past: [], current: { format: 99 } },
      what: "from the future",
    }));
  });

  it("is gone on with by nobody, and that is said", async () => {
    const refused = { kind: "refused", refusals: [{ code: "unreadable" }] };
    expect(await releases.command("shop", { type: "rollback" }, "amy")).toMatchObject(refused);
    expect(await releases.start("shop", { version: "2" }, "amy")).toMatchObject(refused);
  });
});
