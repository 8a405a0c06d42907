import { expect, it, onTestFinished } from "vitest";
import { spawn } from "node:child_process";
import { CLI } from "./harness/halftone-process.ts";
import { openScene } from "./harness/scene.ts";

it(
  "the demo's version with 3 % errors goes back by itself, and no request fails",
  { timeout: 120_000 },
  async () => {
    const scene = openScene(onTestFinished);
    const cwd = await scene.folder();
    const child = spawn(process.execPath, [CLI, "demo", "--once", "--scenario", "errors"], { cwd });
    scene.defer(() => child.kill("SIGKILL"));
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(code, output).toBe(0);
    expect(output).toMatch(/page {6}http:\/\/127\.0\.0\.1:\d+\/\?token=ht_/);
    expect(output).toMatch(
      /shop v2: rolled back; goes back because: The new version is worse\. \d+ errors in/,
    );
    expect(output).toMatch(/\n\d+ requests, 0 failed; \d+ were answered 5xx by a version\n/);
  },
);
