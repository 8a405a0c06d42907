// @ts-check
import { mkdirSync } from "node:fs";
import { cpus } from "node:os";
import { withReadings } from "./arena.mjs";
import { checkLoad, checkProxy } from "./check-proxy.mjs";
import { drive } from "./load.mjs";
import { forgetMost, memoryOf } from "./memory.mjs";

/** The proxy has a core to itself; load and upstream share the other. */
const PROXY_CORE = 0;
export const LOAD_CORE = 1;

/**
 * @typedef {object} Field what all rounds of a run have in common
 * @property {import("./children.mjs").Children} children
 * @property {import("./upstream.mjs").Upstreams} upstreams
 * @property {{ cert: string, key: string } | undefined} tls
 * @property {{ connections: number | undefined, seconds: number, warmUp: number }} options
 * @property {number} rate requests a second, for loads at a rate
 */

/**
 * Starts the proxy, warms it up, measures it and ends it: only one runs at a time, and a lucky or unlucky start
 * (memory layout, what the JIT chose) counts for one round only.
 * @param {Field} field
 * @param {import("./loads/work-load.mjs").WorkLoad} load
 * @param {Pick<import("./loads/work-load.mjs").Entrant, "title" | "proxy" | "variant">} entrant
 * @param {string} folder
 * @returns {Promise<import("./report.mjs").Round>}
 */
export async function measureRound({ children, upstreams, tls, options, rate }, load, entrant, folder) {
  const { seconds, warmUp } = options;
  const { title, variant } = entrant;
  const connections = options.connections ?? load.connections;
  const servers =
    variant?.servers === undefined ? upstreams.servers : upstreams.many.slice(0, variant.servers);
  mkdirSync(folder);
  const { command, args, port } = await entrant.proxy.prepare({
    folder,
    servers,
    connections: connections + (load.standing ?? 0),
    tls: load.tls === true ? tls : undefined,
    ...(variant?.apps === undefined ? {} : { apps: variant.apps }),
    ...(variant?.workers === undefined ? {} : { workers: variant.workers }),
    ...(variant?.release === undefined ? {} : { release: variant.release }),
  });
  const cores = coresOf(variant);
  const proxy = children.start({ name: title, cores, command, args, cwd: folder });
  try {
    const target = { port, tls: load.tls === true, host: variant?.host ?? `127.0.0.1:${port}` };
    const loadCore = LOAD_CORE;
    const arena = { children, folder, loadCore, proxy, target, load, connections, seconds, rate };
    await checkProxy(proxy, target, servers);
    const memoryBefore = memoryOf(proxy.pid).resident;
    forgetMost(proxy.pid);
    await checkLoad(proxy, target, load);
    if (warmUp > 0) await drive(arena, warmUp);
    const measured = await (load.measure ?? closedLoop)(arena);
    const memoryMost = memoryOf(proxy.pid).most;
    // Once more: a server that died or was given up under load would leave the rest of the figures looking normal.
    await checkProxy(proxy, target, servers);
    if (measured.requests === 0) throw new Error(`${title} answered no request`);
    return roundOf(measured, { memoryBefore, memoryMost });
  } finally {
    await children.end(proxy);
  }
}

/**
 * The proxy's cores: one, unless a variant wants more and the machine has more than load and servers need.
 * @param {import("./loads/work-load.mjs").Variant | undefined} variant
 */
function coresOf(variant) {
  const wanted = variant?.cores ?? [PROXY_CORE];
  return wanted.every((core) => core < cpus().length) ? wanted : [PROXY_CORE];
}

/**
 * @param {import("./arena.mjs").Arena} arena
 * @returns {Promise<import("./arena.mjs").Measured>}
 */
async function closedLoop(arena) {
  const { result: report, ...readings } = await withReadings(arena, () => drive(arena, arena.seconds));
  return {
    ...readings,
    requests: arena.load.countBytes === true ? report.bytes / arena.load.length : report.requests,
    microseconds: report.microseconds,
    errors: Object.values(report.errors).reduce((sum, count) => sum + count, 0),
    report,
    extra: {},
  };
}

/**
 * @param {import("./arena.mjs").Measured} measured
 * @param {Record<string, number>} memory
 * @returns {import("./report.mjs").Round}
 */
function roundOf(
  { traffic, supervisor, wall, othersUse, requests, microseconds, errors, report, extra },
  memory,
) {
  return {
    cpuMicroseconds: (traffic * 1e6) / requests,
    supervisorMicroseconds: (supervisor * 1e6) / requests,
    requestsPerSecond: (requests * 1e6) / microseconds,
    coreUse: (traffic + supervisor) / wall,
    othersUse,
    errors,
    extra: { ...memory, ...extra },
    load: report,
  };
}
