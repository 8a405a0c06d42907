import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("nothing of OpenTelemetry is loaded where nobody collects traces", () => {
  const script = fileURLToPath(new URL("loaded.mjs", import.meta.url));
  const counts = JSON.parse(execFileSync(process.execPath, [script], { encoding: "utf8" })) as {
    without: number;
    with: number;
  };
  expect(counts.without).toBe(0);
  expect(counts.with).toBeGreaterThan(0);
});
