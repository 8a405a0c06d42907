import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Code, data, Flag, headers, RawClient, request } from "../http2/raw-frames.ts";
import { type Backend, startBackend } from "./harness/backend.ts";
import { type HalftoneProcess, startHalftone } from "./harness/halftone-process.ts";
import { RawConnection } from "./harness/raw-connection.ts";
import { openScene } from "./harness/scene.ts";

const GET = ["GET /api/v1/apps HTTP/1.1", "Host: shop.example", "", ""];

describe("the admin API", () => {
  const scene = openScene(afterAll);
  let halftone: HalftoneProcess;
  let adminPort: number;

  beforeAll(async () => {
    halftone = await startHalftone(scene);
    adminPort = Number(new URL(halftone.adminUrl).port);
  });

  async function errorBehind(address: string): Promise<string | null> {
    await halftone.put("shop", { name: "shop", groups: { only: { servers: [address] } } });
    const answer = await fetch(`http://127.0.0.1:${halftone.gatewayPort}/healthz`, {
      headers: { "x-forwarded-for": "127.0.0.1" },
    });
    await answer.arrayBuffer();
    return answer.headers.get("x-halftone-error");
  }

  it("cannot be reached through the gateway, however its address is written", async () => {
    for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]"])
      expect(await errorBehind(`${host}:${adminPort}`)).toBe("server_refused");
    for (const address of [`127.0.0.1:${halftone.gatewayPort}`, `localhost:${halftone.gatewayPort}`])
      expect(await errorBehind(address)).toBe("server_refused");
    await halftone.logged(/app shop: server 127\.0\.0\.1:\d+ is not connected to: .*this gateway itself/);
  });

  it("cannot be reached after a reload either", async () => {
    halftone.kill("SIGHUP");
    await halftone.logged(/"reloaded"/);
    expect(await errorBehind(`127.0.0.1:${adminPort}`)).toBe("server_refused");
  });

  it("is not what checks ask, nor are the gateway's listeners", async () => {
    const health = { check: { path: "/healthz", interval: "20ms", unhealthy: 1 } };
    for (const [name, port] of [
      ["admin", adminPort],
      ["gateway", halftone.gatewayPort],
    ] as const) {
      const groups = { only: { servers: [`localhost:${port}`] } };
      await halftone.put(name, { name, routes: [{ host: `${name}.example` }], groups, health });
      const line = await halftone.logged(new RegExp(`"app":"${name}".*server is unhealthy`));
      expect(line["error"]).toMatch(
        /^check \/healthz: not connected to: localhost leads to .*this gateway itself/,
      );
    }
  });

  it("refuses documents whose servers stand where none can", async () => {
    const groups = { only: { servers: ["10.0.0.1", "0.0.0.0:80", { address: "169.254.169.254" }] } };
    const answer = await halftone.api("PUT", "/apps/bad", { name: "bad", groups }, { "if-match": "*" });
    expect(answer.status).toBe(422);
    const text = JSON.stringify(answer.body);
    expect(text).toContain("groups.only.servers[1]");
    expect(text).toContain("not an unspecified address");
    expect(text).toContain("groups.only.servers[2].address");
  });
});

describe("the log", () => {
  const scene = openScene(afterAll);

  it("holds nothing of what clients and servers send", async () => {
    const SECRET = "s3cr3t-m4rk";
    const backend: Backend = await startBackend(scene, "127.0.4.41");
    const halftone = await startHalftone(scene, {
      gateway: {
        listen: ["127.0.0.1:0", { address: "127.0.0.1:0", http2: true }],
        timeouts: { header: "200ms", response: "200ms" },
      },
    });
    await halftone.put("shop", {
      name: "shop",
      groups: { only: { servers: [`127.0.4.41:${backend.port}`] } },
      health: { dieTime: "1ms" },
    });
    const send = async (...lines: readonly string[]) => {
      const here = openScene(onTestFinished);
      const client = await RawConnection.open(here, halftone.gatewayPort);
      client.send(...lines);
      return await client.answer();
    };
    const good = [
      `POST /${SECRET}?q=${SECRET} HTTP/1.1`,
      "Host: shop.example",
      `Authorization: Bearer ${SECRET}`,
    ];
    const body = [`Cookie: a=${SECRET}`, `Content-Length: ${SECRET.length}`, "", SECRET];
    const statuses: number[] = [];
    const note = async (...lines: readonly string[]) => void statuses.push((await send(...lines)).status);
    await note(...good, ...body);
    // Bad in every part of the head, and in the body's framing.
    await note(`GET /${SECRET} ${SECRET} HTTP/1.1`, "Host: a", "", "");
    await note("GET / HTTP/1.1", `Host: ${SECRET} ${SECRET}`, "", "");
    await note("GET / HTTP/1.1", "Host: a", `${SECRET} : ${SECRET}`, "", "");
    await note("GET / HTTP/1.1", "Host: a", `X: ${SECRET}\0`, "", "");
    await note("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", SECRET, "");
    // A head that stops, and servers that answer badly, cut and are silent.
    await note("GET / HTTP/1.1", `X: ${SECRET}`, "Ho");
    backend.handler = (request) =>
      void request.socket.end(`HTTP/1.1 200 OK\r\nX: ${SECRET}\0\r\n${SECRET}\r\n\r\n`);
    await note(...good, ...body);
    backend.handler = (request) => void request.socket.destroy();
    await note(...good, ...body);
    backend.handler = () => {};
    await note(...good, ...body);
    backend.handler = undefined;
    // By HTTP/2: well, with two names of the host, with more of a body than was said, and with trailers.
    const { gateway } = (await halftone.logged(/"listening"/)) as { readonly gateway?: readonly string[] };
    const client = await RawClient.open({
      host: "127.0.0.1",
      port: Number(gateway?.[1]?.split(":").at(-1)),
    });
    const post = (length: number) =>
      request(`/${SECRET}`, [
        [":method", "POST"],
        ["cookie", SECRET],
        ["content-length", String(length)],
      ]);
    client.send(
      headers(1, post(SECRET.length), 0),
      data(1, SECRET, Flag.END_STREAM),
      headers(3, request(`/${SECRET}`, [["host", `${SECRET}.test`]])),
      headers(5, post(1), 0),
      data(5, SECRET, Flag.END_STREAM),
      headers(7, request("/", [[":method", "POST"]]), 0),
      headers(7, [[SECRET, SECRET]]),
    );
    expect(await Promise.all([1, 3, 7].map((stream) => client.status(stream)))).toEqual([200, 400, 200]);
    expect(await client.resetCode(5)).toBe(Code.PROTOCOL_ERROR);
    // In a tunnel, both ways.
    backend.server.on("upgrade", (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.on("error", () => {}).pipe(socket);
    });
    const tunnel = await RawConnection.open(openScene(onTestFinished), halftone.gatewayPort);
    tunnel.send(`GET /${SECRET} HTTP/1.1`, "Host: a", "Connection: Upgrade", "Upgrade: websocket", "", "");
    expect((await tunnel.answer()).status).toBe(101);
    tunnel.send(SECRET);
    tunnel.socket.end();
    expect(String(await tunnel.closed())).toBe(SECRET);
    // The admin API, asked badly.
    await halftone.admin("PUT", `/api/v1/apps/${SECRET}`, `{"${SECRET}`, {
      authorization: `Bearer ${SECRET}`,
    });
    await halftone.api("PUT", "/apps/bad", { [SECRET]: SECRET });
    expect(statuses).toEqual([200, 400, 400, 400, 400, 400, 408, 502, 502, 504]);
    halftone.kill("SIGHUP");
    await halftone.logged(/"reloaded"/);
    await halftone.stop();
    expect(halftone.output).toContain("listening");
    expect(halftone.output).not.toContain(SECRET);
  });
});

describe("PROXY headers", () => {
  it("are read by every worker, from whom the configuration says, and a reload changes that", async () => {
    const scene = openScene(onTestFinished);
    const backend = await startBackend(scene, "127.0.4.42");
    const listen = (proxyProtocol: readonly string[]) => ({
      gateway: { listen: [{ address: "127.0.0.1:0", proxyProtocol }], workers: 2 },
    });
    const halftone = await startHalftone(scene, listen(["127.0.0.61"]));
    await halftone.put("shop", {
      name: "shop",
      groups: { only: { servers: [`127.0.4.42:${backend.port}`] } },
    });
    const asked = async (from: string, header: string): Promise<number> => {
      const client = await RawConnection.open(scene, halftone.gatewayPort, from);
      client.send(header + GET.join("\r\n"));
      return (await client.answer()).status;
    };
    const header = "PROXY TCP4 192.0.2.7 203.0.113.1 54321 443\r\n";
    for (let i = 0; i < 8; i++) expect(await asked("127.0.0.61", header)).toBe(200);
    expect(backend.taken.map(({ headers }) => headers["x-forwarded-for"])).toEqual(
      Array.from({ length: 8 }, () => "192.0.2.7"),
    );
    expect(await asked("127.0.0.62", header)).toBe(400);
    await halftone.site.configure(listen(["127.0.0.62"]));
    halftone.kill("SIGHUP");
    await halftone.logged(/"reloaded"/);
    for (let i = 0; i < 8; i++) {
      expect(await asked("127.0.0.62", header)).toBe(200);
      expect(await asked("127.0.0.61", "")).toBe(200);
    }
  });
});
