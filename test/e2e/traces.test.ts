import { expect, it, onTestFinished } from "vitest";
import { untilSeries } from "../metrics/series.ts";
import { startCollector } from "../traces/collector.ts";
import { startBackend } from "./harness/backend.ts";
import { ask } from "./harness/client.ts";
import { createSite } from "./harness/halftone-process.ts";
import { openScene } from "./harness/scene.ts";

it("workers send spans, from the reload on that names a collector, and those that are left at their end", async () => {
  const scene = openScene(onTestFinished);
  const collector = await startCollector();
  const backend = await startBackend(scene, "127.0.7.81");
  const config = { gateway: { workers: 2 } };
  const site = await createSite(scene, config);
  const halftone = await site.start();
  await halftone.put("shop", { name: "shop", groups: { only: { servers: [`127.0.7.81:${backend.port}`] } } });
  await ask({ port: halftone.gatewayPort });
  await site.configure({ ...config, traces: { endpoint: collector.endpoint, sample: 100, service: "edge" } });
  halftone.kill("SIGHUP");
  await halftone.logged(/"reloaded"/);
  await Promise.all(Array.from({ length: 20 }, () => ask({ port: halftone.gatewayPort })));
  const spans = await collector.seen(40);
  expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(["edge"]));
  expect(spans.filter(({ kind }) => kind === "server")).toHaveLength(20);
  await untilSeries(
    halftone,
    "them to be counted",
    (series) => series.get("halftone_spans_exported_total") === 40,
  );
  await ask({ port: halftone.gatewayPort });
  expect(await halftone.stop()).toBe(0);
  expect(collector.spans).toHaveLength(42);
});
