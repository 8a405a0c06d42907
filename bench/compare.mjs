// @ts-check
// CPU time per request of Halftone and of its peers under several work loads. bench/README.md says how to read the answer.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { benchMain } from "./bench-main.mjs";
import { makeCertificate } from "./certificate.mjs";
import { chart } from "./chart.mjs";
import { SHARE_OF_SATURATION } from "./loads/latency.mjs";
import { LOADS } from "./loads/catalogue.mjs";
import { entrantsOf } from "./loads/work-load.mjs";
import { machine, requireTools } from "./machine.mjs";
import { LOAD_CORE, measureRound } from "./measure-round.mjs";
import { provide } from "./needs.mjs";
import { USAGE, readOptions } from "./options.mjs";
import { nginx } from "./proxies/nginx.mjs";
import { reservations, summarise, table } from "./report.mjs";
import { startUpstreams } from "./upstream.mjs";

/**
 * @typedef {object} Contestant
 * @property {import("./loads/work-load.mjs").Entrant} entrant
 * @property {(import("./report.mjs").Round | undefined)[]} rounds
 * @property {string[]} failures
 */
/**
 * @typedef {object} Contest a work load with all that take part
 * @property {import("./loads/work-load.mjs").WorkLoad} load
 * @property {readonly Contestant[]} contestants
 */

/**
 * @param {import("./children.mjs").Children} children
 * @param {string} folder
 * @param {import("./options.mjs").Options} options
 */
async function run(children, folder, options) {
  const { rounds, seconds, warmUp, connections, loads, proxies } = options;
  const host = machine(proxies);
  const facts = Object.entries(host).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(`${facts.join(" · ")}\n${rounds} rounds of ${seconds} s after ${warmUp} s\n`);
  /** @type {readonly Contest[]} */
  const contests = loads.map((load) => ({
    load,
    contestants: entrantsOf(load, proxies).map((entrant) => ({ entrant, rounds: [], failures: [] })),
  }));
  const field = { children, options, ...(await prepare(children, folder, options)) };
  if (field.rate > 0) process.stdout.write(`latency at ${field.rate} requests/s\n`);
  for (let i = 1; i <= rounds; i++) {
    for (const { load, contestants } of contests) {
      for (const { entrant, ...outcome } of contestants) {
        const where = join(folder, `${load.id}-${entrant.id.replace("/", "-")}-${i}`);
        const note = `round ${i}  ${load.id.padEnd(9)} ${entrant.title.padEnd(33)}`;
        try {
          const round = await measureRound(field, load, entrant, where);
          outcome.rounds.push(round);
          const { cpuMicroseconds, requestsPerSecond, errors } = round;
          const figures = `${cpuMicroseconds.toFixed(1)} µs, ${requestsPerSecond.toFixed(0)} requests/s, ${errors} errors`;
          process.stderr.write(`${note} ${figures}\n`);
        } catch (error) {
          const { message } = /** @type {Error} */ (error);
          // One broken peer does not cost the others' figures; it costs the exit code.
          outcome.rounds.push(undefined);
          outcome.failures.push(message);
          process.stderr.write(`${note} failed: ${message}\n`);
        }
      }
    }
  }
  const settings = { rounds, seconds, warmUp, connections, rate: field.rate };
  const results = contests.map(resultOf);
  for (const { title, text } of results) process.stdout.write(`\n${title}\n${text}\n`);
  writeFiles(options, { at: new Date().toISOString(), machine: host, settings, loads: results });
  const good = results.every(({ summary }) =>
    summary.every(({ errors, failures }) => errors === 0 && failures.length === 0),
  );
  return good ? 0 : 1;
}

/**
 * What the chosen work loads need: servers, certificate, rate.
 * @param {import("./children.mjs").Children} children
 * @param {string} folder
 * @param {import("./options.mjs").Options} options
 */
async function prepare(children, folder, options) {
  const { loads } = options;
  const most = Math.max(
    ...loads.map((load) => (options.connections ?? load.connections) + (load.standing ?? 0)),
  );
  const upstreams = await startUpstreams(children, {
    folder,
    core: LOAD_CORE,
    connections: most,
    many: Math.max(0, ...loads.flatMap(({ variants }) => variants?.map(({ servers }) => servers ?? 0) ?? [])),
    huge: loads.some(({ id }) => id === "huge"),
  });
  const tls = loads.some((load) => load.tls === true) ? makeCertificate(folder) : undefined;
  const field = { upstreams, tls, rate: options.rate ?? 0 };
  const small = LOADS.find(({ id }) => id === "small");
  if (small !== undefined && field.rate === 0 && loads.some(({ atRate }) => atRate === true)) {
    const entrant = { title: nginx.title, proxy: nginx, variant: undefined };
    const round = await measureRound({ children, options, ...field }, small, entrant, join(folder, "rate"));
    field.rate = Math.round(round.requestsPerSecond * SHARE_OF_SATURATION);
    process.stdout.write(`nginx carries ${round.requestsPerSecond.toFixed(0)} requests/s\n`);
  }
  return field;
}

/** @param {Contest} contest */
function resultOf({ load, contestants }) {
  const rows = contestants.map(({ entrant: { id, title, baseline }, rounds, failures }) => ({
    id,
    title,
    baseline,
    rounds,
    failures,
  }));
  const summary = summarise(rows);
  const found = reservations(summary, load);
  for (const { title, rounds } of rows) {
    const own = load.reservations?.(rounds.filter((round) => round !== undefined)) ?? [];
    if (rounds.some((round) => round !== undefined)) found.push(...own.map((text) => `${title}: ${text}`));
  }
  const cores = Math.max(0, ...(load.variants?.flatMap(({ cores }) => cores ?? []) ?? [])) + 1;
  if (cores > cpus().length) {
    found.push(`this machine has ${cpus().length} cores: all workers shared one, which tells nothing`);
  }
  const ratioTo = load.variants?.[0]?.title ?? "nginx";
  const lines = [table(summary, { ...load, ratioTo }), ...found.map((text) => `! ${text}`)];
  return { id: load.id, title: load.title, text: lines.join("\n"), reservations: found, summary, rows };
}

/**
 * @param {import("./options.mjs").Options} options
 * @param {{ at: string, machine: Record<string, unknown>, settings: unknown, loads: readonly ReturnType<typeof resultOf>[] }} document
 */
function writeFiles({ json, svg }, document) {
  const loads = document.loads.map(({ text: _text, ...rest }) => rest);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ ...document, loads }, undefined, 2)}\n`);
  if (svg === undefined) return;
  const panels = document.loads.map(({ title, summary }) => ({
    title,
    bars: summary.filter(({ failures }) => failures.length === 0),
  }));
  const caption = `CPU µs per request of the proxy, ${String(document.machine["processor"])}, ${document.at.slice(0, 10)}`;
  writeFileSync(svg, chart(panels, caption));
}

await benchMain(USAGE, async (children, folder) => {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  provide([
    ...options.proxies.flatMap(({ needs }) => needs),
    ...(options.loads.some(({ tls }) => tls === true) ? [{ path: "openssl", debian: "openssl" }] : []),
  ]);
  requireTools(
    ["nginx", "wrk"],
    options.proxies.some(({ id }) => id.startsWith("halftone")),
  );
  // This program too keeps off the proxy's core.
  spawnSync("taskset", ["-a", "-c", "-p", String(LOAD_CORE), String(process.pid)]);
  return await run(children, folder, options);
});
