import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer, type ClientOptions } from "ws";
import { startBackend } from "../e2e/harness/backend.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { PROTOCOLS, startFront, type Front } from "./harness/front.ts";
import { patternOf } from "./harness/pattern.ts";

const MIB = 1024 * 1024;

describe.each(PROTOCOLS)("ws by %s", (protocol) => {
  const scene = openScene(afterAll);
  let front: Front;

  beforeAll(async () => {
    const backend = await startBackend(scene, "127.0.4.37");
    const server = new WebSocketServer({
      server: backend.server,
      perMessageDeflate: { threshold: 0 },
      handleProtocols: (offered) => [...offered].at(-1) ?? false,
    });
    scene.defer(() => server.close());
    server.on("connection", (tunnel) => {
      tunnel.on("error", () => {});
      tunnel.on("message", (data, binary) => tunnel.send(data, { binary }));
    });
    front = await startFront(scene, [`127.0.4.37:${backend.port}`]);
  });

  interface Tunnel {
    readonly socket: WebSocket;
    readonly next: () => Promise<Buffer>;
  }

  async function open(protocols: readonly string[] = [], options: ClientOptions = {}): Promise<Tunnel> {
    const url = `${front.origin(protocol).replace("http", "ws")}/chat`;
    const socket = new WebSocket(url, [...protocols], { ca: readFileSync(front.ca), ...options });
    onTestFinished(() => socket.terminate());
    const messages: Buffer[] = [];
    socket.on("message", (data) => messages.push(data as Buffer));
    await once(socket, "open");
    return { socket, next: () => until("a message", () => messages.shift()) };
  }

  it("agrees with the server on a subprotocol and on compression", async () => {
    const { socket, next } = await open(["chat.v1", "chat.v2"]);
    expect(socket.protocol).toBe("chat.v2");
    expect(socket.extensions).toContain("permessage-deflate");
    const text = "words that repeat ".repeat(100_000);
    socket.send(text);
    expect((await next()).toString() === text).toBe(true);
  });

  it("does without either", async () => {
    const { socket, next } = await open([], { perMessageDeflate: false });
    expect({ protocol: socket.protocol, extensions: socket.extensions }).toEqual({
      protocol: "",
      extensions: "",
    });
    socket.send("plain");
    expect(String(await next())).toBe("plain");
  });

  it("sends 16 MiB in one message, and a message in many pieces", async () => {
    const { socket, next } = await open([], { perMessageDeflate: false });
    socket.send(patternOf(16 * MIB));
    expect((await next()).equals(patternOf(16 * MIB))).toBe(true);
    for (let n = 0; n < 50; n++) socket.send(patternOf(1000), { fin: n === 49 });
    expect(await next()).toHaveLength(50_000);
  });

  it("is ponged, and sends on while pinging", async () => {
    const { socket, next } = await open();
    socket.ping("alive?");
    socket.send("yes");
    const [payload] = (await once(socket, "pong")) as [Buffer];
    expect(String(payload)).toBe("alive?");
    expect(String(await next())).toBe("yes");
  });

  it("closes 100 at a time in order", async () => {
    const tunnels = await Promise.all(Array.from({ length: 100 }, () => open()));
    const codes = await Promise.all(
      tunnels.map(async ({ socket }, n) => {
        const closed = once(socket, "close");
        socket.close(4000 + n);
        return (await closed)[0] as number;
      }),
    );
    expect(codes).toEqual(tunnels.map((_, n) => 4000 + n));
  });
});
