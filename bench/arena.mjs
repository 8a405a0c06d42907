// @ts-check
import { generate } from "./generate.mjs";
import { othersBetween, othersTime, proxyTime } from "./cpu-time.mjs";

/**
 * @typedef {object} Target where requests go
 * @property {number} port
 * @property {boolean} tls
 * @property {string} host sent as Host
 */
/**
 * @typedef {object} Arena all that a measure needs while its proxy runs
 * @property {import("./children.mjs").Children} children
 * @property {string} folder of this round
 * @property {number} loadCore
 * @property {import("./children.mjs").Child} proxy
 * @property {Target} target
 * @property {import("./loads/work-load.mjs").WorkLoad} load
 * @property {number} connections
 * @property {number} seconds
 * @property {number} rate requests a second, for loads at a rate
 */
/**
 * @typedef {object} Readings taken before and after
 * @property {number} traffic CPU seconds of the processes that carry traffic
 * @property {number} supervisor CPU seconds of the process above them
 * @property {number} wall seconds
 * @property {number} othersUse CPU time that other programs used meanwhile, in cores
 */
/**
 * @typedef {Readings & { requests: number, microseconds: number, errors: number, report: unknown, extra: Record<string, number> }} Measured
 */

/**
 * @template T
 * @param {Pick<Arena, "children" | "proxy">} arena
 * @param {() => Promise<T>} action
 * @returns {Promise<Readings & { result: T }>}
 */
export async function withReadings({ children, proxy }, action) {
  const othersBefore = othersTime(children.groups);
  const before = proxyTime(proxy.pid);
  const started = performance.now();
  const result = await action();
  const wall = (performance.now() - started) / 1000;
  const after = proxyTime(proxy.pid);
  const othersAfter = othersTime(children.groups);
  if (after.workers !== before.workers) throw new Error(`${proxy.name} replaced a worker during the round`);
  return {
    traffic: after.traffic - before.traffic,
    supervisor: after.supervisor - before.supervisor,
    wall,
    othersUse: othersBetween(othersBefore, othersAfter) / wall,
    result,
  };
}

/**
 * Requests at a rate, for the seconds of a round.
 * @param {Arena} arena
 * @param {{ rate: number, maxConnections: number, warmUp: number }} how
 */
export async function openLoop({ children, loadCore, target, load, connections, seconds }, how) {
  return await generate(children, loadCore, {
    port: target.port,
    path: load.path,
    connections,
    seconds,
    ...how,
  });
}

/**
 * All that was not answered 200.
 * @param {import("./generate.mjs").GeneratorReport} report
 */
export function errorsOf({ rejected, bareRejected, otherStatus, failed, unanswered, unsent }) {
  return rejected + bareRejected + otherStatus + failed + unanswered + unsent;
}
