// @ts-check
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/**
 * CPU time in seconds since their start, user and system, all threads (garbage collector and JIT included).
 * @typedef {object} ProxyTime
 * @property {number} traffic of the processes that carry traffic: the workers, or the only process there is
 * @property {number} supervisor of the process above the workers; 0 if there are none
 * @property {string} workers their pids: two readings with different workers cannot be subtracted
 */

/**
 * Reads the CPU time of a proxy: utime and stime of proc(5). The times of waited-for children are not in them.
 * @param {number} rootPid
 * @returns {ProxyTime}
 */
export function proxyTime(rootPid) {
  const root = processStat(rootPid);
  if (root === undefined) throw new Error(`the proxy's process ${rootPid} is gone`);
  const workers = processes().filter((stat) => stat.parent === rootPid);
  if (workers.length === 0) return { traffic: root.seconds, supervisor: 0, workers: String(rootPid) };
  return {
    traffic: workers.reduce((sum, worker) => sum + worker.seconds, 0),
    supervisor: root.seconds,
    workers: workers.map((worker) => worker.pid).join(),
  };
}

/** @typedef {ReadonlyMap<number, { seconds: number, reapedSeconds: number }>} OthersReading by pid */

/**
 * CPU time that programs which are not part of this run have used, on any core, and that of the children they reaped. The
 * kernel's own threads, which work for the load too, are left out.
 * @param {ReadonlySet<number>} ownGroups process groups of this run
 * @returns {OthersReading}
 */
export function othersTime(ownGroups) {
  return new Map(
    processes()
      .filter((stat) => stat.pid !== process.pid && stat.group !== 0 && !ownGroups.has(stat.group))
      .map(({ pid, seconds, reapedSeconds }) => [pid, { seconds, reapedSeconds }]),
  );
}

/**
 * CPU seconds between two readings, at least. What ended meanwhile counts through whoever reaped it, less what it had used
 * before; that may be nobody, which must not make the others' time less.
 * @param {OthersReading} before
 * @param {OthersReading} after
 */
export function othersBetween(before, after) {
  let [alive, reaped] = [0, 0];
  for (const [pid, stat] of after) {
    const earlier = before.get(pid) ?? { seconds: 0, reapedSeconds: 0 };
    alive += Math.max(0, stat.seconds - earlier.seconds);
    reaped += Math.max(0, stat.reapedSeconds - earlier.reapedSeconds);
  }
  for (const [pid, { seconds, reapedSeconds }] of before) {
    if (!after.has(pid)) reaped -= seconds + reapedSeconds;
  }
  return alive + Math.max(0, reaped);
}

/**
 * @param {number} pid
 * @returns {number[]}
 */
export function childrenOf(pid) {
  return processes()
    .filter((stat) => stat.parent === pid)
    .map((stat) => stat.pid);
}

function processes() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processStat(Number(name)))
    .filter((stat) => stat !== undefined);
}

/** @param {number} pid */
function processStat(pid) {
  let text;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The command's name may hold spaces and parentheses: what follows the last one starts with field 3 of proc(5).
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  /** @type {(number: number) => number} */
  const field = (number) => Number(fields[number - 3]);
  return {
    pid,
    parent: field(4),
    group: field(5),
    seconds: (field(14) + field(15)) / TICKS_PER_SECOND,
    reapedSeconds: (field(16) + field(17)) / TICKS_PER_SECOND,
  };
}
