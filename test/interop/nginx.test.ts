import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, keepAlive, type Answer, type Ask } from "../e2e/harness/client.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { startFront, type Front } from "./harness/front.ts";
import { startNginx } from "./harness/nginx.ts";
import { FILE } from "./harness/origin.ts";
import { hashOf, patternOf } from "./harness/pattern.ts";

const MIB = 1024 * 1024;
const PAGE = "<!doctype html><title>page</title>" + "words that repeat ".repeat(500);

describe("nginx behind the gateway", () => {
  const scene = openScene(afterAll);
  let front: Front;
  let agent: ReturnType<typeof keepAlive>;
  const get = (path: string, more: Partial<Ask> = {}): Promise<Answer> =>
    ask({ port: front.halftone.gatewayPort, path, agent, ...more });

  beforeAll(async () => {
    const nginx = await startNginx(
      scene,
      "127.0.4.34",
      // It closes every seventh connection it might have kept, answers uploads early, and hangs up when asked to.
      `keepalive_requests 7;
       client_max_body_size 1m;
       location /hang-up { return 444; }
       location /moved { return 301 /page.html; }
       location /empty { return 204; }
       location /teapot { return 418 "short and stout"; }`,
      "types { text/html html; } gzip on; gzip_proxied any; sendfile on; tcp_nopush on; absolute_redirect off;",
    );
    await writeFile(join(nginx.root, "file"), FILE);
    await writeFile(join(nginx.root, "page.html"), PAGE);
    await writeFile(join(nginx.root, "large"), patternOf(16 * MIB));
    front = await startFront(scene, [nginx.address]);
    agent = keepAlive(scene);
  });

  it("serves files and tells when they are unchanged", async () => {
    const file = await get("/file");
    expect({ status: file.status, hash: hashOf(file.body) }).toEqual({ status: 200, hash: hashOf(FILE) });
    const fresh = await get("/file", { headers: { "If-None-Match": String(file.headers.etag) } });
    expect({ status: fresh.status, length: fresh.body.length }).toEqual({ status: 304, length: 0 });
    expect(fresh.headers.etag).toBe(file.headers.etag);
    const head = await get("/file", { method: "HEAD" });
    expect(head.headers["content-length"]).toBe(String(FILE.length));
  });

  it("serves one range, several ranges, and none that is outside", async () => {
    const one = await get("/file", { headers: { Range: "bytes=1000-1999" } });
    expect({ status: one.status, hash: hashOf(one.body) }).toEqual({
      status: 206,
      hash: hashOf(FILE.subarray(1000, 2000)),
    });
    const two = await get("/file", { headers: { Range: "bytes=0-9,-10" } });
    expect(two.status).toBe(206);
    expect(two.headers["content-type"]).toMatch(/^multipart\/byteranges; boundary=/);
    expect(two.body.includes(FILE.subarray(0, 10)) && two.body.includes(FILE.subarray(-10))).toBe(true);
    const none = await get("/file", { headers: { Range: "bytes=9999999-" } });
    expect({ status: none.status, range: none.headers["content-range"] }).toEqual({
      status: 416,
      range: `bytes */${FILE.length}`,
    });
  });

  // gzip_proxied: without it nginx compresses nothing for a request with Via.
  it("compresses as it goes, in chunks", async () => {
    const page = await get("/page.html", { headers: { "Accept-Encoding": "gzip" } });
    expect(page.headers).toMatchObject({ "content-encoding": "gzip", "transfer-encoding": "chunked" });
    expect(gunzipSync(page.body).toString()).toBe(PAGE);
    expect((await get("/page.html")).text).toBe(PAGE);
  });

  it("serves a file larger than every buffer whole", async () => {
    expect(hashOf((await get("/large")).body)).toBe(hashOf(patternOf(16 * MIB)));
  });

  it("gives its own answers: redirect, nothing, errors", async () => {
    expect(await get("/moved")).toMatchObject({ status: 301, headers: { location: "/page.html" } });
    expect((await get("/empty")).status).toBe(204);
    expect(await get("/teapot")).toMatchObject({ status: 418, text: "short and stout" });
    expect((await get("/none")).status).toBe(404);
  });

  it("refuses a body before it has read it", async () => {
    for (let n = 0; n < 5; n++) {
      const refused = await get("/file", {
        method: "POST",
        body: patternOf(4 * MIB),
        agent: keepAlive(scene),
      });
      expect(refused.status).toBe(413);
    }
  });

  it("loses no request to the connections it closes", async () => {
    const agent = keepAlive(scene, 4);
    const answers = await Promise.all(Array.from({ length: 200 }, () => get("/page.html", { agent })));
    expect(answers.filter(({ status, text }) => status !== 200 || text !== PAGE)).toEqual([]);
  });

  it("is answered for with 502 when it hangs up", async () => {
    expect((await get("/hang-up")).status).toBe(502);
  });
});

describe("nginx before and behind the gateway at once", () => {
  const scene = openScene(afterAll);

  it("cannot make requests run in circles", async () => {
    // The gateway's address is known only once it listens, and nginx wants to know it before: the app comes last.
    const front = await startFront(scene, ["127.0.4.35:1"]);
    const nginx = await startNginx(
      scene,
      "127.0.4.35",
      `location / { proxy_pass http://127.0.0.1:${front.halftone.gatewayPort}; proxy_http_version 1.1; }`,
    );
    await front.halftone.put("site", { name: "site", groups: { only: { servers: [nginx.address] } } });
    expect((await ask({ port: front.halftone.gatewayPort, path: "/" })).status).toBe(508);
  });
});
