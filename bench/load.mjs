// @ts-check
import { writeFileSync } from "node:fs";
import { join } from "node:path";

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

/** wrk calls done() once, after the run: a request costs nothing more for it. */
const REPORT_SCRIPT = `function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\nreport {"requests":%d,"microseconds":%d,"bytes":%d,"p50":%d,"p99":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}\\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.timeout, e.status))
end
`;
/** A large answer that shares a core with fifteen others takes its time. */
const TIMEOUT = "20s";

/**
 * Drives closed-loop load: one thread, each connection sends its next request when it has the answer.
 * @param {Pick<import("./arena.mjs").Arena, "children" | "folder" | "loadCore" | "target" | "load" | "connections">} arena
 * @param {number} seconds
 * @returns {Promise<LoadReport>}
 */
export async function drive({ children, folder, loadCore, target, load, connections }, seconds) {
  const script = join(folder, "load.lua");
  writeFileSync(script, requestScript(load) + REPORT_SCRIPT);
  const headers = Object.entries({ ...load.headers, Host: target.host });
  const args = [
    "-t1",
    `-c${connections}`,
    `-d${seconds}s`,
    "--timeout",
    TIMEOUT,
    ...headers.flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    "-s",
    script,
    `${target.tls ? "https" : "http"}://127.0.0.1:${target.port}${load.path}`,
  ];
  const wrk = children.start({ name: "wrk", cores: [loadCore], command: "wrk", args });
  const code = await wrk.exited;
  await children.end(wrk);
  const report = /^report (\{.*\})$/m.exec(wrk.stdout())?.[1];
  if (code !== 0 || report === undefined) throw new Error(`wrk failed (exit code ${code}):\n${wrk.output()}`);
  return /** @type {LoadReport} */ (JSON.parse(report));
}

/**
 * The request is the same each time, and wrk makes it once, unless there are several clients.
 * @param {import("./loads/work-load.mjs").WorkLoad} load
 */
function requestScript({ method, requestBytes, clients }) {
  const lines = method === undefined ? [] : [`wrk.method = "${method}"`];
  if (requestBytes !== undefined) lines.push(`wrk.body = string.rep("x", ${requestBytes})`);
  if (clients !== undefined) {
    lines.push("function request()", `  wrk.headers.Cookie = "uid=" .. math.random(${clients})`);
    lines.push("  return wrk.format()", "end");
  }
  return lines.map((line) => `${line}\n`).join("");
}
