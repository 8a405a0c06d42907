import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Dashboard, mountAssets, openDashboard, pageAnswer } from "./dashboard.ts";
import type { AdminEnv } from "./operation.ts";

const PAGE = "<!doctype html><title>Halftone</title>";
const SCRIPT = "export {};";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "halftone-dashboard-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, text: string, isCompressed: boolean = true): Promise<void> {
  await mkdir(join(folder, "assets"), { recursive: true });
  await writeFile(join(folder, name), text);
  if (!isCompressed) return;
  await writeFile(join(folder, `${name}.br`), brotliCompressSync(text));
  await writeFile(join(folder, `${name}.gz`), gzipSync(text));
}

async function served(): Promise<Hono<AdminEnv>> {
  await write("index.html", PAGE);
  await write("assets/main-1a2b.js", SCRIPT);
  await write("assets/plain-3c4d.css", "a{}", false);
  const dashboard = (await openDashboard(folder)) as Dashboard;
  const api = new Hono<AdminEnv>();
  mountAssets(api, dashboard);
  api.get("/", (c) => pageAnswer(c, dashboard));
  return api;
}

describe("the dashboard", () => {
  it.each([
    ["gzip, deflate, br", "br"],
    ["gzip", "gzip"],
    ["br;q=0, gzip;q=0.5", "gzip"],
    ["identity", null],
    ["", null],
  ])("goes out as the browser takes it: %s", async (accepted, encoding) => {
    const api = await served();
    const answer = await api.request("/assets/main-1a2b.js", { headers: { "accept-encoding": accepted } });
    expect(answer.headers.get("content-encoding")).toBe(encoding);
    expect(answer.headers.get("vary")).toBe("Accept-Encoding");
    const sizes = { br: brotliCompressSync(SCRIPT).length, gzip: gzipSync(SCRIPT).length };
    const size = encoding === null ? SCRIPT.length : sizes[encoding as "br" | "gzip"];
    expect((await answer.arrayBuffer()).byteLength).toBe(size);
  });

  it("has each file with its type; what was not compressed goes out as it is", async () => {
    const api = await served();
    const css = await api.request("/assets/plain-3c4d.css", { headers: { "accept-encoding": "br" } });
    expect(css.headers.get("content-type")).toBe("text/css; charset=utf-8");
    expect(css.headers.get("content-encoding")).toBeNull();
    expect((await api.request("/")).headers.get("content-type")).toBe("text/html; charset=utf-8");
  });

  it("has its assets kept for ever and its page asked for anew", async () => {
    const api = await served();
    const asset = await api.request("/assets/main-1a2b.js");
    expect(asset.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    const page = await api.request("/");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const etag = page.headers.get("etag") ?? "";
    const again = await api.request("/", { headers: { "if-none-match": etag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  it("gives out nothing but its page and its assets", async () => {
    const api = await served();
    await writeFile(join(folder, "assets", "notes.txt"), "secret");
    for (const path of [
      "/index.html",
      "/assets/notes.txt",
      "/assets/main-1a2b.js.br",
      "/assets/../index.html.br",
    ]) {
      expect((await api.request(path)).status, path).toBe(404);
    }
  });

  it("that was not built is none", async () => {
    expect(await openDashboard(join(folder, "nowhere"))).toBeUndefined();
    expect(await openDashboard(folder)).toBeUndefined();
  });
});
