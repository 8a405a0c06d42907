// @ts-check
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { errorsOf, openLoop, withReadings } from "../arena.mjs";
import { memoryOf } from "../memory.mjs";
import { BODY } from "../upstream.mjs";

const SWARM = fileURLToPath(new URL("../idle-swarm.mjs", import.meta.url));
const WANTED_CONNECTIONS = 10_000;
/** Gateways keep descriptors back for connections to servers; Halftone a little more than half of all. */
const SHARE_OF_DESCRIPTORS = 0.4;
const IDLE_CONNECTIONS = Math.min(WANTED_CONNECTIONS, Math.floor(descriptorLimit() * SHARE_OF_DESCRIPTORS));
/** Far below what any of them carries. */
const RATE = 1000;
/** A burst after a stall finds connections. */
const MAX_CONNECTIONS = 256;
const ARRIVAL_MS = 60_000;

/**
 * Many clients that have asked once and say nothing more: what each costs in memory, and whether the others
 * notice.
 * @type {import("./work-load.mjs").WorkLoad}
 */
export const idle = {
  id: "idle",
  title: `1,000 requests a second beside ${IDLE_CONNECTIONS.toLocaleString("en")} idle connections`,
  path: "/",
  length: BODY.length,
  connections: 16,
  standing: IDLE_CONNECTIONS,
  openLoop: true,
  columns: [
    { key: "kibPerConnection", title: "RSS KiB/connection", digits: 1 },
    { key: "p99Without", title: "p99 without, ms", digits: 2 },
    { key: "p99With", title: "p99 with, ms", digits: 2 },
    { key: "lost", title: "idle ones lost", digits: 0 },
  ],
  reservations: (rounds) => {
    const lost = Math.max(...rounds.map(({ extra }) => extra["lost"] ?? 0));
    const found = lost > 0 ? [`${lost} of the idle connections were closed before the end`] : [];
    if (IDLE_CONNECTIONS < WANTED_CONNECTIONS) {
      found.push(
        `only ${IDLE_CONNECTIONS} idle connections: a process may open ${descriptorLimit()} files here`,
      );
    }
    return found;
  },
  measure: async (arena) => {
    const { children, loadCore, proxy, target } = arena;
    const small = () => openLoop(arena, { rate: RATE, maxConnections: MAX_CONNECTIONS, warmUp: 1 });
    const without = await small();
    const before = memoryOf(proxy.pid).resident;
    const args = [SWARM, JSON.stringify({ port: target.port, count: IDLE_CONNECTIONS })];
    const swarm = children.start({
      name: "idle clients",
      cores: [loadCore],
      command: process.execPath,
      args,
    });
    const deadline = Date.now() + ARRIVAL_MS;
    while (!swarm.stdout().includes("complete")) {
      if (!swarm.running() || Date.now() > deadline) {
        throw new Error(`the idle clients did not come: ${swarm.output()}`);
      }
      await pause(50);
    }
    const after = memoryOf(proxy.pid).resident;
    const { result: report, ...readings } = await withReadings(arena, small);
    await children.end(swarm);
    const lost = Number(/^lost (\d+)$/m.exec(swarm.stdout())?.[1] ?? NaN);
    return {
      ...readings,
      // The generator's warm-up is in the CPU time: its requests have to be counted too.
      requests: report.ok + RATE,
      microseconds: (report.seconds + 1) * 1e6,
      errors: errorsOf(report) + errorsOf(without),
      report: { without, with: report },
      extra: {
        kibPerConnection: ((after - before) * 1024) / IDLE_CONNECTIONS,
        p99Without: without.okLatency.p99 ?? NaN,
        p99With: report.okLatency.p99 ?? NaN,
        lost,
      },
    };
  },
};

/** Node.js has raised its own limit to the most that is allowed; children inherit that. */
function descriptorLimit() {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  return soft === "unlimited" ? Infinity : Number(soft);
}
