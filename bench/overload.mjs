// @ts-check
// More load than one worker can carry: what becomes of it? bench/README.md says how to read the answer.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { benchMain } from "./bench-main.mjs";
import { othersBetween, othersTime, proxyTime } from "./cpu-time.mjs";
import { freePort } from "./free-port.mjs";
import { generate } from "./generate.mjs";
import { machine, requireTools } from "./machine.mjs";
import { NGINX_TEMPORARY_PATHS, nginxArguments, nginxPreamble } from "./nginx-conf.mjs";
import { commandLine, UsageError } from "./command-line.mjs";
import { overloadReservations, overloadTable } from "./overload-report.mjs";
import { prepareHalftone } from "./proxies/halftone.mjs";
import { ReadyProbe } from "./ready-probe.mjs";
import { waitForAnswer } from "./wait-for-answer.mjs";

const GATEWAY_CORE = 0;
const LOAD_CORE = 1;
const PLAIN_SERVER = fileURLToPath(new URL("plain-upstream.mjs", import.meta.url));
const SPINNER = fileURLToPath(new URL("spinner.mjs", import.meta.url));
/** Of the open loop: kept from the start, and with those that are opened when all are busy. */
const KEPT_CONNECTIONS = 1000;
const MAX_CONNECTIONS = 2000;

/**
 * @typedef {object} Case
 * @property {string} id
 * @property {string} title
 * @property {number} neighbours programs that spin on the gateway's core
 * @property {Record<string, unknown>} limits
 * @property {readonly number[]} concurrency tried in search of the peak
 * @property {string} path
 * @property {readonly [delay: number, chunks: number] | undefined} server what plain-upstream.mjs is told; undefined: nginx
 * @property {boolean} [onRequest] only if asked for by --only
 */

/** @type {readonly Case[]} */
const CASES = [
  {
    id: "limit",
    title: "100 requests at a time, answers after 20 ms",
    neighbours: 0,
    limits: { requests: 100 },
    concurrency: [50, 100],
    path: "/",
    server: [20, 0],
  },
  {
    id: "chunks",
    title: "answers in 12000 chunks, which cost the gateway more than client and server",
    neighbours: 0,
    limits: {},
    concurrency: [16, 64],
    path: "/",
    server: [0, 12000],
  },
  {
    id: "small",
    title: "100-byte answers, a quarter of a core",
    neighbours: 3,
    limits: {},
    concurrency: [16, 64, 256],
    path: "/",
    server: undefined,
    onRequest: true,
  },
  {
    id: "large",
    title: "256 KiB answers, a quarter of a core",
    neighbours: 3,
    limits: {},
    concurrency: [16, 64, 256],
    path: "/large",
    server: undefined,
    onRequest: true,
  },
];

const USAGE = `npm run bench:overload -- [options]
  --rounds N     rounds of every case (3)
  --seconds N    measured time of a load (6)
  --warm-up N    seconds of load before it, not measured (3)
  --times LIST   multiples of the peak, in per cent (300)
  --only IDS     of ${CASES.map(({ id }) => id).join(",")}
  --json FILE    writes every round there
`;

function readOverloadOptions() {
  const { help, text, whole } = commandLine(["rounds", "seconds", "warm-up", "times", "only", "json"]);
  const wanted = text("only")?.split(",");
  for (const id of wanted ?? []) {
    if (!CASES.some((known) => known.id === id)) throw new UsageError(`--only: no case is called "${id}"`);
  }
  const times = (text("times") ?? "300").split(",").map((one) => Number(one) / 100);
  if (!times.every((one) => one > 0)) throw new UsageError(`--times: expected numbers above 0`);
  return {
    help,
    rounds: whole("rounds", 3, 1),
    seconds: whole("seconds", 6, 1),
    warmUp: whole("warm-up", 3, 0),
    times,
    cases: CASES.filter(({ id, onRequest }) => wanted?.includes(id) ?? onRequest !== true),
    json: text("json"),
  };
}

/**
 * @typedef {object} Overload
 * @property {number} times the peak
 * @property {import("./generate.mjs").GeneratorReport} load
 * @property {import("./ready-probe.mjs").ReadyReport} ready
 * @property {number} coreUse of the gateway's worker
 * @property {number} othersUse CPU time other programs used meanwhile, on any core, in cores
 */
/**
 * @typedef {object} OverloadRound
 * @property {number} peak answers 200 a second, the best of the closed loops
 * @property {number} concurrency at which it was
 * @property {number} peakCoreUse of the generator
 * @property {readonly Overload[]} overloads
 */

/**
 * @param {import("./children.mjs").Children} children
 * @param {string} folder
 * @param {Case} what
 */
async function startServer(children, folder, what) {
  const address = "127.0.4.1";
  const port = await freePort(address);
  const server = `${address}:${port}`;
  if (what.server !== undefined) {
    const args = [PLAIN_SERVER, address, String(port), ...what.server.map(String)];
    return {
      server,
      child: children.start({ name: server, cores: [LOAD_CORE], command: process.execPath, args }),
    };
  }
  const prefix = join(folder, "server");
  mkdirSync(prefix);
  writeFileSync(join(prefix, "large"), Buffer.alloc(256 * 1024, "halftone "));
  writeFileSync(
    join(prefix, "nginx.conf"),
    `${nginxPreamble(MAX_CONNECTIONS)}
http {
  access_log off;
  ${NGINX_TEMPORARY_PATHS}
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  sendfile on;
  open_file_cache max=10;
  server {
    listen ${server} backlog=4096;
    root ${prefix};
    location = / { return 200 "${"halftone ".repeat(12).slice(0, 100)}"; }
  }
}
`,
  );
  return {
    server,
    child: children.start({
      name: server,
      cores: [LOAD_CORE],
      command: "nginx",
      args: nginxArguments(prefix),
    }),
  };
}

/**
 * One case from start to end: a new gateway, its peak, then the overloads.
 * @param {import("./children.mjs").Children} children
 * @param {string} folder
 * @param {Case} what
 * @param {ReturnType<typeof readOverloadOptions>} options
 * @returns {Promise<OverloadRound>}
 */
async function measureCase(children, folder, what, { seconds, warmUp, times }) {
  mkdirSync(folder);
  const { server, child } = await startServer(children, folder, what);
  const { command, args, port, adminPort } = await prepareHalftone({ folder, servers: [server] }, 1, {
    limits: what.limits,
  });
  const gateway = children.start({ name: "halftone", cores: [GATEWAY_CORE], command, args, cwd: folder });
  await waitForAnswer(gateway, port, what.path);
  const neighbours = Array.from({ length: what.neighbours }, (_, n) =>
    children.start({
      name: `spinner ${n}`,
      cores: [GATEWAY_CORE],
      command: process.execPath,
      args: [SPINNER],
    }),
  );

  let best = { peak: 0, concurrency: 0, peakCoreUse: 0 };
  for (const connections of what.concurrency) {
    const load = await generate(children, LOAD_CORE, {
      port,
      path: what.path,
      rate: 0,
      connections,
      warmUp,
      seconds,
    });
    const peak = load.ok / load.seconds;
    if (peak > best.peak) best = { peak, concurrency: connections, peakCoreUse: load.coreUse };
  }
  const overloads = [];
  for (const multiple of times) {
    const probe = new ReadyProbe(adminPort);
    const before = proxyTime(gateway.pid);
    const othersBefore = othersTime(children.groups);
    const started = performance.now();
    const load = await generate(children, LOAD_CORE, {
      port,
      path: what.path,
      rate: best.peak * multiple,
      connections: KEPT_CONNECTIONS,
      maxConnections: MAX_CONNECTIONS,
      warmUp,
      seconds,
    });
    const wall = (performance.now() - started) / 1000;
    const coreUse = (proxyTime(gateway.pid).traffic - before.traffic) / wall;
    const othersUse = othersBetween(othersBefore, othersTime(children.groups)) / wall;
    overloads.push({ times: multiple, load, ready: await probe.stop(), coreUse, othersUse });
  }
  await waitForAnswer(gateway, port, what.path);
  await Promise.all([...neighbours, gateway, child].map((one) => children.end(one)));
  return { ...best, overloads };
}

await benchMain(USAGE, async (children, folder) => {
  const options = readOverloadOptions();
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  requireTools(["nginx"], true);
  const host = machine();
  process.stdout.write(
    `${Object.entries(host)
      .map(([name, value]) => `${name} ${value}`)
      .join(" · ")}\n`,
  );
  process.stdout.write(`${options.rounds} rounds, ${options.seconds} s each after ${options.warmUp} s\n`);
  const rows = options.cases.map(({ id, title }) => ({
    id,
    title,
    rounds: /** @type {OverloadRound[]} */ ([]),
  }));
  for (let round = 1; round <= options.rounds; round++) {
    for (const [index, what] of options.cases.entries()) {
      const result = await measureCase(children, join(folder, `${what.id}-${round}`), what, options);
      rows[index]?.rounds.push(result);
      for (const { times, load } of result.overloads) {
        const goodput = load.ok / load.seconds;
        process.stderr.write(
          `round ${round}  ${what.id.padEnd(6)} peak ${result.peak.toFixed(0)}/s, at ${times} times ${goodput.toFixed(0)}/s\n`,
        );
      }
    }
  }
  process.stdout.write(`\n${overloadTable(rows)}\n`);
  const reservations = overloadReservations(rows);
  for (const reservation of reservations) process.stdout.write(`! ${reservation}\n`);
  if (options.json !== undefined) {
    writeFileSync(
      options.json,
      `${JSON.stringify({ at: new Date().toISOString(), machine: host, rows }, undefined, 2)}\n`,
    );
  }
  return reservations.length === 0 ? 0 : 1;
});
