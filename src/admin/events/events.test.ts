import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { FollowedStream } from "../../../test/admin/followed-stream.ts";
import { runAdmin, TEST_TOKEN, type RunningAdmin } from "../../../test/admin/running-admin.ts";
import { until } from "../../../test/e2e/harness/until.ts";
import type { GatewayReport } from "../../fleet/roster.ts";
import type { ServerStatus } from "../../gateway/server-status.ts";
import type { ReleaseJson } from "../release-schemas.ts";
import type { GatewayRow, ServerRow } from "../schemas.ts";
import { noVerdictYet } from "../verdict-schemas.ts";
import { type AppEvent, EVENT_SCHEMAS, type EventType, type TrafficEvent } from "./event-types.ts";

const SHOP = { name: "shop", groups: { blue: { servers: ["10.0.0.1"] }, green: { servers: ["10.0.0.2"] } } };
const CART = { ...SHOP, name: "cart", routes: [{ host: "cart.example" }] };
const PATH = "/api/v1/events";

let admin: RunningAdmin;
beforeEach(async () => {
  admin = await runAdmin();
  await admin.store.put("shop", SHOP, "any", "test");
  await admin.store.put("cart", CART, "any", "test");
});
afterEach(() => admin.stop());

async function follow(query: string = "", headers: Record<string, string> = {}): Promise<FollowedStream> {
  const stream = await FollowedStream.open(admin.url + PATH + query, TEST_TOKEN, headers);
  onTestFinished(() => stream.close());
  return stream;
}

/** Ends it, and waits until the gateway knows. */
async function leave(stream: FollowedStream, type: EventType, app: string): Promise<void> {
  stream.close();
  await until("the reader to be gone", () => !admin.events.isRead(type, app));
}

/** Waits until every source has had its turn, twice. */
async function turns(): Promise<void> {
  let count = 0;
  admin.events.whileRead(() => (count += 1));
  await until("two turns", () => count > 2);
}

function status(server: string, more: Partial<ServerStatus> = {}): ServerStatus {
  return {
    app: "shop",
    group: "blue",
    server,
    weight: 1,
    inFlight: 0,
    requests: 0,
    failures: 0,
    deadUntil: null,
    lastError: null,
    healthy: true,
    ...more,
  };
}

function report(name: string, more: Partial<GatewayReport> = {}): GatewayReport {
  return {
    name,
    id: name,
    version: "1",
    startedAt: "2026-01-01T00:00:00.000Z",
    listen: [],
    admin: "",
    ready: true,
    directory: "current",
    apps: 0,
    digest: "",
    inFlight: 0,
    ...more,
  };
}

/** What a gateway tells of the shop. */
async function tellTraffic(
  gateway: string,
  perSecond: number,
  failing: number,
  inFlight: number,
): Promise<void> {
  const record = {
    revision: 1,
    groups: {
      blue: { requests: 0, failures: 0, errors: 0, inFlight },
      gone: { requests: 0, failures: 0, errors: 0, inFlight: 7 },
    },
    rates: { blue: perSecond, gone: 7 },
    failureRates: { blue: failing },
  };
  await admin.roster.beat(report(gateway), new Map([["shop", record]]));
}

describe("GET /events", () => {
  it("is a stream that nobody on the way holds back", async () => {
    const { response } = await follow();
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
  });

  it("needs the token, and types that there are", async () => {
    expect((await fetch(admin.url + PATH)).status).toBe(401);
    const refused = await admin.call(`${PATH}?types=app,weather&types=traffic`);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      detail: "found types weather, expected some of app, release, server, gateway, traffic, verdict",
    });
  });

  it("answers HEAD at once, and has no reader by it", async () => {
    const answer = await admin.call(PATH, { method: "HEAD" });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    expect(admin.events.isRead("app", "shop")).toBe(false);
  });

  it("is described for machines, with the data of every type", async () => {
    const { paths } = (await (await admin.call("/openapi.json")).json()) as {
      paths: Record<string, { get: { responses: Record<string, { content: Record<string, object> }> } }>;
    };
    const content = paths[PATH]!.get.responses["200"]!.content;
    expect(Object.keys(content)).toEqual(["text/event-stream"]);
    expect(content["text/event-stream"]).toMatchObject({
      schema: { type: "string" },
      "x-events": { traffic: { properties: { groups: { type: "array" } } }, gateway: { type: "array" } },
    });
  });

  it("tells only of the apps and types that were asked for", async () => {
    const [cart, changes] = [await follow("?app=cart&app=other"), await follow("?types=app,release")];
    await admin.store.put("shop", SHOP, "any", "amy");
    await admin.store.put("cart", CART, "any", "amy");
    await admin.store.put("cart", CART, "any", "amy");
    await changes.next<AppEvent>("app", ({ revision }) => revision === 3);
    await cart.next<AppEvent>("app", ({ revision }) => revision === 3);
    expect(changes.of<AppEvent>("app").map(({ data }) => data.app)).toEqual(["shop", "cart", "cart"]);
    expect(changes.events.length).toBe(3);
    expect(cart.of<AppEvent>("app").map(({ data }) => data.app)).toEqual(["cart", "cart"]);
  });

  it("goes on where a reader left off, by the header or by the query", async () => {
    const first = await follow("?types=app");
    await admin.store.put("shop", SHOP, "any", "amy");
    await first.next("app");
    await leave(first, "app", "shop");
    await admin.store.put("shop", SHOP, "any", "ben");
    const id = first.lastEventId!;
    const streams = [
      await follow("?types=app", { "last-event-id": id }),
      await follow(`?types=app&lastEventId=${id}`),
      // A browser that comes back sends the header beside the query of its first time.
      await follow("?types=app&lastEventId=0-1", { "last-event-id": id }),
    ];
    await admin.store.put("shop", SHOP, "any", "eve");
    for (const stream of streams) {
      await stream.next<AppEvent>("app", ({ by }) => by === "eve");
      expect(stream.events.map(({ data }) => data["by"])).toEqual(["ben", "eve"]);
    }
    const anew = await follow("?types=app&lastEventId=0badc0de-1");
    await anew.next("reset");
    const fresh = await follow("?types=app&lastEventId=");
    await admin.store.put("shop", SHOP, "any", "amy");
    await fresh.next("app");
    expect(fresh.of("reset")).toEqual([]);
  });

  it("takes 200 readers, and refuses more with the time to come back", async () => {
    const warned = vi.fn<(warning: Error) => void>();
    process.on("warning", warned);
    onTestFinished(() => void process.off("warning", warned));
    const streams = await Promise.all(Array.from({ length: 200 }, () => follow("?types=app")));
    const refused = await admin.call(PATH);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "10"]);
    expect(await refused.json()).toMatchObject({ type: "urn:halftone:problem:too-many-readers" });
    expect((await admin.call("/api/v1/apps")).status).toBe(200);
    streams[0]!.close();
    await until("a place", async () => (await follow("?types=app")).response.status === 200);
    expect(warned).not.toHaveBeenCalled();
  });

  it("ends at once with the listener, whether its readers read or not", async () => {
    const stream = await follow("?types=app");
    const stuck = await stuckReader();
    // More than the kernel holds for it, less than makes it too slow.
    await publishMuch(6 * MIB);
    // What the listener would do after a time must not be needed.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const stopped = admin.stop();
    await stopped;
    expect(await stream.ended).toBe("in order");
    stuck.socket.resume();
    await stuck.ended;
    // For the hook after each test.
    admin = await runAdmin();
  });

  it("cuts off a reader that never reads, and says so", async () => {
    const stream = await follow("?types=app");
    const stuck = await stuckReader();
    // What the kernel holds for it comes first.
    for (let n = 0; n < 20 && admin.warnings.length === 0; n += 1) await publishMuch(MIB);
    await until("the warning", () => admin.warnings.length > 0);
    expect(admin.warnings).toEqual([
      expect.stringMatching(/a reader of events is cut off: it is \d+ bytes behind/),
    ]);
    stuck.socket.resume();
    await stuck.ended;
    // It is not an end in order: what it was to get last is not there.
    expect(stuck.tail()).not.toContain("0\r\n\r\n");
    await admin.store.put("shop", SHOP, "any", "the end");
    await stream.next<AppEvent>("app", ({ by }) => by === "the end");
  });
});

const MIB = 1024 * 1024;

/** Some KiB at a time, so that those who read keep up. */
async function publishMuch(bytes: number): Promise<void> {
  const event = { app: "shop", revision: 1, by: "", what: "x".repeat(64 * 1024), at: "" };
  for (let sent = 0; sent < bytes; sent += event.what.length) {
    admin.events.publish("app", "shop", event);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface StuckReader {
  readonly socket: Socket;
  readonly ended: Promise<void>;
  /** The last bytes that it took, once it took some. */
  readonly tail: () => string;
}

/** Asks for events and takes nothing of the answer. */
async function stuckReader(): Promise<StuckReader> {
  const socket = connect(Number(new URL(admin.url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let tail = "";
  socket.on("error", () => {}).on("data", (bytes: Buffer) => (tail = bytes.toString("latin1").slice(-20)));
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.pause();
  const before = admin.events.readers;
  socket.write(
    `GET ${PATH}?types=app&app=shop HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TEST_TOKEN}\r\n\r\n`,
  );
  await until("the reader that does not read", () => admin.events.readers > before);
  return { socket, ended, tail: () => tail };
}

describe("what is told", () => {
  it("every change of a document, and its deletion", async () => {
    const stream = await follow("?types=app");
    await admin.store.setDeploy("shop", { deploy: 1, share: 5 }, "any", "amy");
    await admin.store.delete("shop", "any", "ben");
    const { data } = await stream.next<AppEvent>("app", ({ revision }) => revision === null);
    expect(data).toEqual({
      app: "shop",
      revision: null,
      by: "ben",
      what: "delete",
      at: expect.any(String) as string,
    });
    expect(stream.of("app")[0]?.data).toMatchObject({
      app: "shop",
      revision: 2,
      by: "amy",
      what: "deploy 1 share 5",
    });
  });

  it("where a release is, whenever it has moved", async () => {
    const stream = await follow("?types=release,app");
    await admin.releases.start("shop", { version: "2.0" }, "amy");
    const { data } = await stream.next<ReleaseJson>("release");
    expect(data).toEqual(await (await admin.call("/api/v1/apps/shop/release")).json());
    // Kept beside the release, and not part of it.
    await admin.releases.freeze("shop", { until: null, reason: "a feast" }, "amy");
    await admin.releases.command("shop", { type: "pause" }, "amy");
    await stream.next<ReleaseJson>("release", ({ status }) => status === "paused");
    expect(stream.events.map(({ type }) => type)).toEqual(["app", "release", "app", "app", "release"]);
  });

  it("a server whose state has changed, and no mere counters", async () => {
    admin.plane.servers = [status("10.0.0.1:80"), status("10.0.0.2:80", { group: "green" })];
    const stream = await follow("?types=server");
    admin.feed.noteServers("shop");
    // At the first sign of a change nobody knows what it was before.
    await until("both", () => stream.of("server").length === 2);
    const change = async (more: Partial<ServerStatus>): Promise<ServerRow & { app: string }> => {
      const known = stream.of("server").length;
      admin.plane.servers = [{ ...admin.plane.servers[0]!, ...more }, admin.plane.servers[1]!];
      admin.feed.noteServers("shop");
      await until("it to be told", () => stream.of("server").length > known);
      return stream.of<ServerRow & { app: string }>("server").at(-1)!.data;
    };
    const deadUntil = Date.UTC(2026, 0, 2);
    const row = await change({ deadUntil, failures: 1, lastError: "connect_failed: ECONNREFUSED" });
    const [first] = (await (await admin.call("/api/v1/apps/shop/servers")).json()) as ServerRow[];
    expect(row).toEqual({ app: "shop", ...first });
    expect(row).toMatchObject({ state: "dead", deadUntil: "2026-01-02T00:00:00.000Z" });

    const asked = admin.plane.asked.length;
    admin.plane.servers = [
      { ...admin.plane.servers[0]!, requests: 9, failures: 3, inFlight: 2 },
      admin.plane.servers[1]!,
    ];
    admin.feed.noteServers("shop");
    await until("it to be looked at", () => admin.plane.asked.length > asked);
    for (const more of [{ deadUntil: null }, { healthy: false }, { weight: 3 }, { lastError: "late" }]) {
      expect(await change(more)).toMatchObject({ server: "10.0.0.1:80", failures: 3, ...more });
    }
    expect(stream.events.length).toBe(2 + 1 + 4);
  });

  it("who came, went, fell behind or is not ready of the gateways, and not that they live on", async () => {
    const stream = await follow("?types=gateway&app=shop");
    const beat = (name: string, more: Partial<GatewayReport> = {}): Promise<boolean> =>
      admin.roster.beat(report(name, more), new Map());
    const told = async (isMeant: (rows: readonly GatewayRow[]) => boolean): Promise<readonly GatewayRow[]> =>
      (await stream.next<readonly GatewayRow[]>("gateway", isMeant)).data;
    await told((rows) => rows.length === 0);
    await beat("1");
    const [row] = await told((rows) => rows.length === 1);
    expect(row).toMatchObject({ name: "1", self: true, live: true, lag: 0 });
    await beat("2", { digest: "other" });
    const listed = (await (await admin.call("/api/v1/gateways")).json()) as GatewayRow[];
    const withoutTime = (rows: readonly GatewayRow[]): unknown =>
      rows.map((one) => {
        const { seen: _, ...rest } = one;
        return rest;
      });
    expect(withoutTime(await told((rows) => rows[1]?.lag === 2))).toEqual(withoutTime(listed));
    await beat("2", { ready: false });
    await told((rows) => rows[1]?.ready === false);
    await beat("2", { version: "2" });
    await told((rows) => rows[1]?.version === "2");
    // Neither its load nor its being heard of is news.
    await beat("2", { version: "2", inFlight: 5 });
    await turns();
    await beat("2", { version: "3" });
    await told((rows) => rows[1]?.version === "3");
    await admin.roster.leave("2");
    await until("its end", () => stream.of<readonly GatewayRow[]>("gateway").at(-1)!.data.length === 1);
    expect(stream.events.length).toBe(7);
  });

  it("the traffic of all gateways together, once a second while there is any, and once more at its end", async () => {
    const stream = await follow("?types=traffic");
    await tellTraffic("1", 10.25, 0.5, 1);
    await tellTraffic("2", 2, 0, 2);
    const { data } = await stream.next<TrafficEvent>("traffic", ({ groups }) => groups[0]!.perSecond > 12);
    const none = { requests: 0, failures: 0, errors: 0, p50: null, p90: null, p99: null };
    expect(data).toEqual({
      app: "shop",
      at: "2026-01-02T03:04:05.000Z",
      groups: [
        { ...none, group: "blue", share: 100, perSecond: 12.3, failuresPerSecond: 0.5, inFlight: 3 },
        { ...none, group: "green", share: 0, perSecond: 0, failuresPerSecond: 0, inFlight: 0 },
      ],
    });
    const count = stream.events.length;
    await until("more of the same", () => stream.events.length > count + 1);
    await tellTraffic("1", 0, 0, 0);
    await tellTraffic("2", 0, 0, 0);
    await stream.next<TrafficEvent>("traffic", ({ groups }) => groups[0]!.perSecond === 0);
    const atEnd = stream.events.length;
    await turns();
    expect(stream.events.length).toBe(atEnd);
  });

  it("no traffic of a gateway that is lost", async () => {
    const stream = await follow("?types=traffic");
    await tellTraffic("1", 10, 0, 0);
    await tellTraffic("2", 2, 0, 0);
    await stream.next<TrafficEvent>("traffic", ({ groups }) => groups[0]!.perSecond === 12);
    admin.letPass(10_001);
    await tellTraffic("1", 10, 0, 0);
    await until("its part to be gone", () => {
      const [blue] = stream.of<TrafficEvent>("traffic").at(-1)!.data.groups;
      return blue!.perSecond === 10;
    });
  });

  it("whatever else is published, in the form that is described", async () => {
    const stream = await follow();
    const verdict = noVerdictYet("shop", "r1", "No window yet.");
    admin.events.publish("verdict", "shop", verdict);
    expect((await stream.next("verdict")).data).toEqual(verdict);
    admin.plane.servers = [status("10.0.0.1:80")];
    await admin.store.put("shop", SHOP, "any", "amy");
    await admin.releases.start("shop", { version: "2.0" }, "amy");
    await tellTraffic("1", 1, 1, 1);
    for (const type of Object.keys(EVENT_SCHEMAS) as EventType[]) {
      const { data } = await stream.next(type);
      expect(EVENT_SCHEMAS[type].safeParse(data), type).toMatchObject({ success: true });
    }
  });
});

describe("without readers", () => {
  it("nothing is asked for; with one, only what it wants", async () => {
    admin.plane.servers = [status("10.0.0.1:80"), status("10.0.0.1:80", { app: "cart" })];
    admin.feed.noteServers("shop");
    const stream = await follow("?app=cart");
    admin.feed.noteServers("shop");
    admin.feed.noteServers("cart");
    await stream.next("server");
    expect(admin.plane.asked).toEqual(["cart"]);
    await leave(stream, "server", "cart");
    admin.feed.noteServers("cart");
    await follow("?types=app");
    await turns();
    expect(admin.plane.asked).toEqual(["cart"]);
  });

  it("what may have changed is noted for one who comes back", async () => {
    admin.plane.servers = [status("10.0.0.1:80"), status("10.0.0.2:80")];
    const first = await follow("?types=server");
    admin.feed.noteServers("shop");
    await until("both", () => first.of("server").length === 2);
    await leave(first, "server", "shop");
    admin.plane.servers = [status("10.0.0.1:80"), status("10.0.0.2:80", { healthy: false })];
    admin.feed.noteServers("shop");
    const second = await follow("?types=server", { "last-event-id": first.lastEventId! });
    await second.next("server");
    expect(second.events.map(({ data }) => data["server"])).toEqual(["10.0.0.2:80"]);
  });

  it("ends for a reader whose token was revoked", async () => {
    await admin.stop();
    admin = await runAdmin(undefined, undefined, { heartbeatEvery: 20 });
    const token = await admin.newToken("guest", "viewer");
    const [guest, owner] = [
      await FollowedStream.open(admin.url + PATH, token),
      await FollowedStream.open(admin.url + PATH, TEST_TOKEN),
    ];
    onTestFinished(() => [guest, owner].forEach((stream) => stream.close()));
    expect((await admin.call("/api/v1/tokens/guest", { method: "DELETE" })).ok).toBe(true);
    await guest.ended;
    await admin.store.put("shop", SHOP, "any", "amy");
    await owner.next("app");
  });

  it("what was told before is not taken for what a later reader knows", async () => {
    await admin.stop();
    admin = await runAdmin(undefined, undefined, { absence: 0 });
    admin.plane.servers = [status("10.0.0.1:80")];
    const first = await follow("?types=server");
    admin.feed.noteServers("shop");
    await first.next("server");
    await leave(first, "server", "shop");
    await until("nobody to be waited for", () => !admin.events.isAwaited("server", "shop"));
    admin.plane.servers = [status("10.0.0.1:80", { healthy: false })];
    admin.feed.noteServers("shop");
    // It reads that the server is sick, and has to be told when it is not any more.
    const second = await follow("?types=server");
    admin.plane.servers = [status("10.0.0.1:80")];
    admin.feed.noteServers("shop");
    expect((await second.next<ServerRow>("server")).data.healthy).toBe(true);
  });
});
