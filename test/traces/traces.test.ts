import { describe, expect, it } from "vitest";
import type { TracesSettings } from "../../src/config/gateway-settings.ts";
import {
  app,
  deadAddress,
  eventually,
  get,
  ok,
  serve,
  split,
  startGateway,
  take,
  upstream,
  type GatewayUnderTest,
  type GatewayWish,
  type Message,
} from "../gateway/harness.ts";
import { connectHttp2 } from "../http2/client.ts";
import { startCollector, type Collector } from "./collector.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const SAMPLED = `traceparent: 00-${TRACE}-${SPAN}-01\r\ntracestate: a=1,b=2\r\n`;

function linesOf(request: Message | undefined, name: string): readonly string[] {
  return (request?.lines ?? []).filter((line) => line.toLowerCase().startsWith(`${name}:`));
}

interface Traced extends GatewayUnderTest {
  readonly collector: Collector;
}

async function tracing(wish: GatewayWish, more: Partial<TracesSettings> = {}): Promise<Traced> {
  const collector = await startCollector();
  const traces: TracesSettings = {
    endpoint: collector.endpoint,
    sample: 1,
    headers: {},
    service: "test",
    ...more,
  };
  return { ...(await startGateway({ ...wish, traces })), collector };
}

describe("without a collector", () => {
  it.each([
    ["well-formed", SAMPLED],
    ["malformed", "traceparent: nonsense\r\ntracestate: a=1\r\n"],
    [
      "several",
      `traceparent: 00-${TRACE}-${SPAN}-01\r\nTraceParent: 00-${TRACE}-${SPAN}-00\r\ntracestate: a\r\ntracestate: b\r\n`,
    ],
  ])("what a client sends of its trace is passed on as it came: %s", async (_what, fields) => {
    const server = await upstream(serve(ok()));
    const { ask } = await startGateway({ apps: [app([server.address])] });
    await ask(get("/", fields));
    const passed = server.requests[0]!.lines.filter((line) => /^trace/i.test(line));
    expect(passed).toEqual(fields.split("\r\n").slice(0, -1));
  });
});

describe("a request that its client traces", () => {
  it("is a span of that trace, with one for its try, which the server goes on from", async () => {
    const server = await upstream(serve("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    const { ask, collector } = await tracing({
      apps: [split([server.address], [server.address.replace(/\d+$/, "1")], { draw: "r1" })],
    });
    const answer = await ask(get("/a?secret=1", `${SAMPLED}User-Agent: curl\r\n`));
    const [request, attempt] = await collector.seen(2);
    expect(request).toMatchObject({
      traceId: TRACE,
      parentId: SPAN,
      traceState: "a=1,b=2",
      name: "GET",
      kind: "server",
      failed: false,
      service: "test",
    });
    expect(request!.attributes).toEqual({
      "http.request.method": "GET",
      "http.response.status_code": 404,
      "url.scheme": "http",
      "url.path": "/a",
      "server.address": "shop.test",
      "client.address": "127.0.0.1",
      "network.peer.address": "127.0.0.1",
      "network.protocol.name": "http",
      "network.protocol.version": "1.1",
      "user_agent.original": "curl",
      "halftone.app": "shop",
      "halftone.group": "blue",
      "halftone.rule": "public",
      "halftone.release": "r1",
      "halftone.request_id": server.requests[0]!.field("x-request-id"),
    });
    const [host, port] = server.address.split(":");
    expect(attempt).toMatchObject({
      traceId: TRACE,
      parentId: request!.spanId,
      name: "GET",
      kind: "client",
      failed: true,
    });
    expect(attempt!.attributes).toEqual({
      "http.request.method": "GET",
      "http.response.status_code": 404,
      "error.type": "404",
      "server.address": host,
      "server.port": Number(port),
      "url.full": `http://${server.address}/a`,
      "halftone.group": "blue",
    });
    expect(request!.start).toBeLessThanOrEqual(attempt!.start);
    expect(request!.end).toBeGreaterThanOrEqual(attempt!.end);
    expect(linesOf(server.requests[0], "traceparent")).toEqual([
      `traceparent: 00-${TRACE}-${attempt!.spanId}-01`,
    ]);
    expect(linesOf(server.requests[0], "tracestate")).toEqual(["tracestate: a=1,b=2"]);
    expect(server.requests[0]!.startLine).toBe("GET /a?secret=1 HTTP/1.1");
    expect(answer.status).toBe(404);
  });

  it("has a span for each try, and says how each of them ended", async () => {
    const cutting = await upstream(async (peer) => {
      await take(peer);
      peer.end();
    });
    const good = await upstream(serve(ok()));
    const servers = [await deadAddress(), cutting.address, good.address];
    const { ask, collector } = await tracing({ apps: [app(servers, { retry: { tries: 3, budget: 100 } })] });
    await ask(get("/", SAMPLED));
    const [request, ...tries] = await collector.seen(4);
    expect(request).toMatchObject({ failed: false, attributes: { "http.response.status_code": 200 } });
    expect(
      tries.map(({ failed, attributes }) => [
        failed,
        attributes["error.type"],
        attributes["http.request.resend_count"],
      ]),
    ).toEqual([
      [true, "connect_failed", undefined],
      [true, "server_cut", 1],
      [false, undefined, 2],
    ]);
    expect(new Set(tries.map(({ parentId }) => parentId))).toEqual(new Set([request!.spanId]));
    expect(linesOf(cutting.requests[0], "traceparent")[0]).toContain(tries[1]!.spanId);
    expect(linesOf(good.requests[0], "traceparent")[0]).toContain(tries[2]!.spanId);
  });

  it("is not told of when its client says so, and the server hears that too", async () => {
    const server = await upstream(serve(ok()));
    const { ask, collector, gateway } = await tracing({ apps: [app([server.address])] });
    await ask(get("/", SAMPLED.replace("-01", "-00")));
    const [line = ""] = linesOf(server.requests[0], "traceparent");
    expect(line).toBe(`traceparent: 00-${TRACE}-${SPAN}-00`);
    expect(linesOf(server.requests[0], "tracestate")).toEqual(["tracestate: a=1,b=2"]);
    await gateway.drain();
    expect(collector.spans).toEqual([]);
  });

  it("fails when it is cut, or answered by an error", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
      peer.end();
    });
    const dead = { ...app([await deadAddress()]), name: "dead", routes: [{ host: "dead.test" }] };
    const cutting = app([server.address], { routes: [{ host: "shop.test" }] });
    const { ask, client, collector } = await tracing({ apps: [cutting, dead] });
    const peer = await client();
    peer.send(get("/", SAMPLED));
    await peer.gone();
    await ask(get("/", SAMPLED).replace("shop.test", "dead.test"));
    await ask(`GET /none HTTP/1.1\r\nHost: none.test\r\n${SAMPLED}Connection: close\r\n\r\n`);
    const spans = (await collector.seen(5)).filter(({ kind }) => kind === "server");
    expect(
      spans.map(({ failed, attributes }) => [
        failed,
        attributes["error.type"],
        attributes["http.response.status_code"],
      ]),
    ).toEqual([
      [true, "cut", 200],
      [true, "connect_failed", 502],
      // The client's fault: no failure of the one who answers.
      [false, "no_route", 404],
    ]);
  });

  it("of HTTP/2 is one like any other, and a WebSocket one until its end", async () => {
    const server = await upstream(async (peer) => {
      while ((await take(peer)).field("upgrade") === undefined) peer.send(ok());
      peer.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      await peer.text("bye");
      peer.end();
    });
    const under = await tracing({ http2: true, apps: [app([server.address])] });
    await connectHttp2(under).ask("/", { traceparent: `00-${TRACE}-${SPAN}-01` });
    const [request] = await under.collector.seen(2);
    expect(request).toMatchObject({ traceId: TRACE, attributes: { "network.protocol.version": "2" } });
    const peer = await under.client();
    peer.send(get("/ws", `${SAMPLED}Connection: Upgrade\r\nUpgrade: websocket\r\n`));
    await peer.text("101 ");
    expect(under.collector.spans).toHaveLength(2);
    peer.send("bye");
    await peer.gone();
    const spans = await under.collector.seen(4);
    expect(spans.filter(({ attributes }) => attributes["http.response.status_code"] === 101)).toHaveLength(2);
  });
});

describe("a request that nobody traces yet", () => {
  it.each([
    ["none", ""],
    ["malformed", "traceparent: 00-xyz-1-01\r\ntracestate: a=1\r\n"],
    ["two of them", `${SAMPLED}traceparent: 00-${TRACE}-${SPAN}-01\r\n`],
  ])("begins a trace, to which nothing belongs that came with it: %s", async (_what, fields) => {
    const server = await upstream(serve(ok()));
    const { ask, collector } = await tracing({ apps: [app([server.address])] });
    await ask(get("/", fields));
    const [request, attempt] = await collector.seen(2);
    expect(request).toMatchObject({ parentId: "", traceState: "" });
    expect(request!.traceId).not.toBe(TRACE);
    expect(linesOf(server.requests[0], "traceparent")).toEqual([
      `traceparent: 00-${request!.traceId}-${attempt!.spanId}-01`,
    ]);
    expect(linesOf(server.requests[0], "tracestate")).toEqual([]);
  });

  it("is told of by chance, and its server hears whether it is", async () => {
    const server = await upstream(serve(ok()));
    const { client, collector, gateway } = await tracing({ apps: [app([server.address])] }, { sample: 0.2 });
    const peer = await client();
    for (let i = 0; i < 500; i++) {
      peer.send(get());
      await peer.message();
    }
    await gateway.drain();
    const traced = collector.spans.filter(({ kind }) => kind === "server").length;
    // Six standard deviations to either side.
    expect(traced).toBeGreaterThan(46);
    expect(traced).toBeLessThan(154);
    const heard = server.requests.map((request) => linesOf(request, "traceparent")[0] ?? "");
    expect(heard.filter((line) => line.endsWith("-01"))).toHaveLength(traced);
    expect(heard.filter((line) => line.endsWith("-00"))).toHaveLength(500 - traced);
  });
});

describe("a collector", () => {
  it("is sent batches, with the fields that are wanted", async () => {
    const server = await upstream(serve(ok()));
    const { client, collector, gateway } = await tracing(
      { apps: [app([server.address])] },
      { headers: { authorization: "Bearer secret" } },
    );
    const peer = await client();
    for (let i = 0; i < 50; i++) {
      peer.send(get());
      await peer.message();
    }
    await collector.seen(100);
    expect(collector.requests.length).toBeLessThan(20);
    expect(collector.requests[0]).toMatchObject({
      "content-type": "application/x-protobuf",
      authorization: "Bearer secret",
    });
    await eventually(() => gateway.counters.spansExported === 100, "the answers of the collector");
    expect(gateway.counters.spansDropped).toBe(0);
  });

  it("that is silent costs no request anything; what it does not take is dropped, counted, and told of once", async () => {
    const server = await upstream(serve(ok()));
    const errors: string[] = [];
    const { client, collector, gateway } = await tracing({
      apps: [app([server.address])],
      events: { onError: ({ message }) => errors.push(message) },
    });
    collector.answer = null;
    const peer = await client();
    for (let i = 0; i < 1500; i++) {
      peer.send(get());
      expect((await peer.message()).status).toBe(200);
    }
    // Two spans each: so many may wait.
    expect(gateway.counters.spansDropped).toBe(3000 - 2048);
    expect(errors).toEqual([]);
  });

  it("that refuses is told of once", async () => {
    const server = await upstream(serve(ok()));
    const errors: string[] = [];
    const { ask, collector, gateway } = await tracing({
      apps: [app([server.address])],
      events: { onError: ({ message }) => errors.push(message) },
    });
    collector.answer = 400;
    for (const total of [2, 4]) {
      await ask(get());
      await eventually(() => gateway.counters.spansDropped === total, "the refusal");
    }
    expect(errors).toEqual([expect.stringContaining(`traces cannot be sent to ${collector.endpoint}`)]);
    collector.answer = 200;
    await ask(get());
    await eventually(() => gateway.counters.spansExported === 2, "the answer of the collector");
    expect(gateway.counters.spansDropped).toBe(4);
  });

  it("comes and goes with a reload, and gets what is left", async () => {
    const server = await upstream(serve(ok()));
    const { ask, collector, gateway, settings } = await tracing({ apps: [app([server.address])] });
    await ask(get());
    const { traces: _, ...without } = settings;
    await gateway.reconfigure(without);
    expect(collector.spans).toHaveLength(2);
    await ask(get("/", SAMPLED));
    expect(linesOf(server.requests[1], "traceparent")).toEqual([`traceparent: 00-${TRACE}-${SPAN}-01`]);
    await gateway.reconfigure(settings);
    await ask(get());
    await gateway.drain();
    expect(collector.spans).toHaveLength(4);
  });
});
