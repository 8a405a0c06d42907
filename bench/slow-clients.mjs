// @ts-check
// Two thousand slow clients beside normal load: do the others notice? bench/README.md says how to read the answer.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { benchMain } from "./bench-main.mjs";
import { othersBetween, othersTime, proxyTime } from "./cpu-time.mjs";
import { freePort } from "./free-port.mjs";
import { generate } from "./generate.mjs";
import { machine, requireTools } from "./machine.mjs";
import { MemoryRecord } from "./memory-record.mjs";
import { NGINX_TEMPORARY_PATHS, nginxArguments, nginxPreamble } from "./nginx-conf.mjs";
import { commandLine } from "./command-line.mjs";
import { prepareHalftone } from "./proxies/halftone.mjs";
import { prepareNginx } from "./proxies/nginx.mjs";
import { LIMITS } from "./slow-limits.mjs";
import { slowReport, slowReservations } from "./slow-report.mjs";
import { waitForAnswer } from "./wait-for-answer.mjs";

const GATEWAY_CORE = 0;
const LOAD_CORE = 1;
const SWARM = fileURLToPath(new URL("slow-swarm.mjs", import.meta.url));
/** More than buffers on the way can hold. */
const LARGE = 16 * 1024 * 1024;
/** What server and peer are made for: the slow ones, and far more of the others than there are. */
const CONNECTIONS = 8000;

const USAGE = `npm run bench:slow -- [options]
  --clients N    slow clients at any time (2000)
  --rate N       requests a second of the others (1500)
  --cycles N     times without and with the slow ones (2)
  --quiet N      seconds without them (10)
  --attack N     seconds with them (70)
  --beside-nginx the same with nginx as the gateway, for comparison
  --json FILE    writes everything there
`;

/**
 * @typedef {object} Phase
 * @property {"without" | "with"} name
 * @property {import("./generate.mjs").GeneratorReport} load of the others
 * @property {number} coreUse of the gateway's worker
 * @property {number} othersUse CPU time other programs used meanwhile, on any core, in cores
 * @property {number} from ms of this process's clock, as in the memory record
 * @property {number} to
 */
/**
 * @typedef {object} SwarmReport
 * @property {Record<string, { came: number, left: number, ends: Record<string, number>, p50: number, longest: number }>} kinds
 * @property {number} goneAfter seconds from the last arrival until all were gone
 */

/**
 * @param {import("./children.mjs").Children} children
 * @param {string} folder
 * @returns {Promise<string>}
 */
async function startServer(children, folder) {
  const address = "127.0.4.1";
  const port = await freePort(address);
  mkdirSync(folder);
  writeFileSync(join(folder, "large"), Buffer.alloc(LARGE, "halftone "));
  writeFileSync(
    join(folder, "nginx.conf"),
    `${nginxPreamble(CONNECTIONS)}
http {
  access_log off;
  ${NGINX_TEMPORARY_PATHS}
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_timeout 1h;
  send_timeout 1h;
  sendfile on;
  server {
    listen ${address}:${port} backlog=4096;
    root ${folder};
    location = / { return 200 "${"halftone ".repeat(12).slice(0, 100)}"; }
    # Takes in the whole body before it finds nobody there.
    location = /sink { proxy_pass http://127.0.0.1:1; }
  }
}
`,
  );
  children.start({ name: "server", cores: [LOAD_CORE], command: "nginx", args: nginxArguments(folder) });
  return `${address}:${port}`;
}

/**
 * nginx with the same limits, as far as it has them: it knows no least rate of a body, only a longest pause within it.
 * @param {string} folder
 * @param {string} server
 * @returns {Promise<import("./proxies/proxy.mjs").Command>}
 */
async function prepareNginxPeer(folder, server) {
  const http = `client_header_timeout ${LIMITS.header}s;
  client_body_timeout ${LIMITS.idle}s;
  send_timeout ${LIMITS.idle}s;`;
  const context = { folder, servers: [server], connections: CONNECTIONS, tls: undefined };
  return await prepareNginx(context, { upstream: `server ${server};`, http });
}

/**
 * @param {import("./children.mjs").Children} children
 * @param {string} folder
 * @param {"halftone" | "nginx"} kind
 * @param {{ clients: number, rate: number, cycles: number, quiet: number, attack: number }} options
 */
async function measure(children, folder, kind, { clients, rate, cycles, quiet, attack }) {
  mkdirSync(folder);
  const server = await startServer(children, join(folder, "server"));
  const { command, args, port } =
    kind === "nginx"
      ? await prepareNginxPeer(folder, server)
      : await prepareHalftone({ folder, servers: [server] }, 1, {
          timeouts: { header: `${LIMITS.header}s`, idle: `${LIMITS.idle}s` },
        });
  const gateway = children.start({ name: kind, cores: [GATEWAY_CORE], command, args, cwd: folder });
  await waitForAnswer(gateway, port, "/");
  const memory = new MemoryRecord(gateway.pid);
  const normal = { port, path: "/", rate, connections: 64, maxConnections: 1000, warmUp: 2 };

  /** @type {(name: Phase["name"], seconds: number) => Promise<Phase>} */
  const phase = async (name, seconds) => {
    const before = proxyTime(gateway.pid);
    const othersBefore = othersTime(children.groups);
    const from = performance.now();
    const load = await generate(children, LOAD_CORE, { ...normal, seconds });
    const to = performance.now();
    const wall = (to - from) / 1000;
    const coreUse = (proxyTime(gateway.pid).traffic - before.traffic) / wall;
    process.stderr.write(`${name.padEnd(8)} p99 ${load.okLatency.p99?.toFixed(1)} ms\n`);
    return {
      name,
      load,
      coreUse,
      othersUse: othersBetween(othersBefore, othersTime(children.groups)) / wall,
      from,
      to,
    };
  };

  // What the JIT does in its first seconds is not what slow clients do.
  await generate(children, LOAD_CORE, { ...normal, seconds: 5 });
  /** @type {Phase[]} */
  const phases = [];
  /** @type {SwarmReport[]} */
  const swarms = [];
  for (let cycle = 0; cycle < cycles; cycle++) {
    phases.push(await phase("without", quiet));
    const swarm = startSwarm(children, { port, count: clients, everyMs: 500, patience: 30 });
    while (!swarm.stdout().includes("complete")) await pause(50);
    phases.push(await phase("with", attack));
    swarms.push(await stopSwarm(children, swarm));
  }
  await waitForAnswer(gateway, port, "/");
  await children.end(gateway);
  return { phases, swarms, samples: memory.stop() };
}

/**
 * @param {import("./children.mjs").Children} children
 * @param {{ port: number, count: number, everyMs: number, patience: number }} options
 */
function startSwarm(children, options) {
  const args = [SWARM, JSON.stringify(options)];
  return children.start({ name: "slow clients", cores: [LOAD_CORE], command: process.execPath, args });
}

/**
 * @param {import("./children.mjs").Children} children
 * @param {import("./children.mjs").Child} swarm
 * @returns {Promise<SwarmReport>}
 */
async function stopSwarm(children, swarm) {
  if (swarm.running()) process.kill(swarm.pid, "SIGUSR2");
  await swarm.exited;
  await children.end(swarm);
  const report = /^report (\{.*\})$/m.exec(swarm.stdout())?.[1];
  if (report === undefined) throw new Error(`the slow clients failed:\n${swarm.output()}`);
  return /** @type {SwarmReport} */ (JSON.parse(report));
}

await benchMain(USAGE, async (children, folder) => {
  const { help, text, whole, flag } = commandLine(
    ["clients", "rate", "cycles", "quiet", "attack", "json"],
    ["beside-nginx"],
  );
  if (help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options = {
    clients: whole("clients", 2000, 3),
    rate: whole("rate", 1500, 1),
    cycles: whole("cycles", 2, 1),
    quiet: whole("quiet", 10, 1),
    attack: whole("attack", 70, 1),
  };
  requireTools(["nginx"], true);
  const host = machine();
  const facts = Object.entries(host).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(`${facts.join(" · ")}\n`);
  process.stdout.write(
    `${options.clients} slow clients beside ${options.rate} requests/s; ` +
      `timeouts.header ${LIMITS.header} s, timeouts.idle ${LIMITS.idle} s, limits.bodyRate 100 B/s\n`,
  );
  const result = await measure(children, join(folder, "halftone"), "halftone", options);
  process.stdout.write(`\n${slowReport(result)}\n`);
  const nginx = flag("beside-nginx")
    ? await measure(children, join(folder, "nginx"), "nginx", options)
    : undefined;
  if (nginx !== undefined) process.stdout.write(`\nnginx as the gateway:\n${slowReport(nginx)}\n`);
  const reservations = slowReservations(result);
  for (const reservation of reservations) process.stdout.write(`! ${reservation}\n`);
  if (text("json") !== undefined) {
    const document = { at: new Date().toISOString(), machine: host, options, ...result, nginx };
    writeFileSync(String(text("json")), `${JSON.stringify(document, undefined, 2)}\n`);
  }
  return reservations.length === 0 ? 0 : 1;
});
