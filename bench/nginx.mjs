// @ts-check
// CPU time per request of Halftone and of nginx doing the same work. bench/README.md says how to read the answer.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchMain } from "./bench-main.mjs";
import { machine, requireTools } from "./machine.mjs";
import { LOAD_CORE, measureRound } from "./measure-round.mjs";
import { USAGE, readOptions } from "./options.mjs";
import { reservations, summarise, table } from "./report.mjs";
import { startUpstreams } from "./upstream.mjs";

/**
 * @param {import("./children.mjs").Children} children
 * @param {string} folder
 * @param {import("./options.mjs").Options} options
 */
async function run(children, folder, options) {
  const { rounds, seconds, warmUp, connections, proxies } = options;
  const host = machine();
  const facts = Object.entries(host).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(`${facts.join(" · ")}\n`);
  process.stdout.write(`${rounds} rounds of ${seconds} s after ${warmUp} s, ${connections} connections\n\n`);
  const servers = await startUpstreams(children, { folder, core: LOAD_CORE, connections });
  const rows = proxies.map(({ id, title }) => ({
    id,
    title,
    rounds: /** @type {import("./report.mjs").Round[]} */ ([]),
  }));
  for (let i = 1; i <= rounds; i++) {
    for (const [index, proxy] of proxies.entries()) {
      const round = await measureRound(children, proxy, join(folder, `${proxy.id}-${i}`), servers, options);
      rows[index]?.rounds.push(round);
      process.stderr.write(
        `round ${i}  ${proxy.title.padEnd(22)} ${round.cpuMicroseconds.toFixed(1)} µs, ` +
          `${round.requestsPerSecond.toFixed(0)} requests/s, ${round.errors} errors\n`,
      );
    }
  }
  const summary = summarise(rows);
  process.stdout.write(`\n${table(summary)}\n`);
  for (const reservation of reservations(summary)) process.stdout.write(`! ${reservation}\n`);
  if (options.json !== undefined) {
    const at = new Date().toISOString();
    const document = { at, machine: host, settings: { rounds, seconds, warmUp, connections }, summary, rows };
    writeFileSync(options.json, `${JSON.stringify(document, undefined, 2)}\n`);
  }
  return summary.every((row) => row.errors === 0) ? 0 : 1;
}

await benchMain(USAGE, async (children, folder) => {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  requireTools(
    ["nginx", "wrk"],
    options.proxies.some((proxy) => proxy.id.startsWith("halftone")),
  );
  return await run(children, folder, options);
});
