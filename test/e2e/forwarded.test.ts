import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Backend, startBackend, startBackends } from "./harness/backend.ts";
import { ask } from "./harness/client.ts";
import { type HalftoneProcess, startHalftone } from "./harness/halftone-process.ts";
import { RawConnection } from "./harness/raw-connection.ts";
import { openScene } from "./harness/scene.ts";

describe("what the server is told", () => {
  const scene = openScene(afterAll);
  let halftone: HalftoneProcess;
  let backend: Backend;

  beforeAll(async () => {
    backend = await startBackend(scene, "127.0.4.31");
    halftone = await startHalftone(scene, { gateway: { trustedProxies: ["127.0.0.60"] } });
    await halftone.put("shop", {
      name: "shop",
      groups: { only: { servers: [`127.0.4.31:${backend.port}`] } },
    });
  });

  /** Sends these field lines from this address and returns what the server took in. */
  async function taken(from: string, ...fields: readonly string[]) {
    const scene = openScene(onTestFinished);
    const client = await RawConnection.open(scene, halftone.gatewayPort, from);
    client.send("GET /some/path?q=1 HTTP/1.1", "Host: shop.example:81", ...fields, "", "");
    const answer = await client.answer();
    expect(answer.status).toBe(200);
    return { answer, request: backend.taken.at(-1)! };
  }

  it("who asks, how, for which host, and by which way", async () => {
    const { request } = await taken("127.0.0.50");
    expect(request.method).toBe("GET");
    expect(request.url).toBe("/some/path?q=1");
    expect(request.headers).toMatchObject({
      host: "shop.example:81",
      "x-forwarded-for": "127.0.0.50",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "shop.example:81",
    });
    expect(request.headers["x-request-id"]).toMatch(/^\S{8,}$/);
    expect(request.headers["via"]).toMatch(/^1\.1 \S+$/);
  });

  it("a request id of its own for each request", async () => {
    const ids = new Set<unknown>();
    for (let n = 0; n < 5; n++) ids.add((await taken("127.0.0.50")).request.headers["x-request-id"]);
    expect(ids.size).toBe(5);
  });

  it("not what a client says of itself", async () => {
    const { request } = await taken(
      "127.0.0.50",
      "X-Forwarded-For: 10.0.0.111",
      "x-forwarded-for: 127.0.0.1",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: evil.example",
      "Proxy: http://evil.example",
    );
    expect(request.headers).toMatchObject({
      "x-forwarded-for": "127.0.0.50",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "shop.example:81",
    });
    expect(request.headers["proxy"]).toBeUndefined();
  });

  it("but what a trusted proxy says of its client", async () => {
    const { request } = await taken(
      "127.0.0.60",
      "X-Forwarded-For: 203.0.113.7",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: www.example",
      "X-Request-Id: from-the-edge-1",
      "Via: 1.1 edge",
    );
    expect(request.headers).toMatchObject({
      "x-forwarded-for": "203.0.113.7, 127.0.0.60",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "www.example",
      "x-request-id": "from-the-edge-1",
    });
    expect(request.headers["via"]).toMatch(/^1\.1 edge, 1\.1 \S+$/);
  });

  it("nothing that belongs to the client's connection alone", async () => {
    const { request } = await taken(
      "127.0.0.50",
      "Connection: keep-alive, X-Secret, x-second",
      "X-Secret: 1",
      "X-Second: 2",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQAAP__",
      "X-Kept: 3",
    );
    for (const name of ["x-secret", "x-second", "keep-alive", "proxy-connection", "upgrade"]) {
      expect(request.headers, name).not.toHaveProperty(name);
    }
    expect(request.headers["connection"]).not.toBe("X-Secret");
    expect(request.headers["x-kept"]).toBe("3");
  });

  it("what the gateway adds, whatever the client names in Connection", async () => {
    const { request } = await taken(
      "127.0.0.50",
      "Connection: Host, X-Forwarded-For, X-Request-Id, Via, Authorization",
      "Authorization: Bearer abc",
    );
    expect(request.headers).toMatchObject({
      host: "shop.example:81",
      "x-forwarded-for": "127.0.0.50",
      authorization: "Bearer abc",
    });
    expect(request.headers["x-request-id"]).toMatch(/\S/);
    expect(request.headers["via"]).toMatch(/\S/);
  });

  it("and the client gets nothing that belongs to the server's connection alone", async () => {
    backend.handler = (_request, response) => {
      response.setHeader("connection", "X-Hop");
      response.setHeader("x-hop", "1");
      response.setHeader("keep-alive", "timeout=99");
      response.setHeader("x-kept", "2");
      response.setHeader("set-cookie", ["a=1", "b=2"]);
      response.end("ok");
    };
    const { answer } = await taken("127.0.0.50");
    backend.handler = undefined;
    expect(answer.fields).not.toHaveProperty("x-hop");
    expect(answer.fields).not.toHaveProperty("keep-alive");
    expect(answer.fields["x-kept"]).toBe("2");
    expect(answer.head.match(/set-cookie: /gi)).toHaveLength(2);
    expect(answer.fields["date"]).toEqual(expect.any(String));
  });
});

describe("what the client is told of the group", () => {
  const scene = openScene(afterAll);

  it("testers learn it; the public only if the app says so", async () => {
    const [backend] = await startBackends(scene, ["127.0.4.32", "127.0.4.33"]);
    const halftone = await startHalftone(scene);
    const document = {
      name: "shop",
      port: backend!.port,
      groups: { blue: { servers: ["127.0.4.32"] }, green: { servers: ["127.0.4.33"] } },
      testers: ["127.0.0.111"],
      deploy: 2,
    };
    const group = async (from: string) =>
      (await ask({ port: halftone.gatewayPort, from })).headers["x-halftone-group"];

    await halftone.put("shop", document);
    expect(await group("127.0.0.111")).toBe("green");
    expect(await group("127.0.0.50")).toBeUndefined();

    await halftone.put("shop", { ...document, expose: true });
    expect(await group("127.0.0.111")).toBe("green");
    expect(await group("127.0.0.50")).toBe("blue");
  });
});

describe("the gateway's own answers", () => {
  const scene = openScene(afterAll);
  let halftone: HalftoneProcess;

  beforeAll(async () => {
    halftone = await startHalftone(scene);
    await halftone.put("shop", {
      name: "shop",
      routes: [{ host: "shop.example", path: "/api" }],
      groups: { only: { servers: ["127.0.4.34:9"] } },
    });
  });

  it.each([
    { what: "no route", host: "other.example", path: "/", status: 404, code: "no_route" },
    {
      what: "a server that is not there",
      host: "shop.example",
      path: "/api/x",
      status: 502,
      code: "connect_failed",
    },
  ])("$what: $status with the code, the request's id, and JSON", async ({ host, path, status, code }) => {
    const answer = await ask({
      port: halftone.gatewayPort,
      path,
      headers: { host, accept: "application/json" },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toMatch(/^application\/json\b/);
    expect(answer.headers["x-halftone-error"]).toBe(code);
    expect(JSON.parse(answer.text)).toMatchObject({
      error: code,
      requestId: answer.headers["x-request-id"],
    });
  });

  it("HTML for those who prefer it, and no body for HEAD", async () => {
    const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const page = await ask({ port: halftone.gatewayPort, headers: { host: "x.example", accept: browser } });
    expect(page.headers["content-type"]).toMatch(/^text\/html\b/);
    expect(page.text).toContain("<h1>");
    expect(page.text).toContain(page.headers["x-request-id"]);
    expect(page.headers["x-halftone-error"]).toBe("no_route");

    const head = await ask({ port: halftone.gatewayPort, method: "HEAD", headers: { host: "x.example" } });
    expect(head.status).toBe(404);
    expect(head.body.length).toBe(0);
    expect(head.headers["x-halftone-error"]).toBe("no_route");
  });

  it("400 and a closed connection for what is no request", async () => {
    const scene = openScene(onTestFinished);
    const client = await RawConnection.open(scene, halftone.gatewayPort);
    client.send("GET / HTTP/1.1", "Host: a", "Content-Length: 1", "Content-Length: 2", "", "");
    const answer = await client.answer();
    expect(answer.status).toBe(400);
    expect(answer.fields["x-halftone-error"]).toMatch(/^[a-z_]+$/);
    expect(answer.fields["connection"]).toBe("close");
    await client.closed();
  });
});
