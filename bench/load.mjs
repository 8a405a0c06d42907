// @ts-check
import { fileURLToPath } from "node:url";

const REPORT_SCRIPT = fileURLToPath(new URL("load-report.lua", import.meta.url));

/**
 * What wrk counted. `status` counts answers other than 2xx and 3xx, which are in `requests` too.
 * @typedef {object} LoadReport
 * @property {number} requests answered
 * @property {number} microseconds
 * @property {number} bytes
 * @property {number} p50 latency, µs
 * @property {number} p99 latency, µs
 * @property {{ connect: number, read: number, write: number, timeout: number, status: number }} errors
 */

/**
 * Drives keep-alive load at a URL: one thread, each connection sends its next request when it has the answer.
 * @param {import("./children.mjs").Children} children
 * @param {{ url: string, core: number, connections: number, seconds: number }} load
 * @returns {Promise<LoadReport>}
 */
export async function drive(children, { url, core, connections, seconds }) {
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", REPORT_SCRIPT, url];
  const wrk = children.start({ name: "wrk", core, command: "wrk", args });
  const code = await wrk.exited;
  await children.end(wrk);
  const report = /^report (\{.*\})$/m.exec(wrk.stdout())?.[1];
  if (code !== 0 || report === undefined) throw new Error(`wrk failed (exit code ${code}):\n${wrk.output()}`);
  return /** @type {LoadReport} */ (JSON.parse(report));
}
