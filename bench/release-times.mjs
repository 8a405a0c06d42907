// @ts-check
// How long a drain, a step and a rollback take to be in force: node bench/release-times.mjs [--releases N]
//
// Two gateways on one real Redis, two groups of one server each, a light load without long requests, and no hook: what is
// measured is Halftone's own time, from a command to the moment at which every gateway has its effect in force.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { freePort } from "./free-port.mjs";

const CLI = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const { values } = parseArgs({ options: { releases: { type: "string", default: "10" } } });
const RELEASES = Number(values.releases);
const PATIENCE = 20_000;

/** @type {(() => unknown)[]} */
const open = [];
/** @type {Record<string, number[]>} */
const times = { drain: [], step: [], rollback: [] };

try {
  await main();
} finally {
  for (const close of open.reverse()) await close();
}

async function main() {
  const folder = await mkdtemp(join(tmpdir(), "halftone-release-"));
  open.push(() => rm(folder, { recursive: true, force: true }));
  const redisPort = await freePort("127.0.0.1");
  start("redis-server", ["--port", String(redisPort), "--bind", "127.0.0.1", "--save", "", "--dir", folder]);
  const port = await freePort("127.0.0.1");
  const server = createServer((_request, response) => response.end("ok"));
  await new Promise((resolve) => server.listen(port, "0.0.0.0", () => resolve(undefined)));
  open.push(() => server.close());
  await pause(300);
  const gateways = [await gateway(folder, 1, redisPort), await gateway(folder, 2, redisPort)];
  const [first, second] = gateways;
  if (first === undefined || second === undefined) throw new Error("two gateways were to be started");
  await first.call("PUT", "/apps/shop", {
    name: "shop",
    groups: {
      group1: { servers: [`127.0.0.1:${port}`] },
      group2: { servers: [`127.0.0.2:${port}`, `127.0.0.3:${port}`] },
    },
    release: { checks: 1, slowStart: "0ms", minCapacity: 0 },
  });
  for (let round = 0; round < RELEASES; round += 1) {
    const steps = [
      { share: 10, until: "continue" },
      { share: 50, until: "continue" },
      { share: 100, until: "continue" },
    ];
    let from = performance.now();
    await first.call("POST", "/apps/shop/release", { version: `v${round}`, steps });
    await until(second, (view) => view.phase === "updating" && view.waitingFor === "continue");
    times["drain"]?.push(performance.now() - from);
    await second.call("POST", "/apps/shop/release/continue", {});
    await until(first, (view) => view.share === 10 && view.waitingFor === "continue");
    from = performance.now();
    await second.call("POST", "/apps/shop/release/continue", {});
    await until(first, (view) => view.share === 50 && view.waitingFor === "continue");
    times["step"]?.push(performance.now() - from);
    from = performance.now();
    await second.call("POST", "/apps/shop/release/rollback", {});
    await until(first, (view) => view.phase === "restoring" && view.waitingFor === "continue");
    times["rollback"]?.push(performance.now() - from);
    await first.call("POST", "/apps/shop/release/continue", {});
    await until(first, (view) => view.status === "rolledBack");
  }
  for (const [what, all] of Object.entries(times)) {
    const sorted = [...all].sort((one, other) => one - other);
    const at = (/** @type {number} */ part) =>
      `${(sorted[Math.floor(part * (sorted.length - 1))] ?? NaN).toFixed(0)} ms`;
    console.log(`${what.padEnd(9)} median ${at(0.5)}, worst ${at(1)} of ${sorted.length}`);
  }
}

/**
 * @typedef {{ phase: string, status: string, share: number, waitingFor: string | null }} View
 * @typedef {{ call: (method: string, path: string, body?: object) => Promise<unknown> }} Gateway
 */

/**
 * @param {string} folder
 * @param {number} number
 * @param {number} redisPort
 * @returns {Promise<Gateway>}
 */
async function gateway(folder, number, redisPort) {
  const site = join(folder, `gateway-${number}`);
  const adminPort = await freePort("127.0.0.1");
  await mkdir(site);
  const config = {
    name: `gateway-${number}`,
    gateway: { listen: "127.0.0.1:0", workers: 1 },
    admin: { listen: `127.0.0.1:${adminPort}` },
    directory: `redis://127.0.0.1:${redisPort}/0`,
  };
  await writeFile(join(site, "halftone.yaml"), JSON.stringify(config));
  start(process.execPath, [CLI, "serve", "-c", join(site, "halftone.yaml")]);
  const base = `http://127.0.0.1:${adminPort}`;
  const deadline = performance.now() + PATIENCE;
  while (
    !(await fetch(`${base}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (performance.now() > deadline) throw new Error(`gateway ${number} is not ready`);
    await pause(50);
  }
  const token = (await readFile(join(site, "data", "admin-token"), "utf8")).trim();
  return {
    call: async (method, path, body) => {
      const response = await fetch(`${base}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "if-match": "*", "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === "" ? undefined : JSON.parse(text);
    },
  };
}

/**
 * @param {Gateway} gateway
 * @param {(view: View) => boolean} condition
 */
async function until(gateway, condition) {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    const view = /** @type {View} */ (await gateway.call("GET", "/apps/shop/release"));
    if (condition(view)) return;
    if (performance.now() > deadline) throw new Error(`waited in vain: ${JSON.stringify(view)}`);
    await pause(5);
  }
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 */
function start(program, args) {
  const child = spawn(program, args, { stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  open.push(async () => {
    child.kill("SIGTERM");
    await ended;
  });
}
