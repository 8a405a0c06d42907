// @ts-check
import { readFileSync, writeFileSync } from "node:fs";
import { childrenOf } from "./cpu-time.mjs";

/**
 * Resident memory in MiB of the processes that carry traffic: the workers, or the only process there is.
 * @param {number} rootPid
 * @returns {{ resident: number, most: number }} now, and the most since forgetMost()
 */
export function memoryOf(rootPid) {
  let [resident, most] = [0, 0];
  for (const pid of carriers(rootPid)) {
    const status = statusOf(pid);
    resident += mib(status, "VmRSS");
    most += mib(status, "VmHWM");
  }
  return { resident, most };
}

/**
 * The kernel's high-water mark starts anew.
 * @param {number} rootPid
 */
export function forgetMost(rootPid) {
  // 5: proc(5), clear_refs.
  for (const pid of carriers(rootPid)) writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** @param {number} rootPid */
function carriers(rootPid) {
  const workers = childrenOf(rootPid);
  return workers.length > 0 ? workers : [rootPid];
}

/** @param {number} pid */
function statusOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    // It ended meanwhile.
    return "";
  }
}

/**
 * @param {string} status
 * @param {string} field
 */
function mib(status, field) {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1024;
}
