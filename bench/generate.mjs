// @ts-check
import { fileURLToPath } from "node:url";

const GENERATOR = fileURLToPath(new URL("load-generator.mjs", import.meta.url));

/**
 * Latencies in ms; null if there were none.
 * @typedef {object} Quantiles
 * @property {number} count
 * @property {number | null} p50
 * @property {number | null} p99
 * @property {number | null} p999
 * @property {number | null} max
 */
/**
 * What load-generator.mjs counted.
 * @typedef {object} GeneratorReport
 * @property {number} seconds
 * @property {number} sent due in the measured time, and sent
 * @property {number} unsent due, but more connections than allowed were busy
 * @property {number} ok answered 200 in the measured time
 * @property {number} rejected answered 503 with Retry-After
 * @property {number} bareRejected answered 503 without it
 * @property {number} otherStatus
 * @property {number} failed reset, refused or ended before the answer's end
 * @property {number} unanswered when the patience was over
 * @property {number} bytes read
 * @property {Record<string, number>} failures by reason
 * @property {number} opened connections after the start
 * @property {Quantiles} okLatency from the time a request was due
 * @property {Quantiles} rejectedLatency
 * @property {Quantiles} lateness of the generator, in sending what was due
 * @property {number} coreUse of the generator, 0 to 1
 */

/**
 * Runs the generator on a core.
 * @param {import("./children.mjs").Children} children
 * @param {number} core
 * @param {{ port: number, path: string, rate: number, connections: number, maxConnections?: number, warmUp: number, seconds: number, patience?: number }} load
 * @returns {Promise<GeneratorReport>}
 */
export async function generate(children, core, load) {
  const options = { host: "127.0.0.1", maxConnections: load.connections, patience: 2, ...load };
  const args = [GENERATOR, JSON.stringify(options)];
  const generator = children.start({
    name: "load generator",
    cores: [core],
    command: process.execPath,
    args,
  });
  const code = await generator.exited;
  await children.end(generator);
  const report = /^report (\{.*\})$/m.exec(generator.stdout())?.[1];
  if (code !== 0 || report === undefined) {
    throw new Error(`the load generator failed (exit code ${code}):\n${generator.output()}`);
  }
  return /** @type {GeneratorReport} */ (JSON.parse(report));
}
