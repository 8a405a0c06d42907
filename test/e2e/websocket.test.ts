import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type Backend, startBackend } from "./harness/backend.ts";
import { type HalftoneProcess, startHalftone } from "./harness/halftone-process.ts";
import { openScene } from "./harness/scene.ts";
import { until } from "./harness/until.ts";

describe("a WebSocket through the gateway", () => {
  const scene = openScene(afterAll);
  let halftone: HalftoneProcess;
  let backend: Backend;
  /** How each tunnel ended, as the server saw it. */
  const ends: { readonly code: number; readonly reason: string }[] = [];

  beforeAll(async () => {
    backend = await startBackend(scene, "127.0.4.21", (_request, response) =>
      response.writeHead(426).end("no"),
    );
    const server = new WebSocketServer({ noServer: true });
    backend.server.on("upgrade", (request, socket, head) => {
      if (request.url === "/refused") {
        socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nConnection: close\r\n\r\nnot so");
        return;
      }
      server.handleUpgrade(request, socket, head, (tunnel) => {
        tunnel.on("close", (code, reason) => ends.push({ code, reason: reason.toString() }));
        tunnel.on("error", () => {});
        tunnel.on("message", (data, binary) => {
          if (!binary && (data as Buffer).toString() === "close, please") tunnel.close(4002, "as asked");
          else tunnel.send(data, { binary });
        });
        // At once: it may travel in one segment with the 101.
        tunnel.send(`hello ${String(request.headers["x-forwarded-for"])}`);
      });
    });
    scene.defer(() => server.close());

    halftone = await startHalftone(scene);
    await halftone.put("chat", {
      name: "chat",
      groups: { only: { servers: [`127.0.4.21:${backend.port}`] } },
    });
  });

  async function inFlight(): Promise<number> {
    const servers = await halftone.servers("chat");
    return Number([...servers.values()][0]?.["inFlight"]);
  }

  async function open(path: string = "/chat"): Promise<{ socket: WebSocket; next: () => Promise<Buffer> }> {
    const scene = openScene(onTestFinished);
    const socket = new WebSocket(`ws://127.0.0.1:${halftone.gatewayPort}${path}`);
    scene.defer(() => socket.terminate());
    const messages: Buffer[] = [];
    socket.on("message", (data) => messages.push(data as Buffer));
    await once(socket, "open");
    return { socket, next: () => until("a message", () => messages.shift()) };
  }

  it("carries the server's first message, text and 1 MiB of binary both ways", async () => {
    const { socket, next } = await open();
    expect(String(await next())).toBe("hello 127.0.0.1");
    socket.send("grün");
    expect(String(await next())).toBe("grün");
    const bytes = randomBytes(1024 * 1024);
    socket.send(bytes);
    expect((await next()).equals(bytes)).toBe(true);
    for (let n = 0; n < 100; n++) socket.send(`${n}`);
    for (let n = 0; n < 100; n++) expect(String(await next())).toBe(`${n}`);
  });

  it("carries the client's close code to the server", async () => {
    const { socket } = await open();
    const seen = ends.length;
    socket.close(4001, "bye");
    expect(await until("the server's close", () => ends[seen])).toEqual({ code: 4001, reason: "bye" });
  });

  it("carries the server's close code to the client", async () => {
    const { socket } = await open();
    socket.send("close, please");
    const [code, reason] = (await once(socket, "close")) as [number, Buffer];
    expect({ code, reason: reason.toString() }).toEqual({ code: 4002, reason: "as asked" });
  });

  it("that one side cuts ends on the other side too", async () => {
    const { socket } = await open();
    const seen = ends.length;
    socket.terminate();
    expect(await until("the server's close", () => ends[seen])).toMatchObject({ code: 1006 });
  });

  it("that the server refuses is refused with the server's own answer", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${halftone.gatewayPort}/refused`);
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(403);
    socket.on("error", () => {});
    socket.terminate();
  });

  it("counts as in flight on its server until it ends", async () => {
    await until("nothing in flight", async () => (await inFlight()) === 0);
    const { socket } = await open();
    expect(await inFlight()).toBe(1);
    socket.terminate();
    await until("nothing in flight", async () => (await inFlight()) === 0);
  });
});
