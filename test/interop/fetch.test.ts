import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Backend } from "../e2e/harness/backend.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { startFront, type Front } from "./harness/front.ts";
import { FILE, startOrigin, type Echo, type Sunk } from "./harness/origin.ts";
import { hashOf, patternOf } from "./harness/pattern.ts";

const MIB = 1024 * 1024;

/** Node's own client, undici, with its own parser. */
describe("fetch", () => {
  const scene = openScene(afterAll);
  let front: Front;
  let origin: Backend;
  const get = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(front.origin("http") + path, init);

  beforeAll(async () => {
    origin = await startOrigin(scene, "127.0.4.36");
    front = await startFront(scene, [`127.0.4.36:${origin.port}`]);
  });

  it("gets 100 answers at once", async () => {
    const bodies = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const response = await get(["/file", "/chunked", "/gzip"][n % 3]!);
        return hashOf(Buffer.from(await response.arrayBuffer()));
      }),
    );
    expect(new Set(bodies)).toEqual(new Set([hashOf(FILE)]));
  });

  it("sends a form", async () => {
    const form = new FormData();
    form.set("title", "gr\u00fcn");
    form.set("file", new Blob([patternOf(1000)]), "a.bin");
    const { headers, body } = (await (await get("/echo", { method: "POST", body: form })).json()) as Echo;
    expect(headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    expect(body).toContain('filename="a.bin"');
  });

  it("streams both ways at the same time: each piece is answered before the next is sent", async () => {
    let send: (text: string | undefined) => void = () => {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        send = (text) => (text === undefined ? controller.close() : controller.enqueue(Buffer.from(text)));
      },
    });
    send("first");
    const response = await get("/mirror", { method: "POST", body, duplex: "half" });
    const reader = response.body!.getReader();
    const next = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString();
    expect(await next()).toBe("first");
    for (const text of ["second", "third"]) {
      send(text);
      expect(await next()).toBe(text);
    }
    send(undefined);
    expect((await reader.read()).done).toBe(true);
  });

  it("uploads and downloads 16 MiB at the same time", async () => {
    const bytes = patternOf(16 * MIB);
    const response = await get("/mirror", { method: "POST", body: bytes });
    const hash = createHash("sha256");
    for await (const piece of response.body!) hash.update(piece as Uint8Array);
    expect(hash.digest("hex")).toBe(hashOf(bytes));
    const sunk = (await (await get("/sink", { method: "PUT", body: bytes })).json()) as Sunk;
    expect(sunk).toEqual({ length: 16 * MIB, whole: true, framing: String(16 * MIB) });
  });

  it("that gives up within an answer is missed at the server's next write", async () => {
    let closed = false;
    const handler = origin.handler;
    scene.defer(() => (origin.handler = handler));
    origin.handler = (_request, response) => {
      const timer = setInterval(() => response.write("a part"), 5);
      response.on("close", () => {
        clearInterval(timer);
        closed = true;
      });
    };
    const giveUp = new AbortController();
    const response = await get("/endless", { signal: giveUp.signal });
    giveUp.abort();
    await expect(response.text()).rejects.toThrow("aborted");
    await until("the end at the server", () => closed);
    origin.handler = handler;
  });

  it("sees an answer that the server cuts as cut", async () => {
    const handler = origin.handler;
    origin.handler = (_request, response) => {
      response.write("a part", () => response.destroy());
    };
    const response = await get("/cut");
    await expect(response.text()).rejects.toThrow("terminated");
    origin.handler = handler;
    expect((await get("/file")).status).toBe(200);
  });
});
