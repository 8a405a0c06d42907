// @ts-check
// CPU time per request of Halftone and of nginx doing the same work. bench/README.md says how to read the answer.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Children } from "./children.mjs";
import { machine, requireTools } from "./machine.mjs";
import { LOAD_CORE, measureRound } from "./measure-round.mjs";
import { USAGE, UsageError, readOptions } from "./options.mjs";
import { reservations, summarise, table } from "./report.mjs";
import { startUpstreams } from "./upstream.mjs";

/**
 * @param {Children} children
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

/** @returns {Promise<number>} the exit code */
async function main() {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  requireTools(options);
  const children = new Children();
  const folder = mkdtempSync(join(tmpdir(), "halftone-bench-"));
  process.once("exit", () => {
    children.killAll();
    rmSync(folder, { recursive: true, force: true });
  });
  /** @type {Promise<number>} */
  const stopped = new Promise((resolve) => {
    for (const [signal, code] of /** @type {const} */ ([
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ])) {
      // The first asks for an orderly end; the next does not wait for it, and the exit handler kills what is left.
      process.once(signal, () => {
        resolve(code);
        process.on(signal, () => process.exit(code));
      });
    }
  });
  try {
    return await Promise.race([run(children, folder, options), stopped]);
  } finally {
    await children.close();
  }
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`bench: ${/** @type {Error} */ (error).message}\n`);
  if (error instanceof UsageError) process.stderr.write(USAGE);
  process.exit(error instanceof UsageError ? 2 : 1);
}
