import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBackends } from "../e2e/harness/backend.ts";
import { ask, keepAlive } from "../e2e/harness/client.ts";
import { freePort } from "../e2e/harness/free-port.ts";
import { createSite, type HalftoneProcess } from "../e2e/harness/halftone-process.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { promtool } from "./promtool.ts";
import { scraped, seriesOf, sumOf, untilSeries } from "./series.ts";

const scene = openScene(afterAll);
let halftone: HalftoneProcess;
let app: { name: string; [key: string]: unknown };

beforeAll(async () => {
  const [blue, green] = await startBackends(scene, ["127.0.7.61", "127.0.7.62"], (incoming, response) => {
    incoming.resume();
    response.statusCode = incoming.url?.startsWith("/missing") === true ? 404 : 200;
    response.end("hello");
  });
  const site = await createSite(scene, { gateway: { workers: 2 } });
  halftone = await site.start();
  const groups = {
    blue: { servers: [`127.0.7.61:${blue!.port}`] },
    green: { servers: [`127.0.7.62:${green!.port}`, `127.0.7.63:${await freePort("127.0.7.63")}`] },
  };
  app = { name: "shop", routes: [{ host: "shop.test" }], groups };
  await halftone.put("shop", app);
  await halftone.put("idle", { ...app, name: "idle", routes: [{ host: "idle.test" }] });
});

function get(path: string, host: string = "shop.test", method: string = "GET"): Promise<{ status: number }> {
  return ask({ port: halftone.gatewayPort, path, method, headers: { host } });
}

describe("metrics of a gateway of two workers", () => {
  it("are what has happened, all processes together", async () => {
    for (let i = 0; i < 20; i++) await get("/");
    for (let i = 0; i < 4; i++) await get("/missing");
    await get("/", "nobody.test");
    const series = await untilSeries(
      halftone,
      "all requests to be told of",
      (told) => sumOf(told, /^halftone_requests_total\{app="shop"/) === 24,
    );
    expect(sumOf(series, /^halftone_requests_total\{.*class="2xx"/)).toBe(20);
    expect(sumOf(series, /^halftone_requests_total\{.*class="4xx"/)).toBe(4);
    expect(sumOf(series, /^halftone_latency_seconds_count/)).toBe(24);
    expect(series.get("halftone_received_requests_total")).toBe(25);
    expect(series.get('halftone_answers_total{code="no_route"}')).toBe(1);
    // The dead server was met by either worker at most once before it was told of it.
    const deaths = series.get('halftone_server_deaths_total{app="shop",group="green"}')!;
    expect(deaths).toBeGreaterThan(0);
    expect(sumOf(series, /^halftone_failures_total\{.*code="connect_failed"/)).toBe(deaths);
    expect(series.get("halftone_retries_total")).toBe(deaths);
    expect(sumOf(series, /^halftone_tries_total/)).toBe(24 + deaths);
    expect(series.get('halftone_servers{app="shop",group="green",state="dead"}')).toBe(1);
    expect(sumOf(series, /^halftone_server_die_time_seconds\{app="shop",group="green"/)).toBeGreaterThan(0);
    for (const worker of [0, 1]) {
      expect(series.get(`halftone_worker_busy_seconds_total{worker="${worker}"}`)).toBeGreaterThan(0);
      expect(series.get(`halftone_worker_resident_memory_bytes{worker="${worker}"}`)).toBeGreaterThan(1e7);
    }
    expect([...series.keys()].some((name) => name.startsWith('halftone_build_info{version="'))).toBe(true);
  });

  it("are as promtool wants them, of one app or all", async () => {
    expect(promtool(["check", "metrics"], await scraped(halftone, "?apps=all"))).toBe("");
    expect([...seriesOf(await scraped(halftone)).keys()].join("\n")).not.toContain("idle");
    const one = [...seriesOf(await scraped(halftone, "?app=idle")).keys()];
    expect(one.filter((name) => name.includes("shop"))).toEqual([]);
    expect(one).toContain('halftone_tries_total{app="idle",group="blue"}');
    expect(await halftone.admin("GET", "/metrics?apps=every")).toMatchObject({
      status: 400,
      body: { detail: "found apps every, expected busy, all or none" },
    });
  });

  it("are as many as before, whatever clients send", async () => {
    // Each kind of answer once; what comes then is new in its names only.
    await get("/", "nobody.test", "GET");
    await get("/", "shop.test", "BREW");
    await ask({ port: halftone.gatewayPort, headers: { host: "shop.test", "content-length": "x" } });
    const told = (): Promise<number> =>
      untilSeries(halftone, "a scrape", () => true).then((series) => series.size);
    await untilSeries(halftone, "the first of each kind", (series) => sumOf(series, /no_route/) === 2);
    const before = await told();
    const agent = keepAlive(scene, 8);
    const random = (): string => randomBytes(6).toString("hex");
    let sent = 0;
    const client = async (): Promise<void> => {
      while (sent++ < 2000) {
        const headers = {
          host: sent % 2 === 0 ? "shop.test" : `${random()}.test`,
          [`x-${random()}`]: random(),
        };
        const path = `/${random()}?${random()}=${random()}`;
        const method = sent % 3 === 0 ? random().replaceAll(/\d/g, "x").toUpperCase() : "GET";
        await ask({ port: halftone.gatewayPort, path, method, headers, agent }).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    await untilSeries(
      halftone,
      "all of them",
      (series) =>
        series.get("halftone_received_requests_total")! +
          series.get('halftone_answers_total{code="unknown_method"}')! >
        2000,
    );
    expect(await told()).toBe(before);
  });

  it("never go down, also when a worker is replaced", async () => {
    const before = seriesOf(await scraped(halftone));
    process.kill(halftone.workers()[0]!, "SIGKILL");
    await until("another worker", () =>
      halftone.log.some(({ msg }) => msg?.startsWith("a worker ended") === true),
    );
    await get("/");
    const after = await untilSeries(
      halftone,
      "the request and both workers",
      (series) =>
        sumOf(series, /^halftone_requests_total\{.*class="2xx"/) >
          sumOf(before, /^halftone_requests_total\{.*class="2xx"/) &&
        series.has('halftone_connections{worker="0"}') &&
        series.has('halftone_connections{worker="1"}'),
    );
    for (const [series, value] of before) {
      if (/_total\{(?!worker)|_total$|_bucket\{app/.test(series)) {
        expect(after.get(series) ?? 0, series).toBeGreaterThanOrEqual(value);
      }
    }
    expect([...after.keys()].filter((series) => series.startsWith("halftone_connections"))).toHaveLength(2);
  });

  it("tell of a release where it stands", async () => {
    await halftone.put("idle", {
      ...app,
      name: "idle",
      routes: [{ host: "idle.test" }],
      release: { minCapacity: 0 },
    });
    const begun = await halftone.api("POST", "/apps/idle/release", { version: "2" });
    expect(begun.status).toBe(201);
    await untilSeries(
      halftone,
      "a release that waits for a person",
      (series) =>
        series.get(
          'halftone_release_state{app="idle",status="running",phase="updating",waiting="continue"}',
        ) === 1 && series.get('halftone_deploy{app="idle"}') === 1,
    );
    expect(promtool(["check", "metrics"], await scraped(halftone))).toBe("");
  });
});
