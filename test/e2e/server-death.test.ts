import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type BackendProcess, startBackendProcesses } from "./harness/backend-process.ts";
import { ask, countBy } from "./harness/client.ts";
import { type HalftoneProcess, startHalftone } from "./harness/halftone-process.ts";
import { startLoad } from "./harness/load.ts";
import { openScene } from "./harness/scene.ts";
import { until } from "./harness/until.ts";

const ADDRESSES = ["127.0.4.11", "127.0.4.12", "127.0.4.13", "127.0.4.14"];

describe("a server that dies", () => {
  const scene = openScene(afterAll);
  let halftone: HalftoneProcess;
  let backends: readonly BackendProcess[];

  beforeAll(async () => {
    backends = await startBackendProcesses(scene, ADDRESSES);
    halftone = await startHalftone(scene);
    await halftone.put("shop", {
      name: "shop",
      port: backends[0]!.port,
      groups: { group1: { servers: ADDRESSES.slice(0, 2) }, group2: { servers: ADDRESSES.slice(2) } },
      health: { dieTime: "300ms", maxDieTime: "1s" },
    });
  });

  const stateOf = async (backend: BackendProcess) => {
    const servers = await halftone.servers("shop");
    return servers.get(`${backend.address}:${backend.port}`);
  };

  it("is named as alive at first, with what it has done", async () => {
    await ask({ port: halftone.gatewayPort });
    const servers = await halftone.servers("shop");
    expect(servers.size).toBe(4);
    const all = [...servers.values()];
    expect(countBy(all, (server) => String(server["state"]))).toEqual({ up: 4 });
    expect(countBy(all, (server) => String(server["group"]))).toEqual({ group1: 2, group2: 2 });
    expect(all.reduce((sum, server) => sum + Number(server["requests"]), 0)).toBe(1);
  });

  it.each(["SIGKILL", "SIGTERM"] as const)(
    "by %s under load costs no request, and comes back by itself",
    async (signal) => {
      const scene = openScene(onTestFinished);
      const victim = backends[1]!;
      // Slow enough that some requests always are on the server when it dies.
      const load = startLoad(scene, { port: halftone.gatewayPort, path: "/?wait=10" });
      await load.more(300);

      await victim.kill(signal);
      await load.more(300);
      const dead = await until("the server to be called dead", async () => {
        const server = await stateOf(victim);
        return server?.["state"] === "dead" && server;
      });
      expect(dead["lastError"]).toEqual(expect.any(String));
      expect(Number(dead["failures"])).toBeGreaterThan(0);

      await victim.start();
      const before = load.served.get(victim.address) ?? 0;
      await until("the server to be used again", () => (load.served.get(victim.address) ?? 0) > before + 20);
      expect(await stateOf(victim)).toMatchObject({ state: "up", deadUntil: null });

      await load.stop();
      expect(load.failures).toEqual([]);
    },
  );

  it("takes nobody else with it: with all of them gone the answer is 502 or 503, and the first to return serves", async () => {
    for (const backend of backends) await backend.kill("SIGKILL");
    const refusals = await Promise.all(Array.from({ length: 40 }, () => ask({ port: halftone.gatewayPort })));
    for (const refusal of refusals) {
      expect([502, 503]).toContain(refusal.status);
      expect(refusal.headers["x-halftone-error"]).toMatch(/^[a-z_]+$/);
    }

    await backends[2]!.start();
    await until("the one server that is back", async () => {
      const answer = await ask({ port: halftone.gatewayPort });
      return answer.status === 200 && answer.servedBy === backends[2]!.address;
    });

    for (const backend of [backends[0]!, backends[1]!, backends[3]!]) await backend.start();
    await until("all servers up", async () => {
      await ask({ port: halftone.gatewayPort });
      const servers = await halftone.servers("shop");
      return [...servers.values()].every((server) => server["state"] === "up");
    });
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask({ port: halftone.gatewayPort })));
    expect(countBy(answers, (answer) => answer.servedBy)).toEqual(
      Object.fromEntries(ADDRESSES.map((address) => [address, 10])),
    );
  });

  it("under test is the testers' plain truth, and nobody else's trouble", async () => {
    await backends[0]!.kill("SIGKILL");
    await backends[1]!.kill("SIGKILL");
    const stored = await halftone.api("GET", "/apps/shop");
    await halftone.put("shop", {
      ...(stored.body as object),
      testers: ["127.0.0.111"],
      deploy: 1,
      share: 100,
    });

    // By share: served by the others, from the first request on.
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ port: halftone.gatewayPort })));
    expect(countBy(answers, (answer) => String(answer.status))).toEqual({ 200: 20 });
    expect(countBy(answers, (answer) => answer.servedBy)).toEqual({
      [ADDRESSES[2]!]: 10,
      [ADDRESSES[3]!]: 10,
    });

    const tester = await ask({ port: halftone.gatewayPort, from: "127.0.0.111" });
    expect([502, 503]).toContain(tester.status);
    expect(tester.headers["x-halftone-group"]).toBe("group1");
    await backends[0]!.start();
    await backends[1]!.start();
  });
});
