// @ts-check
import { mkdirSync } from "node:fs";
import { checkProxy } from "./check-proxy.mjs";
import { othersTime, proxyTime } from "./cpu-time.mjs";
import { drive } from "./load.mjs";

/** The proxy has a core to itself; load and upstream share the other. */
const PROXY_CORE = 0;
export const LOAD_CORE = 1;

/**
 * Starts the proxy, warms it up, measures it and ends it: only one runs at a time, and a lucky or unlucky start
 * (memory layout, what the JIT chose) counts for one round only.
 * @param {import("./children.mjs").Children} children
 * @param {import("./proxies.mjs").Proxy} recipe
 * @param {string} folder
 * @param {readonly string[]} servers
 * @param {import("./options.mjs").Options} options
 * @returns {Promise<import("./report.mjs").Round>}
 */
export async function measureRound(children, recipe, folder, servers, { connections, seconds, warmUp }) {
  mkdirSync(folder);
  const { command, args, port } = await recipe.prepare({ folder, servers, connections });
  const proxy = children.start({ name: recipe.title, core: PROXY_CORE, command, args, cwd: folder });
  await checkProxy(proxy, port, servers);
  const url = `http://127.0.0.1:${port}/`;
  if (warmUp > 0) await drive(children, { url, core: LOAD_CORE, connections, seconds: warmUp });

  const othersBefore = othersTime(children.groups);
  const before = proxyTime(proxy.pid);
  const started = performance.now();
  const load = await drive(children, { url, core: LOAD_CORE, connections, seconds });
  const wall = (performance.now() - started) / 1000;
  const after = proxyTime(proxy.pid);
  const othersAfter = othersTime(children.groups);
  // Once more: a server that died or was given up under load would leave the rest of the figures looking normal.
  await checkProxy(proxy, port, servers);
  await children.end(proxy);

  if (after.workers !== before.workers) throw new Error(`${recipe.title} replaced a worker during the round`);
  if (load.requests === 0) throw new Error(`${recipe.title} answered no request`);
  const traffic = after.traffic - before.traffic;
  const supervisor = after.supervisor - before.supervisor;
  return {
    cpuMicroseconds: (traffic * 1e6) / load.requests,
    supervisorMicroseconds: (supervisor * 1e6) / load.requests,
    requestsPerSecond: (load.requests * 1e6) / load.microseconds,
    coreUse: (traffic + supervisor) / wall,
    othersUse: (othersAfter - othersBefore) / wall,
    errors: Object.values(load.errors).reduce((sum, count) => sum + count, 0),
    load,
  };
}
