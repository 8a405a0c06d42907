import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AppDocument } from "../../src/config/app-document.ts";
import { bucketHundredths } from "../../src/core/bucket.ts";
import { addWindows, compareWindow } from "../../src/core/verdict/compare-window.ts";
import type { TallyWindow } from "../../src/core/verdict/tally.ts";
import { answerOf, connectHttp2 } from "../http2/client.ts";
import {
  deadAddress,
  eventually,
  get,
  ok,
  post,
  serve,
  split,
  startGateway,
  take,
  turn,
  upstream,
  type GatewayUnderTest,
  type GatewayWish,
  type Peer,
  type Script,
  type Upstream,
} from "./harness.ts";

/* What of the traffic of a release is counted for its verdict. All of it happens in the same second of one window. */

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => void vi.useRealTimers());

/** In ms. Nothing takes as long as that, and nothing is as fast as the other. */
const NEVER = 3_600_000;
const ALWAYS = 0.000_001;
const UNAVAILABLE = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
const ERROR = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

const resetAfterRequest: Script = async (peer) => {
  await take(peer);
  peer.reset();
};
const silent: Script = async (peer) => void (await take(peer));

/** Half of the clients are drawn to the second group. */
function release(
  rest: readonly string[],
  test: readonly string[],
  { slower = [NEVER, NEVER, NEVER], ...more }: Partial<AppDocument> & { slower?: readonly number[] } = {},
): AppDocument {
  return split(rest, test, {
    share: 50,
    draw: "r1",
    stickiness: [{ header: "x-user" }],
    testers: [{ header: "x-tester", equals: "1" }],
    tally: { window: "10s", slower },
    ...more,
  });
}

let lastUser = 0;

/** One who was not there before, as a header, and drawn to that side. */
function user(side: "test" | "rest"): string {
  for (;;) {
    const name = `user${lastUser++}`;
    if (bucketHundredths("shop", "r1", name) < 5000 === (side === "test")) return `X-User: ${name}\r\n`;
  }
}

interface Counted {
  /** By server, or by the side of which nobody could be asked. */
  readonly requests: Record<string, number>;
  readonly failed: Record<string, number>;
  /** Slower than the median, of all whose time is known. */
  readonly slow: Record<string, string>;
  readonly met: number;
  readonly testers: readonly [number, number];
}

const NOTHING: TallyWindow = { window: 0, part: 1, cells: {}, erring: [], met: [], testers: [0, 0] };

/** Everything since it was last asked. */
function windowOf({ gateway }: GatewayUnderTest): TallyWindow {
  return (gateway.takeTallies().get("shop")?.windows ?? []).reduce(addWindows, NOTHING);
}

function counted(gateway: GatewayUnderTest): Counted {
  return inShort(windowOf(gateway));
}

function inShort({ cells, erring, met, testers }: TallyWindow): Counted {
  const failed: Record<string, number> = {};
  for (const [, name] of erring) failed[name] = (failed[name] ?? 0) + 1;
  const of = <T>(make: (cell: readonly number[]) => T): Record<string, T> =>
    Object.fromEntries(Object.entries(cells).map(([name, cell]) => [name, make(cell)]));
  return {
    requests: of(([requests]) => requests!),
    failed,
    slow: of(([, all, slow]) => `${slow} of ${all}`),
    met: met.length,
    testers,
  };
}

/** Of what the test names, that and nothing else was counted. */
function expectCounted(found: Counted, expected: Partial<Counted>): void {
  const named = Object.entries(found).filter(([key]) => key in expected);
  expect(Object.fromEntries(named)).toEqual(expected);
}

/** Waits until something is counted. */
async function countedSoon(gateway: GatewayUnderTest): Promise<Counted> {
  let sum = NOTHING;
  await eventually(() => {
    sum = addWindows(sum, windowOf(gateway));
    return Object.keys(sum.cells).length + sum.erring.length > 0;
  }, "something to be counted");
  return inShort(sum);
}

async function standing(
  script: Script,
  more: Parameters<typeof release>[2] = {},
  wish: GatewayWish = {},
): Promise<{ gateway: GatewayUnderTest; test: Upstream; rest: Upstream }> {
  const rest = await upstream(serve(ok("old")));
  const test = await upstream(script);
  const apps = [release([rest.address], [test.address], more)];
  return { gateway: await startGateway({ apps, ...wish }), test, rest };
}

describe("an answer 5xx", () => {
  it.each([
    [{}, { failures: 0, errors: 1 }],
    [{ retry: { on: [500], tries: 1 } }, { failures: 1, errors: 0 }],
  ])("is one error of its group, or one failed try, with %j", async (more, expected) => {
    const { gateway, test } = await standing(serve(ERROR), more);
    for (const side of ["test", "rest"] as const) await gateway.ask(get("/", user(side)));
    const { group } = gateway.server(test.address);
    const { totals } = gateway.gateway.takeNews().get("shop")!;
    expect(totals[group]).toEqual({ requests: 1, inFlight: 0, ...expected });
    expect(Object.values(totals).reduce((sum, { failures, errors }) => sum + failures + errors, 0)).toBe(1);
  });
});

describe("a request of an app under release", () => {
  it("is counted for the server that the draw sent it to", async () => {
    const { gateway, test, rest } = await standing(serve(ok("new")));
    for (const side of ["test", "test", "rest"] as const) await gateway.ask(get("/", user(side)));
    expect(counted(gateway)).toEqual({
      requests: { [test.address]: 2, [rest.address]: 1 },
      failed: {},
      slow: { [test.address]: "0 of 2", [rest.address]: "0 of 1" },
      met: 0,
      testers: [0, 0],
    });
    expect(counted(gateway).requests).toEqual({});
  });

  it("is not counted while no release runs, nor of what was under way when it ended", async () => {
    let asked: Peer | undefined;
    const { gateway, test, rest } = await standing(async (peer) => {
      await take(peer);
      asked = peer;
    });
    const client = await gateway.client();
    client.send(get("/", user("test")));
    await eventually(() => asked !== undefined, "the request");
    const { tally: _, draw: __, ...over } = release([rest.address], [test.address], { deploy: 0 });
    gateway.gateway.putApp({ name: "shop", revision: 2, document: over });
    asked!.send(ok());
    await client.message();
    expect((await gateway.ask(get("/", user("rest")))).status).toBe(200);
    expect(gateway.gateway.takeTallies().size).toBe(0);
  });

  it("fails by an answer of 5xx, which its client meets", async () => {
    const { gateway, test } = await standing(serve(ERROR));
    expect((await gateway.ask(get("/", user("test")))).status).toBe(500);
    expectCounted(counted(gateway), {
      requests: { [test.address]: 1 },
      failed: { [test.address]: 1 },
      met: 1,
    });
  });

  it("of the old version fails by it too, and is no error of the new one", async () => {
    const rest = await upstream(serve(ERROR));
    const test = await upstream(serve(ok()));
    const gateway = await startGateway({ apps: [release([rest.address], [test.address])] });
    await gateway.ask(get("/", user("rest")));
    expectCounted(counted(gateway), {
      requests: { [rest.address]: 1 },
      failed: { [rest.address]: 1 },
      met: 0,
    });
  });

  it("counts by its first try alone: who is then served by the others has met no error", async () => {
    const { gateway, test } = await standing(resetAfterRequest, { health: { maxFails: 3 } });
    const answer = await gateway.ask(get("/", user("test")));
    expect([answer.status, answer.body]).toEqual([200, "old"]);
    expect(counted(gateway)).toEqual({
      requests: { [test.address]: 1 },
      failed: { [test.address]: 1 },
      slow: { [test.address]: "0 of 0" },
      met: 0,
      testers: [0, 0],
    });
  });

  it("says nothing by a second try, however that ends", async () => {
    const [rest, test] = [await upstream(silent), await upstream(resetAfterRequest)];
    const gateway = await startGateway({
      apps: [release([rest.address], [test.address], { slower: [10, 10, 10], health: { maxFails: 3 } })],
      timeouts: { response: 100 },
    });
    expect((await gateway.ask(get("/", user("test")))).status).toBe(504);
    expect(counted(gateway)).toEqual({
      requests: { [test.address]: 1 },
      failed: { [test.address]: 1 },
      slow: { [test.address]: "0 of 0" },
      met: 1,
      testers: [0, 0],
    });
  });

  it("fails by a status that is tried again elsewhere", async () => {
    const { gateway, test } = await standing(serve(UNAVAILABLE), { retry: { on: [503] } });
    expect((await gateway.ask(get("/", user("test")))).body).toBe("old");
    expectCounted(counted(gateway), {
      requests: { [test.address]: 1 },
      failed: { [test.address]: 1 },
      slow: { [test.address]: "0 of 1" },
      met: 0,
    });
  });

  it("fails when nobody listens, and its time says nothing", async () => {
    const rest = await upstream(serve(ok()));
    const dead = await deadAddress();
    const gateway = await startGateway({ apps: [release([rest.address], [dead])] });
    await gateway.ask(get("/", user("test")));
    expectCounted(counted(gateway), {
      requests: { [dead]: 1 },
      failed: { [dead]: 1 },
      slow: { [dead]: "0 of 0" },
    });
  });

  it("fails and is slow when no answer comes in time", async () => {
    const { gateway, test } = await standing(
      silent,
      { slower: [10, 10, NEVER] },
      { timeouts: { response: 100 } },
    );
    expect((await gateway.ask(post("body", user("test")))).status).toBe(504);
    expectCounted(counted(gateway), {
      failed: { [test.address]: 1 },
      slow: { [test.address]: "1 of 1" },
      met: 1,
    });
  });

  it("fails by an answer that breaks off, after it was counted as a good one", async () => {
    const { gateway, test } = await standing(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    });
    const client = await gateway.client();
    client.send(get("/", user("test")));
    await client.text("part");
    expectCounted(counted(gateway), { requests: { [test.address]: 1 }, failed: {}, met: 0 });
    test.peers[0]!.reset();
    await client.gone();
    expectCounted(counted(gateway), { requests: {}, failed: { [test.address]: 1 }, met: 1 });
  });

  it("is good when its idle connection was just being closed and another one brings the answer", async () => {
    const { gateway, test } = await standing(async (peer, index) => {
      await take(peer);
      peer.send(ok());
      await take(peer);
      if (index === 0) peer.reset();
    });
    await gateway.ask(get("/", user("test")));
    await gateway.ask(get("/", user("test")));
    expect(test.peers).toHaveLength(2);
    expectCounted(counted(gateway), { requests: { [test.address]: 2 }, failed: {} });
  });

  it("counts on either side for twenty a window, and never again after it has failed", async () => {
    const { gateway, test, rest } = await standing(serve(ERROR));
    const [bad, good] = [user("test"), user("rest")];
    for (let time = 0; time < 25; time += 1) for (const one of [bad, good]) await gateway.ask(get("/", one));
    expectCounted(counted(gateway), {
      requests: { [test.address]: 1, [rest.address]: 20 },
      failed: { [test.address]: 1 },
      met: 1,
    });
  });

  it("that does not count any more does not by its end either", async () => {
    const { gateway, test } = await standing(async (peer) => {
      await take(peer);
      const isLast = test.requests.length === 21;
      peer.send(isLast ? "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart" : ok());
      peer.end();
    });
    const one = user("test");
    for (let time = 0; time < 20; time += 1) await gateway.ask(get("/", one));
    const client = await gateway.client();
    client.send(get("/", one));
    await client.gone();
    expect(client.received).toContain("part");
    expectCounted(counted(gateway), { requests: { [test.address]: 20 }, failed: {}, met: 1 });
  });

  it("is counted on when it is settled meanwhile what is slow", async () => {
    const { gateway, test, rest } = await standing(serve(ERROR), { tally: { window: "10s" } });
    const [bad, good] = [user("test"), user("rest")];
    for (const one of [bad, good]) await gateway.ask(get("/", one));
    const report = gateway.gateway.takeTallies().get("shop")!;
    expect(report).toMatchObject({ release: "r1", length: 10_000 });
    expect(report.latencies.reduce((sum, [, count]) => sum + count, 0)).toBe(1);
    const settled = release([rest.address], [test.address], { slower: [ALWAYS, ALWAYS, NEVER] });
    gateway.gateway.putApp({ name: "shop", revision: 2, document: settled });
    for (const one of [bad, good]) await gateway.ask(get("/", one));
    expectCounted(counted(gateway), {
      requests: { [test.address]: 0, [rest.address]: 1 },
      failed: {},
      slow: { [test.address]: "1 of 1", [rest.address]: "1 of 1" },
    });
  });

  it("is counted anew in another release", async () => {
    const { gateway, test, rest } = await standing(serve(ERROR));
    const one = user("test");
    await gateway.ask(get("/", one));
    const other = release([rest.address], [test.address], { draw: "r2", share: 99.99 });
    gateway.gateway.putApp({ name: "shop", revision: 2, document: other });
    await gateway.ask(get("/", one));
    expect(gateway.gateway.takeTallies().get("shop")).toMatchObject({
      release: "r2",
      windows: [{ erring: [[expect.any(Number), test.address]] }],
    });
  });

  it("goes to the side of its server when the groups have been merged", async () => {
    const { gateway, test, rest } = await standing(serve(ERROR), { deploy: 0 });
    for (let time = 0; time < 4; time += 1) await gateway.ask(get("/", user("test")));
    const window = windowOf(gateway);
    expectCounted(inShort(window), { requests: { [test.address]: 2, [rest.address]: 2 }, met: 0 });
    const sides = new Map([
      [test.address, "test"],
      [rest.address, "rest"],
    ] as const);
    expect(compareWindow(window, sides, new Set())["errors"]).toMatchObject({
      test: { total: 2, bad: 2 },
      rest: { total: 2, bad: 0 },
    });
  });
});

describe("what is no fault of a server", () => {
  it("a stale connection by which the request cannot be repeated", async () => {
    const { gateway, test } = await standing(async (peer) => {
      await take(peer);
      peer.send(ok());
      await take(peer);
      peer.reset();
    });
    await gateway.ask(get("/", user("test")));
    expect((await gateway.ask(post("body", user("test")))).status).toBe(502);
    expectCounted(counted(gateway), { requests: { [test.address]: 1 }, failed: {} });
  });

  it("that it hangs up on a client who has not sent all", async () => {
    const { gateway } = await standing(async (peer) => {
      await peer.text("par");
      peer.reset();
    });
    const client = await gateway.client();
    client.send(post("part of it", user("test")).slice(0, -5));
    expect((await client.message()).status).toBe(502);
    expectCounted(counted(gateway), { requests: {}, failed: {} });
  });

  it("that the time for the whole request ends before the client has sent all", async () => {
    const { gateway } = await standing(() => {}, {}, { timeouts: { request: 100 } });
    const client = await gateway.client();
    client.send(post("part of it", user("test")).slice(0, -5));
    expect((await client.message()).field("x-halftone-error")).toBe("request_timeout");
    expectCounted(counted(gateway), { requests: {}, failed: {} });
  });

  it("an address that is not connected to", async () => {
    const { gateway, rest } = await standing(serve(ok()));
    const own = `${gateway.host}:${gateway.port}`;
    gateway.gateway.putApp({ name: "shop", revision: 2, document: release([rest.address], [own]) });
    expect((await gateway.ask(get("/", user("test")))).body).toBe("old");
    expectCounted(counted(gateway), { requests: {}, failed: {} });
  });
});

describe("a client that leaves before the answer", () => {
  it("counts as slow by the thresholds it has waited for, and as nothing else", async () => {
    const { gateway, test } = await standing(silent, { slower: [ALWAYS, NEVER, NEVER] });
    const client = await gateway.client();
    client.send(get("/", user("test")));
    await eventually(() => test.requests.length === 1, "the request");
    client.reset();
    expectCounted(await countedSoon(gateway), {
      requests: { [test.address]: 0 },
      failed: {},
      slow: { [test.address]: "1 of 1" },
      met: 0,
    });
  });

  it("says nothing if it has waited for none", async () => {
    const { gateway, test } = await standing(silent);
    const client = await gateway.client();
    client.send(get("/", user("test")));
    await eventually(() => test.requests.length === 1, "the request");
    client.reset();
    expectCounted(await countedSoon(gateway), {
      requests: { [test.address]: 0 },
      failed: {},
      slow: { [test.address]: "0 of 0" },
    });
  });

  it("in the middle of the answer has not failed", async () => {
    const { gateway, test } = await standing(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    });
    const client = await gateway.client();
    client.send(get("/", user("test")));
    await client.text("part");
    client.reset();
    await test.peers[0]!.gone();
    expectCounted(counted(gateway), { requests: { [test.address]: 1 }, failed: {}, met: 0 });
  });
});

describe("a group under test of which nobody lives", () => {
  it("says nothing on either side while that may be chance", async () => {
    const { gateway, test, rest } = await standing(resetAfterRequest);
    await gateway.ask(get("/", user("test")));
    expect(gateway.server(test.address).deadUntil).not.toBeNull();
    for (const side of ["test", "rest"] as const) {
      expect((await gateway.ask(get("/", user(side)))).body).toBe("old");
    }
    expect(counted(gateway)).toEqual({
      requests: { [test.address]: 1 },
      failed: { [test.address]: 1 },
      slow: { [test.address]: "0 of 0" },
      met: 0,
      testers: [0, 0],
    });
    gateway.gateway.adopt({ kind: "alive", app: "shop", server: test.address });
    for (const side of ["rest", "test"] as const) await gateway.ask(get("/", user(side)));
    expect(counted(gateway).requests).toEqual({ [test.address]: 1, [rest.address]: 1 });
  });

  it("fails for every client when it has failed three times in a row", async () => {
    const { gateway, test, rest } = await standing(resetAfterRequest, { health: { maxFails: 3 } });
    for (let time = 0; time < 3; time += 1) await gateway.ask(get("/", user("test")));
    expect(gateway.server(test.address).deadUntil).not.toBeNull();
    for (const side of ["test", "test", "rest"] as const) {
      expect((await gateway.ask(get("/", user(side)))).body).toBe("old");
    }
    expectCounted(counted(gateway), {
      requests: { [test.address]: 3, test: 2, [rest.address]: 1 },
      failed: { [test.address]: 3, test: 2 },
      met: 0,
    });
  });

  it("fails for every client when two die times have passed in vain, or when its check says so", async () => {
    const { gateway, test } = await standing(serve(ok()));
    const dead = { kind: "dead", app: "shop", server: test.address, error: "" } as const;
    for (const streak of [1, 2, 3]) {
      gateway.gateway.adopt({ ...dead, deadUntil: NOW + 60_000 * streak, streak });
      await gateway.ask(get("/", user("test")));
    }
    expectCounted(counted(gateway), { requests: { test: 1 }, failed: { test: 1 } });
    gateway.gateway.adopt({ kind: "alive", app: "shop", server: test.address });
    gateway.gateway.adopt({ kind: "check", app: "shop", server: test.address, healthy: false, error: "503" });
    await gateway.ask(get("/", user("test")));
    expectCounted(counted(gateway), { requests: { test: 1 }, failed: { test: 1 } });
  });

  it("does not keep the old version's latencies from being gathered while clients do not go there", async () => {
    const tally = { window: "10s" };
    const { gateway, test } = await standing(serve(ok()), { share: 0, testing: false, tally });
    const dead = { kind: "dead", app: "shop", server: test.address, error: "" } as const;
    gateway.gateway.adopt({ ...dead, deadUntil: NOW + 60_000, streak: 1 });
    await gateway.ask(get("/", user("rest")));
    const { latencies = [] } = gateway.gateway.takeTallies().get("shop") ?? {};
    expect(latencies.map(([, count]) => count)).toEqual([1]);
  });
});

describe("testers", () => {
  it("are counted apart, as they are no random draw", async () => {
    let answer = ok("new");
    const { gateway } = await standing(serve(() => answer));
    const tester = "X-Tester: 1\r\n";
    for (let time = 0; time < 25; time += 1) await gateway.ask(get("/", tester));
    answer = ERROR;
    await gateway.ask(get("/", tester));
    expect(counted(gateway)).toEqual({ requests: {}, failed: {}, slow: {}, met: 0, testers: [26, 1] });
  });
});

describe("other ways to talk", () => {
  const CHAT = { ":method": "CONNECT", ":protocol": "websocket", "sec-websocket-version": "13" };

  it("HTTP/2 is counted like HTTP/1.1", async () => {
    const { gateway, test } = await standing(serve(ERROR), {}, { http2: true });
    const client = connectHttp2(gateway);
    const [, name] = /: (.*)\r/.exec(user("test"))!;
    expect((await client.ask("/", { "x-user": name! })).status).toBe(500);
    expectCounted(counted(gateway), { failed: { [test.address]: 1 }, met: 1 });
  });

  it.each([
    ["a page in place of a WebSocket", ok("a page")],
    [
      "a WebSocket that nobody can have agreed on",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
    ],
  ])("%s fails over HTTP/2, as its client gets a 502", async (_, answer) => {
    const { gateway, test } = await standing(serve(answer), {}, { http2: true });
    const client = connectHttp2(gateway);
    await once(client.session, "remoteSettings");
    const [, name] = /: (.*)\r/.exec(user("test"))!;
    const got = await answerOf(client.open({ ...CHAT, ":path": "/chat", "x-user": name! }));
    expect(got.status).toBe(502);
    expectCounted(counted(gateway), {
      requests: { [test.address]: 1 },
      failed: { [test.address]: 1 },
      met: 1,
    });
  });

  const UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  const AGREED = `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\n`;

  it("a tunnel is good when it stands, whatever becomes of it", async () => {
    const { gateway, test } = await standing(async (peer) => {
      await take(peer);
      peer.send(AGREED);
      await peer.text("hello");
      peer.reset();
    });
    const client = await gateway.client();
    client.send(get("/", `${user("test")}${UPGRADE}`));
    await client.text("101");
    client.send("hello");
    await client.gone();
    await turn();
    expectCounted(counted(gateway), { requests: { [test.address]: 1 }, failed: {}, met: 0 });
  });

  it("one that nobody asked for is a failure", async () => {
    const { gateway, test } = await standing(serve(AGREED));
    expect((await gateway.ask(get("/", user("test")))).status).toBe(502);
    expectCounted(counted(gateway), { failed: { [test.address]: 1 }, met: 1 });
  });
});
