import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAdmin, type RunningAdmin } from "../../test/admin/running-admin.ts";
import { outstanding } from "../core/release-effects.ts";
import type { ReleaseState } from "../core/release-state.ts";
import { DirectoryUnavailable } from "../directory/directory.ts";
import { MemoryDirectory } from "../directory/memory-directory.ts";
import type { GatewayReport } from "../fleet/roster.ts";
import { Jury } from "../release/jury.ts";
import { OutsideCounts } from "../release/outside-counts.ts";
import { readRecord } from "../release/release-record.ts";
import { verdictAnswer } from "./verdict-schemas.ts";

const SHOP = {
  name: "shop",
  groups: {
    group1: { servers: ["10.0.4.175", "10.0.4.176", "unix:/run/app.sock"] },
    group2: { servers: ["10.0.4.146", "fd00::1"] },
  },
};
const WINDOW = 10_000;

let admin: RunningAdmin;
let directory: FullDirectory;
beforeEach(async () => {
  directory = new FullDirectory();
  admin = await runAdmin(directory);
  const body = JSON.stringify(SHOP);
  const headers = { "If-None-Match": "*", "Content-Type": "application/json" };
  expect((await admin.call("/api/v1/apps/shop", { method: "PUT", headers, body })).status).toBe(201);
});
afterEach(() => admin.stop());

class FullDirectory extends MemoryDirectory {
  full = false;

  override write(...terms: Parameters<MemoryDirectory["write"]>): ReturnType<MemoryDirectory["write"]> {
    return this.full ? Promise.reject(new DirectoryUnavailable("no space left")) : super.write(...terms);
  }
}

async function json(sent: Promise<Response>, status = 200): Promise<unknown> {
  const answer = await sent;
  const body: unknown = await answer.json();
  expect(answer.status, JSON.stringify(body)).toBe(status);
  return body;
}

async function problem(sent: Promise<Response>, status: number, code: string): Promise<string> {
  const body = (await json(sent, status)) as { type: string; detail: string };
  expect(body.type).toBe(`urn:halftone:problem:${code}`);
  return body.detail;
}

const verdict = (app = "shop"): Promise<Response> => admin.call(`/api/v1/apps/${app}/verdict`);

/** At the first share of clients, in force everywhere. */
async function judged(): Promise<ReleaseState> {
  const steps = [{ share: 10, until: "verdict", atMost: "30m" }, { share: 100, for: "1m" }, { hold: "wait" }];
  const body = JSON.stringify({ version: "2.0", steps });
  const headers = { "Content-Type": "application/json" };
  await json(admin.call("/api/v1/apps/shop/release", { method: "POST", headers, body }), 201);
  const current = (): ReleaseState => readRecord(admin.store.get("shop")!.releases).current!;
  await admin.releases.until("shop", ({ stage }) => stage.kind === "updating");
  await admin.releases.command("shop", { type: "continue" }, "ann");
  await admin.releases.until(
    "shop",
    ({ stage, reachedAt }) => stage.kind === "shifting" && reachedAt !== null,
  );
  return current();
}

describe("the verdict on a release", () => {
  it("is not there before the first release, nor of an app that is not there", async () => {
    expect(await problem(verdict("none"), 404, "no-such-app")).toContain("none");
    expect(await problem(verdict(), 404, "no-release")).toContain("found no release of app shop");
  });

  it("is none before the first window, and says when one comes", async () => {
    await judged();
    const body = verdictAnswer.parse(await json(verdict()));
    expect(body).toMatchObject({ app: "shop", release: "r1", answer: "none", at: null, signals: [] });
    expect(body.words.join()).toContain("No window was judged yet");
  });

  it("is what the jury of the gateway that runs the release has said, as the schema tells it", async () => {
    const state = await judged();
    const window = Math.ceil((state.reachedAt! + WINDOW) / WINDOW);
    const cells = {
      "10.0.4.175:80": [40, 0, 0, 0, 0, 0, 0],
      "10.0.4.146:80": [160, 0, 0, 0, 0, 0, 0],
    } as const;
    const counted = { window, part: 1, cells, erring: [[7, "10.0.4.175:80"]], met: [7] } as const;
    const windows = [{ ...counted, testers: [3, 1] as const }];
    const tally = { release: "r1", length: WINDOW, windows, latencies: [] };
    await admin.roster.beat(
      { id: "a", name: "a" } as GatewayReport,
      new Map([["shop", { revision: 1, groups: {}, rates: {}, failureRates: {}, tally }]]),
    );
    const now = (window + 1) * WINDOW + 4000;
    const jury = new Jury({ roster: admin.roster, outside: () => new OutsideCounts([]), now: () => now });
    const effect = outstanding(state).find((one) => one.kind === "verdict");
    const report = (await jury.hear(admin.store.get("shop")!, state, effect))!;
    const body = await json(verdict());
    expect(body).toEqual({ app: "shop", ...report, at: new Date(now).toISOString() });
    expect(verdictAnswer.parse(body)).toMatchObject({
      group: "group1",
      share: 10,
      answer: "notEnough",
      usersWithErrors: 1,
      testers: { requests: 3, failed: 1 },
    });
  });

  it("is none where what was kept is of another release, or damaged", async () => {
    await judged();
    for (const kept of [
      { release: "r0", state: {} },
      { release: "r1", state: { format: 1, report: 7 } },
      { release: "r1", state: "?" },
    ]) {
      await admin.roster.keepVerdict("shop", kept);
      expect(await json(verdict())).toMatchObject({ release: "r1", answer: "none" });
    }
  });

  it("cannot be told while the gateways cannot be heard", async () => {
    await judged();
    admin.roster.verdict = () => Promise.reject(new DirectoryUnavailable("redis: no answer"));
    expect(await problem(verdict(), 503, "directory-unavailable")).toContain("redis: no answer");
  });

  it("is not told of a release that another version wrote, and that is said", async () => {
    const releases = { past: [], current: { format: 99 } };
    await admin.store.advance("shop", "ann", ({ document }) => ({ document, releases, what: "later" }));
    expect(await problem(verdict(), 409, "refused")).toContain("format 99");
  });
});

describe("quarantine", () => {
  const send = (method: "PUT" | "DELETE", server: string, app = "shop"): Promise<Response> =>
    admin.call(`/api/v1/apps/${app}/quarantine/${encodeURIComponent(server)}`, { method });

  it.each(["10.0.4.175:80", "unix:/run/app.sock", "[fd00::1]:80"])(
    "takes %s out until it is lifted, whenever it is said again",
    async (server) => {
      for (let time = 0; time < 2; time += 1) {
        expect(await json(send("PUT", server))).toEqual({ app: "shop", quarantine: [server] });
      }
      expect(admin.store.get("shop")).toMatchObject({ revision: 2, document: { quarantine: [server] } });
      for (let time = 0; time < 2; time += 1) {
        expect(await json(send("DELETE", server))).toEqual({ app: "shop", quarantine: [] });
      }
      expect(admin.store.get("shop")).toMatchObject({ revision: 3, document: SHOP });
      expect(admin.store.get("shop")?.document).not.toHaveProperty("quarantine");
      const audit = await admin.audit.newest({ limit: 9 });
      expect(audit.map(({ what }) => what)).toEqual([
        `quarantine of ${server} lifted`,
        `quarantine of ${server}`,
        "put",
      ]);
    },
  );

  it("is refused to a server that is not there, and to the last one of its group", async () => {
    expect(await problem(send("PUT", "10.0.4.9:80"), 422, "invalid-document")).toMatch(
      /^10\.0\.4\.9:80 cannot go into quarantine: quarantine\[0\]: .* expected a server of the groups, .*; nothing was changed$/,
    );
    await json(send("PUT", "10.0.4.146:80"));
    expect(await problem(send("PUT", "[fd00::1]:80"), 422, "invalid-document")).toContain(
      "one of group2 with a weight above 0 has to be left",
    );
    expect(admin.store.get("shop")?.document.quarantine).toEqual(["10.0.4.146:80"]);
    const [last] = await admin.audit.newest({ limit: 1 });
    expect(last).toMatchObject({ what: "quarantine", refused: expect.stringContaining("group2") as string });
  });

  it("is of an app that is there, and stored", async () => {
    await problem(send("PUT", "10.0.4.175:80", "none"), 404, "no-such-app");
    await problem(send("DELETE", "10.0.4.175:80", "none"), 404, "no-such-app");
    directory.full = true;
    expect(await problem(send("PUT", "10.0.4.175:80"), 503, "directory-unavailable")).toContain(
      "no space left",
    );
    expect(admin.store.get("shop")?.revision).toBe(1);
  });

  it("may be said while a release runs, and that goes on", async () => {
    const { step } = await judged();
    expect(await json(send("PUT", "10.0.4.175:80"))).toMatchObject({ quarantine: ["10.0.4.175:80"] });
    expect(await json(admin.call("/api/v1/apps/shop/release"))).toMatchObject({ step, quarantined: [] });
  });

  it("is told of each server", async () => {
    await json(send("PUT", "10.0.4.175:80"));
    const counts = { inFlight: 1, requests: 5, failures: 0, lastError: null };
    const server = { app: "shop", group: "group1", weight: 0, healthy: true, deadUntil: null, ...counts };
    admin.plane.servers = [
      { ...server, server: "10.0.4.175:80" },
      { ...server, server: "10.0.4.176:80" },
    ];
    expect(await json(admin.call("/api/v1/apps/shop/servers"))).toMatchObject([
      { server: "10.0.4.175:80", state: "quarantined", inFlight: 1 },
      { server: "10.0.4.176:80", state: "up" },
    ]);
    admin.plane.servers = [
      { ...server, server: "10.0.4.175:80", deadUntil: 1_700_000_000_000, healthy: false },
    ];
    expect(await json(admin.call("/api/v1/apps/shop/servers"))).toMatchObject([
      { state: "quarantined", deadUntil: "2023-11-14T22:13:20.000Z", healthy: false },
    ]);
  });
});
