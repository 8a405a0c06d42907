import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAdmin, TEST_TOKEN, type RunningAdmin } from "../../../test/admin/running-admin.ts";
import type { ReleaseJson } from "../../admin/release-schemas.ts";
import { runCli } from "../run-cli.ts";

const SHOP = { name: "shop", groups: { blue: { servers: ["10.0.0.1"] }, green: { servers: ["10.0.0.2"] } } };
const PLAN = "steps: [{testers: wait}, {share: 50, for: 1m}, {share: 100, for: 1m}, {hold: wait}]\n";
const AT_ONCE = JSON.stringify([{ share: 100, for: "1s" }]);
/** Looks often, and waits not for ever. */
const SOON = ["--every", "10ms", "--wait", "20s"];

let admin: RunningAdmin;
let folder: string;
beforeEach(async () => {
  admin = await runAdmin();
  folder = await mkdtemp(join(tmpdir(), "halftone-release-"));
  await writeFile(join(folder, "plan.yaml"), PLAN);
  await writeFile(join(folder, "at-once.json"), AT_ONCE);
  await admin.store.put("shop", SHOP, "any", "test");
});
afterEach(async () => {
  await admin.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], terminal: object = {}): Promise<Run> {
  let out = "";
  let err = "";
  const code = await runCli(args, {
    env: { HALFTONE_ADMIN: admin.url, HALFTONE_TOKEN: TEST_TOKEN, HALFTONE_ACTOR: "ci" },
    stdin: Readable.from([PLAN]),
    stdout: { ...terminal, write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

async function done(...args: string[]): Promise<string> {
  const { code, out, err } = await run(args);
  expect({ code, err }, out).toEqual({ code: 0, err: "" });
  return out;
}

const release = (...args: string[]): Promise<string> => done("release", ...args);
const start = (...args: string[]): string[] => ["start", "shop", "--version", "2.0", ...args];
const plan = (): string => join(folder, "plan.yaml");

/** Without the time at their beginnings. */
const linesOf = (text: string): string[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^\S+Z /, ""));

const phase = (): string => `${admin.releases.view("shop")!.phase} of ${admin.releases.view("shop")!.group}`;

describe("halftone release", () => {
  it("begins, and says what it waits for", async () => {
    expect(linesOf(await release(...start()))).toEqual([
      "shop 2.0: draining of blue; waits for every gateway to apply it",
    ]);
    expect(admin.releases.view("shop")?.log[0]).toMatchObject({ by: "admin (ci)" });
  });

  it("takes plan, groups and hooks", async () => {
    const out = await release(
      ...start("--plan", "-", "--groups", "green, blue", "--update", "deploy", "--json"),
    );
    const view = JSON.parse(out) as ReleaseJson;
    expect(view.plan.steps.map(({ kind }) => kind)).toEqual(["testers", "share", "share", "hold"]);
    expect(view.groups.map(({ name }) => name)).toEqual(["green", "blue"]);
  });

  it("goes in a script from phase to phase to its end", async () => {
    admin.releases.moves = true;
    const begun = await release(...start("--plan", plan(), "--until", "updating", ...SOON));
    expect(linesOf(begun).at(-1)).toBe("shop 2.0: updating of blue; waits for a person");
    await release("continue", "shop", "--until", "testing", ...SOON);
    expect(phase()).toBe("testing of blue");
    const shifted = await release("continue", "shop", "--until", "holding", ...SOON);
    expect(linesOf(shifted)).toContain(
      "shop 2.0: shifting of blue (50 %); waits for its time to be over, 1 min left",
    );
    await release("continue", "shop", "--until", "updating", ...SOON);
    expect(phase()).toBe("updating of green");
    await release("continue", "shop", "--until", "testing", ...SOON);
    const end = await release("continue", "shop", ...SOON);
    expect(linesOf(end).at(-1)).toBe("shop 2.0: done");
  });

  it("with a hook and no waits for persons is one command", async () => {
    admin.releases.moves = true;
    const out = await release(
      ...start("--plan", join(folder, "at-once.json"), "--update", "deploy", ...SOON, "--json"),
    );
    expect(JSON.parse(out)).toMatchObject({ status: "done", group: null });
  });

  it("ends with 1 where only a person goes on, and says which command does", async () => {
    admin.releases.moves = true;
    const { code, err } = await run(["release", ...start("--plan", plan(), ...SOON)]);
    expect({ code, err }).toEqual({
      code: 1,
      err: [
        "halftone: shop 2.0 does not go on from updating of blue without a person: update the servers of blue to 2.0. Then:",
        "  halftone release continue shop    says that they are updated",
        "  halftone release rollback shop    goes back to the version before",
        "",
      ].join("\n"),
    });
  });

  it("ends with 1 in a pause", async () => {
    await release(...start());
    await release("pause", "shop", "--reason", "lunch");
    const { code, err } = await run(["release", "retry", "shop", ...SOON]);
    expect({ code, err }).toMatchObject({
      code: 1,
      err: expect.stringContaining("expected resume before") as string,
    });
    const json = JSON.parse(await release("status", "shop", "--json")) as ReleaseJson;
    expect(json).toMatchObject({ status: "paused", reason: "paused by admin (ci): lunch" });
    expect(linesOf(await release("resume", "shop"))).toHaveLength(1);
  });

  it("ends with 1 when a hook has failed", async () => {
    await release(...start("--update", "deploy"));
    await admin.releases.until(
      "shop",
      ({ stage }) => "work" in stage && "run" in stage.work && stage.work.progress === "begun",
    );
    const waiting = run(["release", "watch", "shop", "--every", "10ms"]);
    const run1 = { type: "hookEnded", run: "r1/update/1", outcome: "failed", detail: "no\nspace \u001b[2J" };
    await admin.releases.report("shop", run1);
    const { code, err } = await run(["release", "continue", "shop", "--step", "1"]);
    expect({ code, err }).toMatchObject({
      code: 1,
      err: expect.stringContaining("but this is step") as string,
    });
    const status = await release("status", "shop");
    expect(status).toContain("halftone release retry shop");
    expect(status).not.toContain("\u001b[2J");
    await release("rollback", "shop");
    admin.releases.moves = true;
    const back = await run(["release", "rollback", "shop", ...SOON]);
    expect(back).toMatchObject({
      code: 1,
      err: expect.stringContaining("bring the version before back") as string,
    });
    await release("continue", "shop");
    expect((await waiting).code).toBe(3);
  });

  it("ends with 3 when it was rolled back, and `rollback` itself with 0", async () => {
    await release(...start("--plan", plan()));
    const waiting = run(["release", "watch", "shop", "--every", "10ms", "--json"]);
    await admin.releases.until("shop", ({ stage }) => stage.kind === "draining");
    admin.releases.moves = true;
    expect(await release("rollback", "shop", "--reason", "prices are wrong", ...SOON)).toContain(
      "rolled back; goes back because: prices are wrong",
    );
    const watched = await waiting;
    expect(watched).toMatchObject({
      code: 3,
      err: "halftone: release r1 of shop was rolled back; goes back because: prices are wrong\n",
    });
    const views = linesOf(watched.out).map((line) => JSON.parse(line) as ReleaseJson);
    expect(views.at(-1)).toMatchObject({ status: "rolledBack" });
  });

  it("tells a script that waits when somebody else rolls it back", async () => {
    await release(...start("--restore", "deploy"));
    await admin.releases.until("shop", ({ stage }) => stage.kind === "updating");
    const testing = run(["release", "continue", "shop", "--until", "testing", ...SOON]);
    while (phase() === "updating of blue") {
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
    await admin.releases.command("shop", { type: "rollback" }, "ann");
    admin.releases.moves = true;
    const { code, err } = await testing;
    expect({ code, err }).toMatchObject({
      code: 3,
      err: expect.stringContaining("ann asked for it") as string,
    });
  });

  it("is waited for no longer than it was said", async () => {
    const { code, err } = await run([
      "release",
      ...start("--until", "testing", "--wait", "50ms", "--every", "10ms"),
    ]);
    expect({ code, err }).toEqual({
      code: 1,
      err: "halftone: that time is over, and release r1 of shop goes on\n",
    });
  });

  it("is refused with every reason", async () => {
    await release(...start());
    const { code, err } = await run(["release", ...start("--update", "wipe")]);
    expect(code).toBe(1);
    expect(err).toContain("release r1 of shop is at draining of blue");
    expect(err).toContain("there is no hook wipe");
    expect(await run(["release", "status", "none"])).toMatchObject({ code: 1 });
  });

  it.each([
    [["start", "shop"]],
    [["start", "shop", "--version", "2", "--until", "lunch"]],
    [["start", "shop", "--version", "2", "--wait", "soon"]],
    [["continue", "shop", "--every", "1ms"]],
    [["continue", "shop", "--step", "two"]],
    [["rollback", "shop", "--until", "testing"]],
    [["restart", "shop"]],
  ])("is not touched by wrong usage: %j", async (args) => {
    expect(await run(["release", ...args])).toMatchObject({ code: 2, out: "" });
    expect(admin.releases.view("shop")).toBeUndefined();
  });

  it("of a plan that is none is not begun", async () => {
    await writeFile(join(folder, "bad.yaml"), "steps: fast\n");
    const bad = await run(["release", ...start("--plan", join(folder, "bad.yaml"))]);
    expect(bad).toMatchObject({ code: 1, err: expect.stringContaining("nothing was begun") as string });
    expect(await run(["release", ...start("--plan", join(folder, "none.yaml"))])).toMatchObject({ code: 1 });
  });

  it("has a history", async () => {
    expect(await release("history", "shop")).toBe("shop never had a release.\n");
    admin.releases.moves = true;
    await release(...start());
    await release("rollback", "shop", "--reason", "too slow", ...SOON);
    await release(...start());
    const [head, ...rows] = linesOf(await release("history", "shop"));
    expect(head).toMatch(/^RELEASE  VERSION  STATUS/);
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatch(/^r1 +2\.0 +rolledBack +2026\S+Z +2026\S+Z +admin \(ci\) +too slow$/);
    expect(JSON.parse(await release("history", "shop", "--json"))).toHaveLength(2);
  });
});

describe("halftone release watch", () => {
  it("draws over itself on a terminal, and leaves the last picture", async () => {
    admin.releases.moves = true;
    await release(...start("--plan", join(folder, "at-once.json"), "--update", "deploy"));
    const { code, out } = await run(["release", "watch", "shop", "--every", "10ms"], {
      isTTY: true,
      columns: 80,
      rows: 30,
    });
    expect(code).toBe(0);
    const [before, after] = out.split("\u001b[?25h\u001b[?1049l");
    expect(before?.startsWith("\u001b[?1049h\u001b[?25l\u001b[H")).toBe(true);
    expect(before).toContain("▶ shifting 100 %");
    expect(after).toContain("done");
    expect(after).not.toContain("\u001b[H");
  });

  it("writes a line for each change where there is none", async () => {
    admin.releases.moves = true;
    await release(...start("--plan", join(folder, "at-once.json"), "--update", "deploy"));
    const lines = linesOf(await release("watch", "shop", "--every", "10ms"));
    expect(lines).toContain("shop 2.0: checking of blue; waits for health checks");
    expect(lines.at(-1)).toBe("shop 2.0: done");
    expect(new Set(lines).size).toBe(lines.length);
  });

  it("ends by Ctrl-C, changes nothing, and gives the terminal back", async () => {
    await release(...start());
    const before = process.listeners("SIGINT");
    const watching = run(["release", "watch", "shop", "--every", "1h"], { isTTY: true });
    const added = (): (() => void) | undefined =>
      process.listeners("SIGINT").find((listener) => !before.includes(listener)) as (() => void) | undefined;
    while (added() === undefined) {
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
    added()!();
    const { code, out } = await watching;
    expect(code).toBe(0);
    if (out !== "") expect(out).toContain("\u001b[?25h\u001b[?1049l");
    expect(process.listeners("SIGINT")).toEqual(before);
    expect(phase()).toBe("draining of blue");
  });

  it("of an app without a release says so", async () => {
    const { code, err } = await run(["release", "watch", "shop"]);
    expect({ code, err }).toMatchObject({
      code: 1,
      err: expect.stringContaining("never had a release") as string,
    });
  });
});

describe("halftone freeze", () => {
  it("stops steps forward and tells why, until it is lifted", async () => {
    expect(await done("freeze", "shop", "--reason", "a fair")).toBe(
      "shop is frozen until that is lifted: a fair\n",
    );
    const { code, err } = await run(["release", ...start()]);
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("a fair") as string });
    expect(await done("unfreeze", "shop")).toBe("shop is not frozen\n");
    await release(...start());
    await done("freeze", "shop", "--reason", "a fair", "--for", "2h");
    expect(await release("status", "shop")).toContain(
      "frozen by admin (ci) until 2026-01-02T05:04:05.000Z: a fair",
    );
  });

  it("takes every app", async () => {
    await admin.store.put(
      "blog",
      { ...SHOP, name: "blog", routes: [{ host: "blog.example" }] },
      "any",
      "test",
    );
    const out = await done("freeze", "--all", "--reason", "a fair", "--json");
    expect(JSON.parse(out)).toMatchObject([{ app: "shop" }, { app: "blog", until: null }]);
    expect(await done("unfreeze", "--all")).toBe("shop is not frozen\nblog is not frozen\n");
  });

  it.each([
    [["freeze", "shop"]],
    [["freeze", "--reason", "x"]],
    [["freeze", "shop", "--all", "--reason", "x"]],
    [["unfreeze"]],
  ])("is not guessed from %j", async (args) => {
    expect(await run(args)).toMatchObject({ code: 2, out: "" });
  });
});
