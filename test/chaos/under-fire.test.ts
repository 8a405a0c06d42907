import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../e2e/harness/free-port.ts";
import { type HalftoneProcess, startHalftone } from "../e2e/harness/halftone-process.ts";
import { openScene, type Scene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { Dice } from "./dice.ts";
import { Judge, type Verdict } from "./judge.ts";
import { MortalServer } from "./mortal-server.ts";
import { Reaper } from "./reaper.ts";
import { Swarm } from "./swarm.ts";
import { drawnOf, Switchboard } from "./switchboard.ts";

// HALFTONE_SOAK=200000 sends so many requests to each gateway and turns the switch 200 times.
const SOAK = process.env["HALFTONE_SOAK"];
const REQUESTS = SOAK === undefined ? 12_000 : Number(SOAK);
const SWITCHES = SOAK === undefined ? 30 : 200;
/** Longest a run may take, in ms. */
const PATIENCE = SOAK === undefined ? 120_000 : 15 * 60_000;
const SEED = Number(process.env["HALFTONE_SEED"] ?? Math.floor(Math.random() * 2 ** 32));

const GROUPS: readonly (readonly string[])[] = [
  ["127.0.4.41", "127.0.4.42"],
  ["127.0.4.43", "127.0.4.44"],
];
const TESTER = "127.0.0.111";
const PUBLIC = Array.from({ length: 60 }, (_, number) => `127.0.1.${number + 1}`);
/** Clients at a time: one in eight is a tester. */
const CROWD = Array.from({ length: 32 }, (_, number) => (number % 8 === 0 ? [TESTER] : PUBLIC));

const APP = "shop";
const MIB = 1024 * 1024;
/**
 * Memory a gateway may take in the last quarter of the requests. Before that a worker's heap still grows to its working
 * size: some 60,000 requests each.
 */
const GROWTH = 30 * MIB;

describe("a gateway under fire", () => {
  it.each([1, 2])(
    "of %i workers: every request is served by the right group, once, or could not have been",
    { timeout: PATIENCE + 60_000 },
    async (workers) => {
      const scene = openScene(onTestFinished);
      const groups = await startGroups(scene);
      const halftone = await startHalftone(scene, { gateway: { workers } });
      await halftone.put(APP, {
        name: APP,
        port: groups[0]![0]!.port,
        groups: { group1: { servers: GROUPS[0] }, group2: { servers: GROUPS[1] } },
        testers: [TESTER],
        // As many tries as servers, and short die times: what is left to fail then is nobody's choice of settings.
        health: { dieTime: "250ms", maxDieTime: "1s" },
        retry: { tries: 4 },
      });
      const drawn = await drawnOf(halftone, APP, PUBLIC);
      const processes = halftone.workers();

      const dice = new Dice(SEED);
      const start = performance.now();
      const board = new Switchboard(halftone, APP, dice.fork(1001));
      const reaper = new Reaper(groups, dice.fork(1002));
      const swarm = new Swarm({ port: halftone.gatewayPort, requests: REQUESTS, crowd: CROWD, dice });
      scene.defer(async () => {
        swarm.stop();
        await Promise.allSettled([swarm.done, reaper.stop()]);
      });
      let warm = 0;
      while (board.switches < SWITCHES) {
        const goal = (REQUESTS * (board.switches + 1)) / (SWITCHES + 1);
        await until(`${goal} requests`, () => swarm.shots.length >= goal, { patience: PATIENCE });
        await board.turn();
        if (warm === 0 && board.switches >= (SWITCHES * 3) / 4) warm = halftone.residentBytes();
      }
      await swarm.done;
      await reaper.stop();
      const seconds = (performance.now() - start) / 1000;
      const end = halftone.residentBytes();

      const judge = new Judge(groups, board, { testers: new Set([TESTER]), drawn });
      const verdict = await judge.judge(swarm.shots);
      report({
        seed: SEED,
        workers,
        seconds: Math.round(seconds),
        requests: swarm.shots.length,
        switches: board.switches,
        ...reaper.reaped,
        ...summary(verdict),
        tornLogs: groups.flat().reduce((sum, { torn }) => sum + torn, 0),
        warmMiB: Math.round(warm / MIB),
        endMiB: Math.round(end / MIB),
      });

      expect(verdict.violations.slice(0, 10)).toEqual([]);
      expect(swarm.shots).toHaveLength(REQUESTS);
      // Not because hardly anything was answered, or the switch was hardly ever still.
      expect(verdict.answered).toBeGreaterThan(REQUESTS * 0.9);
      expect(verdict.unambiguous).toBeGreaterThan(REQUESTS * 0.4);
      // A short run may see no kill that a request was under way to.
      if (SOAK !== undefined) expect(verdict.repeated).toBeGreaterThan(0);
      expect(groups.flat().map(({ stuck }) => stuck)).toEqual([0, 0, 0, 0]);
      expect(end - warm).toBeLessThan(GROWTH);
      await expectPeace(halftone);
      expect(halftone.workers()).toEqual(processes);
      expect(halftone.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
      expect(halftone.output).not.toMatch(/uncaught|unhandled|\n\s+at .*:\d+:\d+/i);
    },
  );
});

async function startGroups(scene: Scene): Promise<readonly (readonly MortalServer[])[]> {
  const folder = await scene.folder();
  const port = await freePort(...GROUPS.flat());
  const groups = GROUPS.map((addresses, index) =>
    addresses.map(
      (address) => new MortalServer(address, port, `group${index + 1}`, join(folder, `${address}.log`)),
    ),
  );
  for (const server of groups.flat()) scene.defer(() => server.end("SIGKILL"));
  await Promise.all(groups.flat().map((server) => server.start()));
  return groups;
}

/** All servers in service, and nothing on any of them: `requests` are what brings the dead ones back. */
async function expectPeace(halftone: HalftoneProcess): Promise<void> {
  await halftone.deploy(APP, 0);
  let servers: readonly Readonly<Record<string, unknown>>[] = [];
  await until(
    "all servers up and idle",
    async () => {
      await fetch(`http://127.0.0.1:${halftone.gatewayPort}/`, { headers: { "x-id": "peace" } });
      servers = [...(await halftone.servers(APP)).values()];
      return servers.length === 4 && servers.every((s) => s["state"] === "up" && s["inFlight"] === 0);
    },
    { instead: () => servers },
  );
}

function summary(verdict: Verdict): Readonly<Record<string, unknown>> {
  return { ...verdict, violations: verdict.violations.length };
}

function report(figures: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`under fire: ${JSON.stringify(figures)}\n`);
}
