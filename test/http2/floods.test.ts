import { describe, expect, it } from "vitest";
import { eventually, get, ok, serve, take } from "../gateway/harness.ts";
import {
  block,
  Code,
  data,
  Flag,
  frame,
  headers,
  RawClient,
  request,
  reset,
  Setting,
  settings,
  Type,
  uint32,
} from "./raw-frames.ts";
import { standing, wire } from "./standing.ts";
import { expectNothingUncaught } from "./uncaught.ts";

expectNothingUncaught();

describe("floods", () => {
  it("rapid reset (CVE-2023-44487): the connection ends, and the server's are closed", async () => {
    const { gateway, server } = await standing({}, async (peer) => {
      await take(peer);
    });
    const client = await RawClient.open(gateway);
    let stream = 1;
    for (let i = 0; i < 2000 && !client.closed; i++, stream += 2) {
      client.send(headers(stream, request("/slow")), reset(stream));
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.goawayCode()).toBe(Code.ENHANCE_YOUR_CALM);
    await client.gone();
    const { counters } = gateway.gateway;
    await eventually(() => counters.inFlight === 0 && counters.connections === 0, "quiet");
    expect(counters.errors.get("too_many_offences")).toBe(1);
    expect(counters.requests).toBeLessThan(1000);
    await eventually(
      () => server.peers.every((peer) => peer.ended || peer.closed),
      "the server's connections",
    );
  });

  it("rapid reset in one segment: streams that are gone before their turn count too", async () => {
    const { gateway, server } = await standing();
    const client = await RawClient.open(gateway);
    const burst: Buffer[] = [];
    for (let stream = 1; stream < 2000; stream += 2) burst.push(headers(stream, request("/")), reset(stream));
    client.send(Buffer.concat(burst));
    await client.goawayCode();
    await client.gone();
    const { counters } = gateway.gateway;
    await eventually(() => counters.inFlight === 0 && counters.connections === 0, "quiet");
    expect(counters.errors.get("too_many_offences")).toBe(1);
    expect(server.requests.length).toBeLessThan(600);
  });

  it("lets a browser take back a page full of requests", async () => {
    const { gateway } = await standing({}, async (peer) => {
      const seen = await take(peer);
      if (seen.startLine.includes("/quick")) peer.send(ok("fine"));
    });
    const client = await RawClient.open(gateway);
    let stream = 1;
    for (let page = 0; page < 4; page++) {
      const first = stream;
      for (; stream < first + 200; stream += 2) client.send(headers(stream, request("/slow")));
      await client.roundTrip();
      for (let at = first; at < stream; at += 2) client.send(reset(at));
    }
    await eventually(() => gateway.gateway.counters.inFlight === 0, "all of them to be gone");
    client.send(headers(stream, request("/quick")));
    expect(await client.status(stream)).toBe(200);
  });

  it.each([
    ["PING", frame(Type.PING, 0, 0, "12345678")],
    ["SETTINGS", settings([Setting.INITIAL_WINDOW_SIZE, 65_535])],
    ["empty SETTINGS", frame(Type.SETTINGS, 0, 0)],
    ["PRIORITY", frame(Type.PRIORITY, 0, 99, Buffer.concat([uint32(0), Buffer.from([10])]))],
    ["WINDOW_UPDATE", frame(Type.WINDOW_UPDATE, 0, 1, uint32(1))],
    ["frames of unknown types", frame(99, 0, 0, "12345678")],
    ["malformed requests", Buffer.alloc(0)],
    ["empty DATA", frame(Type.DATA, 0, 1)],
    ["padded DATA", frame(Type.DATA, Flag.PADDED, 1, Buffer.concat([Buffer.from([200]), Buffer.alloc(201)]))],
  ])("%s: the connection ends", async (what, part) => {
    const { gateway } = await standing({}, async (peer) => {
      await take(peer);
    });
    const client = await RawClient.open(gateway);
    client.send(headers(1, request("/", [[":method", "POST"]]), 0));
    await client.roundTrip();
    if (what === "malformed requests") {
      for (let stream = 3; stream < 4000 && !client.closed; stream += 2) {
        client.send(headers(stream, request("/a#b")));
        if (stream % 101 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } else {
      const batch = Buffer.concat(Array.from({ length: 100 }, () => part));
      for (let i = 0; i < 100 && !client.closed; i++) {
        await client.flood(batch, 10);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    await client.gone();
    await eventually(() => gateway.gateway.counters.connections === 0, "the connection to be forgotten");
    expect(gateway.gateway.counters.inFlight).toBe(0);
  });

  it("more streams than allowed: the connection ends, and no server sees them", async () => {
    const { gateway, server } = await standing({}, async (peer) => {
      await take(peer);
    });
    const client = await RawClient.open(gateway);
    await client.roundTrip();
    for (let stream = 1; stream < 400; stream += 2) client.send(headers(stream, request("/")));
    await client.gone();
    const { counters } = gateway.gateway;
    await eventually(() => counters.inFlight === 0 && counters.connections === 0, "quiet");
    expect(server.peers.length).toBeLessThanOrEqual(128);
    expect(counters.requests).toBeLessThanOrEqual(128);
  });

  it("as many streams as allowed are served side by side", async () => {
    const waiting: (() => void)[] = [];
    const { gateway } = await standing({}, async (peer) => {
      await take(peer);
      waiting.push(() => peer.send(ok("fine")));
    });
    const client = await RawClient.open(gateway);
    await client.roundTrip();
    for (let stream = 1; stream < 256; stream += 2) client.send(headers(stream, request("/")));
    await eventually(() => waiting.length === 128, "128 requests at the server");
    for (const answer of waiting) answer();
    for (let stream = 1; stream < 256; stream += 2) expect(await client.body(stream)).toBe("fine");
  });

  it("requests beyond limits.requests get 503, and cancelled ones make room at once", async () => {
    const { gateway, server } = await standing({ limits: { requests: 3 } }, async (peer) => {
      await take(peer);
    });
    const client = await RawClient.open(gateway);
    for (const stream of [1, 3, 5, 7]) client.send(headers(stream, request("/")));
    expect(await client.status(7)).toBe(503);
    expect(gateway.gateway.counters.inFlight).toBe(3);
    client.send(reset(1), headers(9, request("/")));
    await eventually(() => server.requests.length === 4, "the request that came after");
  });
});

describe("windows", () => {
  it("overflow of the connection's window ends the connection (CVE-2026-21714)", async () => {
    const { gateway } = await standing();
    const client = await RawClient.open(gateway);
    client.send(frame(Type.WINDOW_UPDATE, 0, 0, uint32(0x7fff_ffff)));
    expect(await client.goawayCode()).not.toBe(Code.NO_ERROR);
    await client.gone();
    await eventually(() => gateway.gateway.counters.connections === 0, "the connection to be forgotten");
  });

  it("overflow of a stream's window ends the request", async () => {
    const { gateway, server } = await standing({}, async (peer) => {
      await take(peer);
    });
    const client = await RawClient.open(gateway);
    client.send(headers(1, request("/")), frame(Type.WINDOW_UPDATE, 0, 1, uint32(0x7fff_ffff)));
    expect(await client.resetCode(1)).toBe(Code.FLOW_CONTROL_ERROR);
    await eventually(() => gateway.gateway.counters.inFlight === 0, "the request to be gone");
    await eventually(
      () => server.peers.every((peer) => peer.ended || peer.closed),
      "the server's connection",
    );
  });

  it("a window of 0 for ever: the stream is reset after timeouts.idle, others are served", async () => {
    const { gateway } = await standing({ timeouts: { idle: 400 } }, serve(ok("a".repeat(500_000))));
    const client = await RawClient.open(gateway, [Setting.INITIAL_WINDOW_SIZE, 0]);
    client.send(headers(1, request("/")));
    expect(await client.status(1)).toBe(200);
    expect(await client.resetCode(1)).toBe(Code.CANCEL);
    await eventually(() => gateway.gateway.counters.inFlight === 0, "the request to be gone");
    expect(client.bodySoFar(1)).toBe("");
    expect(client.isEnded(1)).toBe(false);
  });

  it("a whole answer that is not taken is reset after timeouts.idle too", async () => {
    const { gateway } = await standing({ timeouts: { idle: 400 } });
    const client = await RawClient.open(gateway, [Setting.INITIAL_WINDOW_SIZE, 0]);
    client.send(headers(1, request("/")));
    expect(await client.status(1)).toBe(200);
    expect(await client.resetCode(1)).toBe(Code.CANCEL);
    await client.goawayCode();
    await client.gone();
  });

  it("DATA beyond the window ends the connection", async () => {
    const { gateway, server } = await standing({}, () => {});
    const client = await RawClient.open(gateway);
    client.send(headers(1, request("/", [[":method", "POST"]]), 0));
    await eventually(() => wire(server).includes("POST"), "the request at the server");
    server.peers[0]!.socket.pause();
    await client.flood(data(1, Buffer.alloc(16_384)), 2000);
    await client.gone();
    await eventually(() => gateway.gateway.counters.connections === 0, "the connection to be forgotten");
  });
});

describe("an answer that does not come to its end", () => {
  const heads: readonly [string, string][] = [
    ["with a length", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"],
    ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n"],
  ];

  it.each(heads)("%s: no END_STREAM, whatever cuts it", async (_, head) => {
    const sockets: (() => void)[] = [];
    const { gateway } = await standing({ timeouts: { drain: 50 } }, async (peer) => {
      sockets.push(() => peer.reset());
      await take(peer);
      peer.send(`${head}part`);
    });
    const client = await RawClient.open(gateway);
    const beginAnswer = async (stream: number): Promise<void> => {
      client.send(headers(stream, request("/")));
      await client.until(() => client.bodySoFar(stream) === "part", "the first part");
    };
    await beginAnswer(1);
    sockets.pop()!();
    expect(await client.resetCode(1)).toBe(Code.INTERNAL_ERROR);
    expect(gateway.gateway.counters.cuts).toBe(1);
    await beginAnswer(3);
    expect(await gateway.gateway.drain()).toBe(1);
    await client.gone();
    for (const stream of [1, 3]) expect(client.isEnded(stream)).toBe(false);
    for (const cut of client.of(Type.RST_STREAM)) expect(cut.payload.readUInt32BE(0)).not.toBe(Code.NO_ERROR);
  });
});

describe("what is no HTTP/2", () => {
  it("frames that break the rules of the connection end it, and nothing else (CVE-2025-59465)", async () => {
    const { gateway, server } = await standing({ timeouts: { idle: 500 } });
    const broken: readonly [string, Buffer][] = [
      ["HEADERS on stream 0", headers(0, request("/"))],
      ["HEADERS on an even stream", headers(2, request("/"))],
      ["DATA on an idle stream", data(1, "x")],
      [
        "PUSH_PROMISE",
        frame(Type.PUSH_PROMISE, Flag.END_HEADERS, 1, Buffer.concat([uint32(2), block(request("/"))])),
      ],
      ["a frame too large", frame(Type.DATA, 0, 1, Buffer.alloc(20_000))],
      ["WINDOW_UPDATE of 0", frame(Type.WINDOW_UPDATE, 0, 0, uint32(0))],
      ["SETTINGS of odd length", frame(Type.SETTINGS, 0, 0, "12345")],
      ["a PING too short", frame(Type.PING, 0, 0, "1234")],
      ["RST_STREAM of an idle stream", reset(5)],
      ["CONTINUATION of nothing", frame(Type.CONTINUATION, Flag.END_HEADERS, 1, block(request("/")))],
      [
        "an HPACK index that is not",
        frame(Type.HEADERS, Flag.END_HEADERS, 1, Buffer.from([0xff, 0xff, 0xff, 0x0f])),
      ],
      ["HPACK integers without end", frame(Type.HEADERS, Flag.END_HEADERS, 1, Buffer.alloc(50, 0xff))],
      [
        "a header block cut short",
        frame(Type.HEADERS, Flag.END_HEADERS, 1, block(request("/")).subarray(0, -2)),
      ],
      ["HTTP/1.1", Buffer.from(get("/evil"))],
    ];
    for (const [what, bytes] of broken) {
      const client = await RawClient.open(gateway);
      client.send(bytes);
      await client.until(() => client.ended || client.closed || client.of(Type.GOAWAY).length > 0, what);
      await client.gone().catch(() => {
        throw new Error(`${what}: not closed`);
      });
    }
    await eventually(() => gateway.gateway.counters.connections === 0, "the connections to be forgotten");
    expect(server.requests).toEqual([]);
  });

  it("a connection cut at every byte of a request leaves nothing behind (CVE-2025-23085)", async () => {
    const { gateway, server } = await standing();
    const bytes = Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      settings([Setting.HEADER_TABLE_SIZE, 0]),
      headers(1, request("/", [[":method", "POST"]]), 0),
      data(1, "part"),
    ]);
    for (let at = 1; at < bytes.length; at += 3) {
      const client = await RawClient.connect(gateway);
      client.send(bytes.subarray(0, at));
      if (at % 2 === 0) client.socket.end();
      else client.socket.resetAndDestroy();
    }
    await eventually(() => gateway.gateway.counters.connections === 0, "the connections to be forgotten");
    expect(gateway.gateway.counters.inFlight).toBe(0);
    expect(server.requests).toEqual([]);
  });

  it("without http2 on the listener the preface gets 505", async () => {
    const { gateway } = await standing({ http2: false });
    const peer = await gateway.client();
    peer.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    expect((await peer.message()).status).toBe(505);
  });

  it("HTTP/1.1 is served beside it, however its bytes come", async () => {
    const { gateway } = await standing();
    const peer = await gateway.client();
    for (const byte of get("/slowly")) {
      peer.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await peer.message()).body).toBe("fine");
    peer.send(get());
    expect((await peer.message()).body).toBe("fine");
    const propfind = await gateway.client();
    propfind.send("P");
    await new Promise((resolve) => setImmediate(resolve));
    propfind.send("ROPFIND / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    propfind.end();
    expect((await propfind.message()).body).toBe("fine");
    const upgrading = await gateway.client();
    upgrading.send(
      get("/", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
    );
    expect((await upgrading.message()).startLine).toBe("HTTP/1.1 200 OK");
  });
});
