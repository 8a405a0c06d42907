import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AccessLogSettings } from "../../src/config/gateway-settings.ts";
import { connectHttp2 } from "../http2/client.ts";
import {
  app,
  deadAddress,
  eventually,
  get,
  ok,
  post,
  serve,
  split,
  startGateway,
  take,
  upstream,
  type GatewayUnderTest,
  type GatewayWish,
} from "./harness.ts";

type Line = Readonly<Record<string, unknown>>;

interface Logged extends GatewayUnderTest {
  readonly file: string;
  readonly accessLog: AccessLogSettings;
  /** Waits for so many lines; there are no more when the gateway has ended. */
  readonly lines: (count: number) => Promise<readonly Line[]>;
  /** Ends the gateway: all that was written. */
  readonly all: () => Promise<readonly Line[]>;
}

function linesOf(file: string): readonly Line[] {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}

async function logging(wish: GatewayWish, more: Partial<AccessLogSettings> = {}): Promise<Logged> {
  const folder = mkdtempSync(join(tmpdir(), "halftone-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "access.log");
  const accessLog: AccessLogSettings = { to: file, mode: "all", sample: 0, query: false, ...more };
  const under = await startGateway({ ...wish, accessLog });
  return {
    ...under,
    file,
    accessLog,
    lines: async (count) => {
      await eventually(() => linesOf(file).length >= count, `${count} lines`);
      return linesOf(file);
    },
    all: async () => {
      await under.gateway.drain();
      return linesOf(file);
    },
  };
}

describe("a request is told of", () => {
  it("with whose it was, who served it, why there, and how it went", async () => {
    const rest = await upstream(serve(ok("hello")));
    const test = await upstream(serve("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"));
    const testers = [{ header: "x-tester", equals: "1" }];
    const { ask, all } = await logging({
      apps: [split([rest.address], [test.address], { testers, draw: "r1" })],
      trustedProxies: ["127.0.0.1"],
    });
    await ask(get("/a/./b?secret=1", "X-Forwarded-For: 198.51.100.7\r\nX-Request-Id: mine\r\n"));
    await ask(get("/", "x-tester: 1\r\n"));
    const [first, second] = await all();
    expect(first).toMatchObject({
      app: "shop",
      group: "blue",
      server: rest.address,
      client: "198.51.100.7",
      method: "GET",
      path: "/a/b",
      status: 200,
      error: null,
      bytes: 5,
      tries: 1,
      requestId: "mine",
      rule: "public",
      release: "r1",
    });
    expect(Date.parse(String(first!["time"]))).toBeGreaterThan(Date.now() - 60_000);
    expect(first!["ms"]).toBeGreaterThan(0);
    expect(second).toMatchObject({
      group: "green",
      status: 404,
      bytes: 4,
      rule: "tester by header x-tester",
    });
  });

  it("with its query, if that is wanted", async () => {
    const server = await upstream(serve(ok()));
    const { ask, all } = await logging({ apps: [app([server.address])] }, { query: true });
    await ask(get("/a?b=c"));
    expect(await all()).toMatchObject([{ path: "/a?b=c" }]);
  });

  it("with the server that answered in the end, and how many were asked", async () => {
    const good = await upstream(serve(ok()));
    const busy = await upstream(serve("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"));
    const servers = [await deadAddress(), busy.address, good.address];
    const { ask, all } = await logging({
      apps: [app(servers, { retry: { tries: 3, budget: 100, on: [503] } })],
    });
    await ask(get());
    expect(await all()).toMatchObject([{ server: good.address, status: 200, tries: 3, error: null }]);
  });

  it("once, when the gateway answers by itself, with that answer's id", async () => {
    const dead = await deadAddress();
    const { ask, all } = await logging({ apps: [app([dead])], limits: { body: 10 } });
    const answers = [await ask(get()), await ask(post("x".repeat(11))), await ask("BREW / HTTP/1.1\r\n\r\n")];
    expect(answers.map(({ status }) => status)).toEqual([502, 413, 501]);
    const lines = await all();
    expect(lines).toMatchObject([
      { app: "shop", server: dead, method: "GET", status: 502, error: "connect_failed", tries: 1 },
      { app: null, server: null, method: "POST", path: "/", status: 413, error: "body_too_large", tries: 0 },
      { app: null, method: null, path: null, status: 501, error: "unknown_method", rule: null },
    ]);
    expect(lines.map(({ requestId }) => requestId)).toEqual(
      answers.map((answer) => answer.field("x-request-id")),
    );
  });

  it("that has no app", async () => {
    const { ask, all } = await logging({});
    await ask(get("/x"));
    expect(await all()).toMatchObject([
      { app: null, client: "127.0.0.1", method: "GET", path: "/x", status: 404, error: "no_route" },
    ]);
  });

  it("whose body goes wrong, once", async () => {
    const server = await upstream(() => {});
    const { client, all } = await logging({ apps: [app([server.address])] });
    const peer = await client();
    peer.send("POST /up HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    await eventually(() => server.peers.length === 1, "the request at the server");
    peer.send("nonsense\r\n");
    const answer = await peer.message();
    expect(answer.status).toBe(400);
    const lines = await all();
    expect(lines).toMatchObject([{ app: "shop", method: "POST", path: "/up", status: 400, group: "g1" }]);
    expect(lines[0]).toMatchObject({
      error: answer.field("x-halftone-error"),
      requestId: answer.field("x-request-id"),
    });
  });

  it("whose client did not wait, and whose answer broke off", async () => {
    const server = await upstream(async (peer, index) => {
      await take(peer);
      if (index === 0) return;
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
      if (index === 1) peer.end();
    });
    const { client, gateway, all } = await logging({
      apps: [app([server.address], { health: { maxFails: 9 } })],
    });
    const impatient = await client();
    impatient.send(get("/none"));
    await eventually(() => server.requests.length === 1, "the request at the server");
    impatient.reset();
    await eventually(() => gateway.counters.inFlight === 0, "its end");
    const cut = await client();
    cut.send(get("/cut"));
    await cut.gone();
    const half = await client();
    half.send(get("/half"));
    await half.text("half");
    half.reset();
    await eventually(() => gateway.counters.inFlight === 0, "its end");
    expect(await all()).toMatchObject([
      { path: "/none", status: null, error: "left", bytes: 0 },
      { path: "/cut", status: 200, error: "cut", bytes: 4 },
      { path: "/half", status: 200, error: "left", bytes: 4 },
    ]);
  });

  it("that became a tunnel, when that is over", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      await peer.text("ping");
      peer.send("pong");
      peer.end();
    });
    const { client, all } = await logging({ apps: [app([server.address])] });
    const peer = await client();
    peer.send(get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    await peer.text("101 ");
    peer.send("ping");
    await peer.text("pong");
    peer.end();
    expect(await all()).toMatchObject([{ path: "/ws", status: 101, bytes: 4, error: null }]);
  });

  it("of HTTP/2 too", async () => {
    const server = await upstream(serve(ok("fine")));
    const under = await logging({ http2: true, apps: [app([server.address])] });
    const client = connectHttp2(under);
    await client.ask("/two?x=1");
    await client.ask("/none", { ":authority": "shop.test", ":method": "BREW" });
    expect(await under.lines(2)).toMatchObject([
      { app: "shop", path: "/two", status: 200, bytes: 4 },
      { app: null, status: 501, error: "unknown_method" },
    ]);
  });
});

describe("what is written", () => {
  it("is errors alone, if only they are wanted", async () => {
    const server = await upstream(serve(({ startLine }) => (startLine.includes("/bad") ? FAILING : ok())));
    const { ask, all } = await logging({ apps: [app([server.address])] }, { mode: "errors" });
    for (const path of ["/", "/bad", "/"]) await ask(get(path));
    await ask("nonsense\r\n\r\n");
    expect(await all()).toMatchObject([{ path: "/bad", status: 500 }]);
  });

  it("goes to another file after a reload, and not a line is lost", async () => {
    const server = await upstream(serve(ok()));
    const { ask, all, gateway, file, settings, accessLog } = await logging({ apps: [app([server.address])] });
    for (let i = 0; i < 5; i++) await ask(get(`/${i}`));
    renameSync(file, `${file}.1`);
    await gateway.reconfigure(settings);
    for (let i = 5; i < 8; i++) await ask(get(`/${i}`));
    const bad = { ...settings, accessLog: { ...accessLog, to: join(file, "below") } };
    await expect(gateway.reconfigure(bad)).rejects.toThrow(/access log .*ENOTDIR/);
    await ask(get("/8"));
    const { accessLog: _, ...silent } = settings;
    await gateway.reconfigure(silent);
    await ask(get("/9"));
    expect(linesOf(`${file}.1`).map(({ path }) => path)).toEqual(["/0", "/1", "/2", "/3", "/4"]);
    expect((await all()).map(({ path }) => path)).toEqual(["/5", "/6", "/7", "/8"]);
    expect(gateway.counters).toMatchObject({ logLines: 9, logDropped: 0 });
  });

  it("is dropped and counted where it cannot be written, and requests go on", async () => {
    const server = await upstream(serve(ok()));
    const errors: string[] = [];
    const { client, gateway } = await logging(
      { apps: [app([server.address])], events: { onError: ({ message }) => errors.push(message) } },
      { to: "/dev/full" },
    );
    const peer = await client();
    // Lines of almost the greatest length: their room is a mebibyte.
    const request = get(`/${"x".repeat(3500)}`);
    for (let i = 0; i < 320; i++) {
      peer.send(request);
      expect((await peer.message()).status).toBe(200);
    }
    await eventually(() => errors.length > 0, "the error");
    expect(errors).toEqual([expect.stringMatching(/access log \/dev\/full cannot be written: ENOSPC/)]);
    expect(gateway.counters.logDropped).toBeGreaterThan(0);
    expect(gateway.counters.logLines + gateway.counters.logDropped).toBe(320);
  });
});

const FAILING = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
