import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, keepAlive } from "../e2e/harness/client.ts";
import { freePort } from "../e2e/harness/free-port.ts";
import { openScene, type Scene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { PROTOCOLS, startFront, type Front } from "./harness/front.ts";
import { FILE, startOrigin } from "./harness/origin.ts";
import { hashOf, patternOf } from "./harness/pattern.ts";
import { run } from "./harness/run.ts";

const CLIENT = fileURLToPath(new URL("./harness/client.py", import.meta.url));

describe.each(PROTOCOLS)("Python's http.client by %s", (protocol) => {
  const scene = openScene(afterAll);
  let front: Front;

  beforeAll(async () => {
    const origin = await startOrigin(scene, "127.0.4.32");
    front = await startFront(scene, [`127.0.4.32:${origin.port}`]);
  });

  it("keeps one connection through every kind of answer, and speaks 1.0 on another", async () => {
    const { hostname, port } = new URL(front.origin(protocol));
    const { code, stdout, stderr } = await run("python3", [
      CLIENT,
      hostname,
      port,
      ...(protocol === "http" ? [] : [front.ca]),
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      file: hashOf(FILE),
      chunked: hashOf(FILE),
      head: [200, String(FILE.length), 0],
      range: [206, `bytes 10-19/${FILE.length}`, hashOf(FILE.subarray(10, 20))],
      fresh: 304,
      posted: "a=1&b=2",
      pieces: 165_539,
      latin1: "gr\u00fcn",
      old: [hashOf(FILE), null],
      large: hashOf(patternOf(8_388_608)),
    });
  });
});

/** `python3 -m http.server` in a folder. */
async function startPython(scene: Scene, address: string, folder: string, version: string): Promise<string> {
  const port = await freePort(address);
  const args = ["-u", "-m", "http.server", String(port), "-b", address, "-d", folder, "-p", version];
  const child = spawn("python3", args, { stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  scene.defer(() => child.kill("SIGKILL"));
  await until("Python's server", () => output.includes("Serving HTTP"), { instead: () => output });
  return `${address}:${port}`;
}

describe.each(["HTTP/1.0", "HTTP/1.1"])("Python's http.server, %s", (version) => {
  const scene = openScene(afterAll);
  let front: Front;

  beforeAll(async () => {
    const folder = await scene.folder();
    await writeFile(join(folder, "file"), FILE);
    front = await startFront(scene, [await startPython(scene, "127.0.4.33", folder, version)]);
  });

  it("serves files on a kept connection, its heads, its errors and its redirects", async () => {
    const agent = keepAlive(scene);
    const { gatewayPort: port } = front.halftone;
    for (let n = 0; n < 5; n++) {
      const file = await ask({ port, path: "/file", agent });
      expect({ status: file.status, hash: hashOf(file.body) }).toEqual({ status: 200, hash: hashOf(FILE) });
      const head = await ask({ port, path: "/file", method: "HEAD", agent });
      expect(head.headers["content-length"]).toBe(String(FILE.length));
      const modified = String(file.headers["last-modified"]);
      const fresh = await ask({ port, path: "/file", agent, headers: { "If-Modified-Since": modified } });
      expect({ status: fresh.status, length: fresh.body.length }).toEqual({ status: 304, length: 0 });
      expect((await ask({ port, path: "/none", agent })).status).toBe(404);
      expect((await ask({ port, path: "/", agent })).text).toContain("Directory listing");
      // It answers what it cannot do without a look at the body.
      expect(
        (await ask({ port, path: "/file", method: "POST", body: "x".repeat(100_000), agent })).status,
      ).toBe(501);
    }
  });
});
