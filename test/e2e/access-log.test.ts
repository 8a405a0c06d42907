import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startBackend } from "./harness/backend.ts";
import { ask } from "./harness/client.ts";
import { createSite, type HalftoneProcess, type SiteConfig } from "./harness/halftone-process.ts";
import { openScene } from "./harness/scene.ts";
import { until } from "./harness/until.ts";

async function logging(
  accessLog: unknown,
  workers: number = 2,
): Promise<{ halftone: HalftoneProcess; config: SiteConfig }> {
  const scene = openScene(onTestFinished);
  const backend = await startBackend(scene, "127.0.7.71");
  const config = { gateway: { listen: "127.0.0.1:0", workers, accessLog } };
  const site = await createSite(scene, config);
  const halftone = await site.start();
  await halftone.put("shop", { name: "shop", groups: { only: { servers: [`127.0.7.71:${backend.port}`] } } });
  return { halftone, config };
}

/** So many requests, each on a connection of its own, so that every worker gets some. */
async function requests(halftone: HalftoneProcess, name: string, count: number): Promise<void> {
  for (let done = 0; done < count; done += 20) {
    await Promise.all(
      Array.from({ length: Math.min(20, count - done) }, (_, i) =>
        ask({ port: halftone.gatewayPort, path: `/${name}-${done + i}` }),
      ),
    );
  }
}

function pathsIn(file: string): readonly string[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { path: string }).path);
}

describe("the access log", () => {
  it("of several workers goes to standard output, line by line", async () => {
    const { halftone } = await logging({ mode: "all" });
    await requests(halftone, "all", 400);
    expect(await halftone.stop()).toBe(0);
    const lines = halftone.output.split("\n").filter((line) => line.includes("/all-"));
    const paths = lines.map((line) => (JSON.parse(line) as { path: string }).path);
    expect(paths.sort()).toEqual(Array.from({ length: 400 }, (_, i) => `/all-${i}`).sort());
  });

  it.each([2, 0])(
    "is another file after SIGHUP, with %i workers, also when the reload is refused",
    async (workers) => {
      const { halftone, config } = await logging({ to: "./access.log", mode: "all" }, workers);
      const file = join(halftone.site.folder, "access.log");
      await requests(halftone, "first", 20);
      renameSync(file, `${file}.1`);
      halftone.kill("SIGHUP");
      await halftone.logged(/"reloaded"/);
      await requests(halftone, "second", 20);
      await until("all lines", () => pathsIn(file).length === 20 && pathsIn(`${file}.1`).length === 20);

      renameSync(file, `${file}.2`);
      await halftone.site.configure({ ...config, name: "another" });
      halftone.kill("SIGHUP");
      await halftone.logged(/reload refused/);
      await requests(halftone, "third", 20);
      await until("all lines", () => pathsIn(file).length === 20);
      expect(pathsIn(`${file}.1`).every((path) => path.startsWith("/first-"))).toBe(true);
      expect(pathsIn(`${file}.2`).every((path) => path.startsWith("/second-"))).toBe(true);
      expect(pathsIn(file).every((path) => path.startsWith("/third-"))).toBe(true);
    },
  );

  it("that cannot be opened refuses a reload, and a start", async () => {
    const { halftone, config } = await logging({ to: "./access.log", mode: "all" });
    const gateway = { ...config.gateway, accessLog: { to: "./no/such/folder.log", mode: "errors" } };
    await halftone.site.configure({ gateway });
    halftone.kill("SIGHUP");
    await halftone.logged(/reload refused.*access log .*no\/such\/folder.log cannot be written: ENOENT/);
    await requests(halftone, "still", 5);
    await until(
      "lines in the old file",
      () => pathsIn(join(halftone.site.folder, "access.log")).length === 5,
    );
    expect(await halftone.stop()).toBe(0);
    await expect(halftone.site.start()).rejects.toThrow(
      /access log .*no\/such\/folder.log cannot be written: ENOENT/,
    );
  });
});
