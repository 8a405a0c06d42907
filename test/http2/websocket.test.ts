import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { app, eventually, startGateway, take, upstream, type Peer, type Script } from "../gateway/harness.ts";
import { answerOf, connectHttp2, type Http2Client } from "./client.ts";
import { expectNothingUncaught } from "./uncaught.ts";

expectNothingUncaught();

const CHAT = {
  ":method": "CONNECT",
  ":protocol": "websocket",
  ":path": "/chat",
  "sec-websocket-version": "13",
};

async function standing(script: Script): Promise<{
  client: Http2Client;
  server: Awaited<ReturnType<typeof upstream>>;
  gateway: Awaited<ReturnType<typeof startGateway>>;
}> {
  const server = await upstream(script);
  const gateway = await startGateway({ http2: true, apps: [app([server.address])] });
  const client = connectHttp2(gateway);
  await once(client.session, "remoteSettings");
  return { client, server, gateway };
}

function accept(key: string): string {
  const hash = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${hash}\r\n\r\n`;
}

/** Agrees, then hands the connection over. */
function agreeing(then: (peer: Peer) => Promise<void> | void): Script {
  return async (peer) => {
    const request = await take(peer);
    peer.send(accept(request.field("sec-websocket-key") ?? ""));
    await then(peer);
  };
}

/** A text message as a client sends it (RFC 6455, 5.2): masked. */
function masked(text: string): Buffer {
  const payload = Buffer.from(text);
  const mask = Buffer.from([1, 2, 3, 4]);
  const bytes = payload.map((byte, i) => byte ^ mask[i % 4]!);
  return Buffer.concat([Buffer.from([0x81, 0x80 + payload.length]), mask, bytes]);
}

describe("a WebSocket over HTTP/2 (RFC 8441)", () => {
  it("talks to a real server of WebSockets", async () => {
    const http = createServer((_request, response) => response.end("a page"));
    const sockets = new WebSocketServer({ server: http });
    sockets.on("connection", (socket, request) => {
      socket.on("message", (message: Buffer) => socket.send(`${request.url} ${message.toString()}`));
    });
    await new Promise<void>((resolve) => http.listen(0, "127.0.4.253", resolve));
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate();
      http.close();
    });
    const { port } = http.address() as AddressInfo;
    const gateway = await startGateway({ http2: true, apps: [app([`127.0.4.253:${port}`])] });
    const client = connectHttp2(gateway);
    const [settings] = (await once(client.session, "remoteSettings")) as [{ enableConnectProtocol: boolean }];
    expect(settings.enableConnectProtocol).toBe(true);
    const stream = client.open(CHAT, true);
    const [fields] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(fields[":status"]).toBe(200);
    expect(fields["sec-websocket-accept"]).toBeUndefined();
    expect(fields["upgrade"]).toBeUndefined();
    stream.write(masked("hello"));
    const [message] = (await once(stream, "data")) as [Buffer];
    expect(message.subarray(2).toString()).toBe("/chat hello");
    // Other requests go on beside it.
    expect((await client.ask("/")).body).toBe("a page");
    expect(gateway.gateway.counters.inFlight).toBe(1);
    stream.end();
    await once(stream, "close");
    await eventually(() => gateway.gateway.counters.inFlight === 0, "the tunnel to be gone");
  });

  it("asks the server as HTTP/1.1 does, with a key of our own", async () => {
    const { client, server } = await standing(agreeing((peer) => peer.end()));
    const stream = client.open(
      { ...CHAT, "sec-websocket-key": "theirs", "sec-websocket-protocol": "a, b" },
      true,
    );
    stream.end();
    await answerOf(stream);
    const [request] = server.requests;
    expect(request!.startLine).toBe("GET /chat HTTP/1.1");
    expect(request!.field("connection")).toBe("Upgrade");
    expect(request!.field("upgrade")).toBe("websocket");
    expect(request!.field("sec-websocket-key")).toMatch(/^[\w+/]{22}==$/);
    expect(request!.lines.filter((line) => /sec-websocket-key/i.test(line))).toHaveLength(1);
    expect(request!.field("sec-websocket-protocol")).toBe("a, b");
  });

  it("ends the stream when the server's connection ends, and the other way round", async () => {
    const { client, server } = await standing(
      agreeing(async (peer) => {
        if (server.peers.length > 1) await peer.gone();
        peer.send("bye");
        peer.end();
      }),
    );
    const answer = await answerOf(client.open(CHAT, true));
    expect(answer).toMatchObject({ status: 200, body: "bye", code: 0 });
    const stream = client.open(CHAT, true);
    const other = answerOf(stream);
    await once(stream, "response");
    stream.end("last");
    expect(await other).toMatchObject({ status: 200, body: "bye", code: 0 });
    expect(server.peers[1]!.received).toBe("last");
  });

  it("cuts the stream when the server's connection is cut, and the other way round", async () => {
    const { client, server } = await standing(
      agreeing(async (peer) => {
        await peer.text("go");
        peer.reset();
      }),
    );
    const cut = client.open(CHAT, true);
    const answer = answerOf(cut);
    await once(cut, "response");
    cut.write("go");
    expect((await answer).code).toBe(8);
    const other = client.open(CHAT, true);
    await once(other, "response");
    other.close(8);
    await server.peers[1]!.gone();
  });

  it("waits for a side that does not read", async () => {
    const { client, server } = await standing(agreeing(() => {}));
    const stream = client.open(CHAT, true);
    await once(stream, "response");
    const [peer] = server.peers;
    let poured = 0;
    const piece = Buffer.alloc(64 * 1024);
    const pouring = setInterval(() => {
      while (!peer!.socket.writableNeedDrain && poured < 64 * 1024 * 1024) {
        peer!.socket.write(piece);
        poured += piece.length;
      }
    }, 1);
    let last = -1;
    let turns = 0;
    await eventually(() => {
      turns = poured === last ? turns + 1 : 0;
      last = poured;
      return turns > 100;
    }, "the server to be read no further");
    clearInterval(pouring);
    expect(poured).toBeLessThan(32 * 1024 * 1024);
    let read = 0;
    stream.on("data", (chunk: Buffer) => {
      read += chunk.length;
    });
    await eventually(() => read === poured, "all of it");
  });

  it("is a 502 when the server accepts another key", async () => {
    const { client } = await standing(async (peer) => {
      await take(peer);
      peer.send(accept("another"));
    });
    const answer = await answerOf(client.open(CHAT, true));
    expect(answer.status).toBe(502);
    expect(answer.fields["x-halftone-error"]).toBe("bad_response");
  });

  it("is a 502 when the server answers as to a page, for which nobody blames the server", async () => {
    const { client, gateway, server } = await standing(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    });
    const answer = await answerOf(client.open(CHAT, true));
    expect(answer.status).toBe(502);
    expect(answer.fields["x-halftone-error"]).toBe("not_upgraded");
    expect(gateway.server(server.address)).toMatchObject({ failures: 0, deadUntil: null, inFlight: 0 });
  });

  it("passes a refusal on", async () => {
    const { client } = await standing(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    });
    expect(await answerOf(client.open(CHAT, true))).toMatchObject({ status: 403, body: "no", code: 0 });
  });

  it("is a 501 for other protocols, and where the app does not allow it", async () => {
    const server = await upstream(() => {});
    const gateway = await startGateway({ http2: true, apps: [app([server.address], { upgrades: [] })] });
    const client = connectHttp2(gateway);
    await once(client.session, "remoteSettings");
    for (const protocol of ["connect-udp", "websocket"]) {
      const answer = await answerOf(client.open({ ...CHAT, ":protocol": protocol }, true));
      expect(answer.status).toBe(501);
      expect(answer.fields["x-halftone-error"]).toBe("unknown_protocol");
    }
    expect(server.peers).toHaveLength(0);
  });
});
