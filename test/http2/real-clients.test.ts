import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { app, startGateway, type GatewayUnderTest } from "../gateway/harness.ts";
import { expectNothingUncaught } from "./uncaught.ts";

expectNothingUncaught();

// nghttp and h2load are of Debian's nghttp2-client.
const run = promisify(execFile);

async function standing(): Promise<{ gateway: GatewayUnderTest; url: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
    });
    request.on("end", () => {
      seen.push(`${request.method} ${request.url} ${size}`);
      if (request.url === "/large") response.end(Buffer.alloc(8 * 1024 * 1024, "x"));
      else response.end(`got ${size}\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.4.252", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const gateway = await startGateway({ http2: true, apps: [app([`127.0.4.252:${port}`])] });
  return { gateway, url: `http://${gateway.host}:${gateway.port}`, seen };
}

describe("clients that are not Node's", () => {
  it("nghttp: a page with a body up and a large one down", async () => {
    const { url, seen } = await standing();
    const folder = mkdtempSync(join(tmpdir(), "halftone-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "body");
    writeFileSync(file, Buffer.alloc(3_000_000, "y"));
    const { stdout } = await run("nghttp", ["--data", file, `${url}/up`]);
    expect(stdout).toBe("got 3000000\n");
    const large = await run("nghttp", ["--no-dep", `${url}/large`], { maxBuffer: 32 * 1024 * 1024 });
    expect(large.stdout.length).toBe(8 * 1024 * 1024);
    const trailer = await run("nghttp", ["--trailer", "x-sum: 1", "--data", file, "-v", `${url}/trailers`], {
      maxBuffer: 32 * 1024 * 1024,
    });
    expect(trailer.stdout).toContain("got 3000000");
    expect(seen).toEqual(["POST /up 3000000", "GET /large 0", "POST /trailers 3000000"]);
  });

  it("h2load: thousands of requests on many streams, none fails", async () => {
    const { url, gateway } = await standing();
    const { stdout } = await run("h2load", ["-n", "3000", "-c", "4", "-m", "100", `${url}/`]);
    expect(stdout).toContain(
      "3000 total, 3000 started, 3000 done, 3000 succeeded, 0 failed, 0 errored, 0 timeout",
    );
    expect(gateway.gateway.counters.requests).toBe(3000);
    const large = await run("h2load", ["-n", "40", "-c", "2", "-m", "20", `${url}/large`]);
    expect(large.stdout).toContain("40 succeeded, 0 failed, 0 errored, 0 timeout");
  });

  it("h2load of HTTP/1.1 on the same listener", async () => {
    const { url } = await standing();
    const { stdout } = await run("h2load", ["--h1", "-n", "300", "-c", "4", `${url}/`]);
    expect(stdout).toContain("300 succeeded, 0 failed, 0 errored, 0 timeout");
  });
});
