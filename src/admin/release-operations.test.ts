import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAdmin, type RunningAdmin } from "../../test/admin/running-admin.ts";
import { DirectoryUnavailable } from "../directory/directory.ts";
import { MemoryDirectory } from "../directory/memory-directory.ts";

const SHOP = {
  name: "shop",
  groups: { group1: { servers: ["10.0.4.175"] }, group2: { servers: ["10.0.4.146"] } },
};
const NOW = "2026-01-02T03:04:05.000Z";
const STEPS = [{ testers: "wait" }, { share: 100, for: "1m" }, { hold: "wait" }];

let admin: RunningAdmin;
let directory: FullDirectory;
beforeEach(async () => {
  directory = new FullDirectory();
  admin = await runAdmin(directory);
  await json(send("PUT", "", SHOP, { "If-None-Match": "*" }), 201);
});
afterEach(() => admin.stop());

/** To a path below the app. */
function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return admin.call(`/api/v1/apps/shop${path}`, {
    method,
    headers: { ...(body !== undefined && { "Content-Type": "application/json" }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function json(sent: Promise<Response>, status = 200): Promise<unknown> {
  const answer = await sent;
  const body: unknown = await answer.json();
  expect(answer.status, JSON.stringify(body)).toBe(status);
  return body;
}

async function problem(sent: Promise<Response>, status: number, code: string): Promise<unknown> {
  const answer = await sent;
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const body: unknown = await answer.json();
  expect(body).toMatchObject({ status, type: `urn:halftone:problem:${code}` });
  return body;
}

const start = (more: object = {}): Promise<unknown> =>
  json(send("POST", "/release", { version: "2.0", steps: STEPS, ...more }), 201);

async function audited(): Promise<readonly string[]> {
  const entries = await admin.audit.newest({ limit: 5 });
  return entries.map(
    ({ by, what, refused }) => `${by}: ${what}${refused === undefined ? "" : ` (${refused})`}`,
  );
}

describe("a release looked at before it begins", () => {
  const preview = (body: object): Promise<unknown> => json(send("POST", "/release/preview", body));

  it("has its plan and the hooks there are, and begins nothing", async () => {
    expect(await preview({ version: "2.0", steps: STEPS })).toMatchObject({
      plan: { steps: [{ kind: "testers" }, { kind: "share", share: 100 }, { kind: "hold" }] },
      refusals: [],
      hooks: ["deploy", "restore"],
    });
    await problem(send("GET", "/release"), 404, "no-release");
    expect(await audited()).toEqual(["admin: put"]);
  });

  it("is told everything that speaks against it, as the beginning would be", async () => {
    const body = { version: "2.0", groups: ["group1", "group9"], update: "nothing" };
    const { refusals } = (await preview(body)) as { refusals: readonly { code: string }[] };
    expect(refusals.map(({ code }) => code)).toEqual(["unknownGroup", "groupMissing", "unknownHook"]);
    const refused = (await problem(send("POST", "/release", body), 409, "refused")) as { refusals: unknown };
    expect(refused.refusals).toEqual(refusals);
  });

  it("needs an app and a version", async () => {
    await problem(send("POST", "/release/preview", {}), 422, "invalid-document");
    const elsewhere = admin.call("/api/v1/apps/none/release/preview", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ version: "2" }),
    });
    await problem(elsewhere, 404, "no-such-app");
  });

  it("is shown in the list of apps, with what stops it, once it began", async () => {
    await start();
    await json(send("PUT", "/freeze", { reason: "a fair" }));
    const [shop] = (await json(admin.call("/api/v1/apps"))) as readonly object[];
    expect(shop).toMatchObject({
      release: { version: "2.0", status: "running", phase: "draining", group: "group1", share: 0 },
      freeze: { reason: "a fair", until: null },
    });
  });
});

describe("a release", () => {
  it("is begun, and told with its times in ISO 8601", async () => {
    const answer = await send("POST", "/release", { version: "2.0", steps: STEPS, update: "deploy" });
    expect([answer.status, answer.headers.get("location")]).toEqual([201, "/api/v1/apps/shop/release"]);
    const begun: unknown = await answer.json();
    expect(begun).toEqual({
      id: "r1",
      app: "shop",
      version: "2.0",
      status: "running",
      phase: "draining",
      group: "group1",
      share: 0,
      since: NOW,
      step: 1,
      waitingFor: "convergence",
      reason: null,
      left: 30_000,
      cheapReturn: true,
      groups: [
        { name: "group1", condition: "out", serves: "nobody" },
        { name: "group2", condition: "old", serves: "public" },
      ],
      quarantined: [],
      plan: expect.objectContaining({
        steps: [
          { kind: "testers", wait: { until: "continue" } },
          { kind: "share", share: 100, wait: { until: "time", for: 60_000 } },
          { kind: "hold", wait: { until: "continue" } },
        ],
      }) as unknown,
      log: [{ at: NOW, by: "admin", what: "release of version 2.0; draining of group1 begins" }],
    });
    expect(await json(send("GET", "/release"))).toEqual(begun);
    expect(await audited()).toContain("admin: release 2.0");
  });

  it("is not there before the first one, and no app neither", async () => {
    await problem(send("GET", "/release"), 404, "no-release");
    await problem(send("POST", "/release/continue"), 404, "no-release");
    expect(await json(send("GET", "/releases"))).toEqual([]);
    for (const [method, path] of [
      ["GET", "release"],
      ["POST", "release/rollback"],
      ["GET", "releases"],
      ["GET", "freeze"],
      ["DELETE", "freeze"],
    ]) {
      await problem(admin.call(`/api/v1/apps/none/${path}`, { method: method! }), 404, "no-such-app");
    }
  });

  it.each([
    [{}, ["version"]],
    [{ version: " " }, ["version"]],
    [{ version: 2 }, ["version"]],
    [{ version: "2\u001b]0;root\u0007" }, ["version"]],
    [{ version: "2\n2026-01-02T03:04:05Z shop 1: done" }, ["version"]],
    [{ version: "2\u0000" }, ["version"]],
    [{ version: "1.\u202e2" }, ["version"]],
    [{ version: "2".repeat(129) }, ["version"]],
    [{ version: "2", steps: "fast" }, ["steps"]],
    [{ version: "2", groups: [1] }, ["groups[0]"]],
    [{ version: "2", hook: "rm -rf /" }, ["hook"]],
  ])("of %j is not begun", async (body, paths) => {
    const { problems } = (await problem(send("POST", "/release", body), 422, "invalid-document")) as {
      problems: { path: string }[];
    };
    expect(problems.map(({ path }) => path)).toEqual(paths);
  });

  it("is refused with everything that speaks against it, and the audit says who tried", async () => {
    await start();
    const steps = [{ share: 50, for: "1m" }];
    const body = { version: "3.0", steps, groups: ["group1"], update: "wipe" };
    const refused = (await problem(
      send("POST", "/release", body, { "X-Halftone-Actor": "ci" }),
      409,
      "refused",
    )) as { detail: string; refusals: { code: string; reason: string }[] };
    expect(refused.refusals.map(({ code }) => code)).toEqual([
      "releaseRunning",
      "groupMissing",
      "unknownHook",
      "badPlan",
    ]);
    for (const { reason } of refused.refusals) expect(refused.detail).toContain(reason);
    expect((await audited())[0]).toContain("admin (ci): release start (release r1 of shop is at draining");
  });
});

describe("what is said to a release", () => {
  it("moves it: continue, pause, resume, rollback, with reasons", async () => {
    await start();
    await admin.releases.until("shop", ({ stage }) => stage.kind === "updating");
    expect(await json(send("POST", "/release/continue"))).toMatchObject({ phase: "checking", step: 3 });
    expect(await json(send("POST", "/release/pause", { reason: "lunch" }))).toMatchObject({
      status: "paused",
      reason: "paused by admin: lunch",
    });
    expect(await json(send("POST", "/release/resume", { step: 3 }))).toMatchObject({ status: "running" });
    const back = await json(
      send("POST", "/release/rollback", { reason: "prices are wrong" }, { "X-Halftone-Actor": "ann" }),
    );
    expect(back).toMatchObject({ status: "rollingBack", reason: "goes back because: prices are wrong" });
    expect((await audited())[0]).toBe("admin (ann): release rollback");
  });

  it("runs a hook again that failed", async () => {
    await start({ update: "deploy" });
    await admin.releases.until(
      "shop",
      ({ stage }) => "work" in stage && "run" in stage.work && stage.work.progress === "begun",
    );
    const run = "r1/update/1";
    await admin.releases.report("shop", { type: "hookEnded", run, outcome: "failed", detail: "exit code 1" });
    expect(await json(send("GET", "/release"))).toMatchObject({ status: "paused", waitingFor: "continue" });
    expect(await json(send("POST", "/release/retry"))).toMatchObject({ status: "running" });
  });

  it("is refused with the reason when nothing can come of it", async () => {
    await start();
    expect(await problem(send("POST", "/release/resume"), 409, "refused")).toMatchObject({
      refusals: [{ code: "notPaused" }],
      detail: expect.stringContaining("the release stays at draining of group1") as string,
    });
    const late = problem(send("POST", "/release/pause", { step: 7 }), 409, "refused");
    expect(await late).toMatchObject({ refusals: [{ code: "stale" }] });
    expect((await audited())[0]).toContain("admin: release pause (pause was said to step 7");
    await problem(send("POST", "/release/pause", { setp: 7 }), 422, "invalid-document");
    await problem(send("POST", "/release/restart"), 404, "not-found");
  });

  it("is refused when the directory cannot be written", async () => {
    await start();
    directory.full = true;
    const refused = await problem(send("POST", "/release/rollback"), 503, "directory-unavailable");
    expect(refused).toMatchObject({ detail: expect.stringContaining("no space left on device") as string });
    await problem(send("PUT", "/freeze", { reason: "a fair" }), 503, "directory-unavailable");
  });
});

describe("the history", () => {
  it("has the newest first; what runs has no end yet", async () => {
    await start();
    await json(send("POST", "/release/rollback", { reason: "too slow" }));
    await admin.releases.until("shop", ({ stage }) => stage.kind === "rolledBack");
    await start({ version: "2.1" });
    expect(await json(send("GET", "/releases"))).toEqual([
      {
        id: "r2",
        version: "2.1",
        status: "running",
        begunAt: expect.any(String) as string,
        endedAt: null,
        by: "admin",
        reason: null,
      },
      {
        id: "r1",
        version: "2.0",
        status: "rolledBack",
        begunAt: NOW,
        endedAt: expect.stringMatching(/^2026-01-02T03:0/) as string,
        by: "admin",
        reason: "too slow",
      },
    ]);
  });
});

describe("a freeze", () => {
  it("stops every step forward until it is lifted, never a rollback", async () => {
    await start();
    await admin.releases.until("shop", ({ stage }) => stage.kind === "updating");
    const freeze = {
      app: "shop",
      until: null,
      reason: "a fair",
      by: "admin",
      since: expect.any(String) as string,
    };
    expect(await json(send("PUT", "/freeze", { reason: "a fair" }))).toEqual(freeze);
    expect(await json(send("GET", "/freeze"))).toEqual(freeze);
    expect(await problem(send("POST", "/release/continue"), 409, "refused")).toMatchObject({
      refusals: [{ code: "frozen" }],
    });
    await json(send("POST", "/release/rollback"));
    expect((await send("DELETE", "/freeze")).status).toBe(204);
    expect((await send("DELETE", "/freeze")).status).toBe(204);
    await problem(send("GET", "/freeze"), 404, "no-freeze");
    expect(await audited()).toContain("admin: freeze");
  });

  it("has an end, as a length or a time", async () => {
    const until = (body: object): Promise<unknown> =>
      json(send("PUT", "/freeze", { reason: "a fair", ...body }));
    expect(await until({ for: "2h" })).toMatchObject({ until: "2026-01-02T05:04:05.000Z" });
    expect(await until({ until: "2026-01-03T08:00:00+08:00" })).toMatchObject({
      until: "2026-01-03T00:00:00.000Z",
    });
  });

  it.each([
    [{}, "reason"],
    [{ reason: "x", for: "2 days" }, "for"],
    [{ reason: "x", for: "0s" }, "for"],
    [{ reason: "x", until: "tomorrow" }, "until"],
    [{ reason: "x", until: "2026-01-02T03:04:05" }, "until"],
    [{ reason: "x", until: "2026-01-01T00:00:00Z" }, "until"],
    [{ reason: "x", for: "1h", until: "2026-01-03T00:00:00Z" }, "until"],
  ])("of %j is refused", async (body, path) => {
    expect(await problem(send("PUT", "/freeze", body), 422, "invalid-document")).toMatchObject({
      problems: [{ path }],
    });
    await problem(send("GET", "/freeze"), 404, "no-freeze");
  });
});

describe("a release of another version of the program", () => {
  it.each([
    ["GET", "/release"],
    ["GET", "/releases"],
    ["GET", "/freeze"],
    ["PUT", "/freeze"],
    ["DELETE", "/freeze"],
  ])("is told as such: %s %s", async (method, path) => {
    const releases = { past: [], current: { format: 99 } };
    await admin.store.advance("shop", "test", ({ document }) => ({ document, releases, what: "" }));
    const body = method === "PUT" ? { reason: "a fair" } : undefined;
    expect(await problem(send(method, path, body), 409, "refused")).toMatchObject({
      refusals: [{ code: "unreadable" }],
      detail: expect.stringContaining("format 99; expected 1") as string,
    });
  });
});

/** Takes nothing more when it is full. */
class FullDirectory extends MemoryDirectory {
  full = false;

  override write(...terms: Parameters<MemoryDirectory["write"]>): ReturnType<MemoryDirectory["write"]> {
    return this.full
      ? Promise.reject(new DirectoryUnavailable("no space left on device"))
      : super.write(...terms);
  }
}
