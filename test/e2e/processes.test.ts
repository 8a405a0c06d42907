import { describe, expect, it, onTestFinished } from "vitest";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { type Backend, startBackend, startBackends } from "./harness/backend.ts";
import { ask, countBy } from "./harness/client.ts";
import { freePort } from "./harness/free-port.ts";
import {
  createSite,
  type HalftoneProcess,
  isRunning,
  revisionOf,
  type SiteConfig,
} from "./harness/halftone-process.ts";
import { startLoad } from "./harness/load.ts";
import { openScene, type Scene } from "./harness/scene.ts";
import { until } from "./harness/until.ts";

const GATEWAY = { listen: "127.0.0.1:0", workers: 2 };

async function startShop(
  scene: Scene,
  config: SiteConfig = { gateway: GATEWAY },
): Promise<{ halftone: HalftoneProcess; backend: Backend }> {
  const backend = await startBackend(scene, "127.0.4.51");
  const site = await createSite(scene, config);
  const halftone = await site.start();
  await halftone.put("shop", { name: "shop", groups: { only: { servers: [`127.0.4.51:${backend.port}`] } } });
  return { halftone, backend };
}

/** A handler that answers when it is told to, and says how many requests wait for that. */
function held(): { handler: Backend["handler"]; waiting: () => number; release: () => void } {
  const open: (() => void)[] = [];
  return {
    handler: (incoming, response) => {
      incoming.resume();
      open.push(() => response.end("at last"));
    },
    waiting: () => open.length,
    release: () => {
      for (const answer of open.splice(0)) answer();
    },
  };
}

/** Only connects: a request might be taken in the last moment, and wait for the answer that is held. */
function refusesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}

describe("workers", () => {
  it("one that is killed costs at most what it had in flight, and is replaced", async () => {
    const scene = openScene(onTestFinished);
    const { halftone } = await startShop(scene);
    const before = halftone.workers();
    expect(before).toHaveLength(2);
    const load = startLoad(scene, { port: halftone.gatewayPort });
    await load.more(300);

    process.kill(before[0]!, "SIGKILL");
    await until("two workers again", () => {
      const now = halftone.workers();
      return now.length === 2 && !now.includes(before[0]!);
    });
    await load.more(300);
    expect(halftone.workers()).toContain(before[1]);
    await load.stop();
    // Each client has one request in flight.
    expect(load.failures.length).toBeLessThanOrEqual(16);
    expect(new Set(load.failures.map(({ client }) => client)).size).toBe(load.failures.length);

    const answers = await Promise.all(Array.from({ length: 50 }, () => ask({ port: halftone.gatewayPort })));
    expect(countBy(answers, (answer) => String(answer.status))).toEqual({ 200: 50 });
  });

  it("that are all killed at once are replaced, and the new ones know what the old ones knew", async () => {
    const scene = openScene(onTestFinished);
    const port = await freePort("127.0.0.1");
    const { halftone } = await startShop(scene, { gateway: { ...GATEWAY, listen: `127.0.0.1:${port}` } });
    const before = halftone.workers();
    for (const pid of before) process.kill(pid, "SIGKILL");
    await until("two new workers", () => {
      const now = halftone.workers();
      return now.length === 2 && !now.some((pid) => before.includes(pid));
    });
    await until("traffic", () =>
      ask({ port: halftone.gatewayPort }).then(
        (a) => a.status === 200,
        () => false,
      ),
    );
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask({ port: halftone.gatewayPort })));
    expect(countBy(answers, (answer) => String(answer.status))).toEqual({ 200: 50 });
  });
});

describe.each([0, 2])("SIGTERM with workers: %d", (workers) => {
  it("lets the requests in flight end, takes no new ones, and exits with 0", async () => {
    const scene = openScene(onTestFinished);
    const { halftone, backend } = await startShop(scene, { gateway: { ...GATEWAY, workers } });
    const { handler, waiting, release } = held();
    backend.handler = handler;
    const slow = Promise.all(Array.from({ length: 8 }, () => ask({ port: halftone.gatewayPort })));
    await until("eight requests in flight", () => waiting() === 8);

    halftone.kill("SIGTERM");
    await until("new connections to be refused", () => refusesConnections(halftone.gatewayPort));
    expect(halftone.hasExited).toBe(false);
    release();

    expect(countBy(await slow, (answer) => `${answer.status} ${answer.text}`)).toEqual({ "200 at last": 8 });
    expect(await halftone.exit).toEqual({ code: 0, signal: null });
  });
});

describe("SIGTERM", () => {
  it("under load costs no request on connections that stand", async () => {
    const scene = openScene(onTestFinished);
    const { halftone } = await startShop(scene);
    const load = startLoad(scene, { port: halftone.gatewayPort });
    await load.more(300);
    halftone.kill("SIGTERM");
    expect(await halftone.exit).toEqual({ code: 0, signal: null });
    await load.stop();
    // New connections are refused, as nobody is there. Nothing is lost on those that stood.
    expect(load.failures.filter(({ standing }) => standing)).toEqual([]);
  });

  it("cuts what is still in flight after the drain time", async () => {
    const scene = openScene(onTestFinished);
    const config = { gateway: { ...GATEWAY, timeouts: { drain: "300ms" } } };
    const { halftone, backend } = await startShop(scene, config);
    const { handler, waiting } = held();
    backend.handler = handler;
    const slow = ask({ port: halftone.gatewayPort }).catch((error: unknown) => error);
    await until("a request in flight", () => waiting() === 1);
    halftone.kill("SIGTERM");
    expect((await halftone.exit).signal).toBeNull();
    expect(await slow).toBeInstanceOf(Error);
  });
});

describe("SIGHUP", () => {
  it("takes over changed settings: another address, another timeout", async () => {
    const scene = openScene(onTestFinished);
    const first = await freePort("127.0.0.1");
    const port = await freePort("127.0.0.1");
    const { halftone, backend } = await startShop(scene, {
      gateway: { ...GATEWAY, listen: `127.0.0.1:${first}` },
    });
    const load = startLoad(scene, { port: first, clients: 4 });
    await load.more(50);

    await halftone.site.configure({
      gateway: {
        ...GATEWAY,
        listen: [`127.0.0.1:${first}`, `127.0.0.1:${port}`],
        timeouts: { response: "250ms" },
      },
    });
    halftone.kill("SIGHUP");
    await until("the new address", () =>
      ask({ port }).then(
        (answer) => answer.status === 200,
        () => false,
      ),
    );
    await load.more(50);
    await load.stop();
    expect(load.failures).toEqual([]);

    backend.handler = held().handler;
    await until("the new timeout", async () => {
      const answer = await ask({ port });
      return answer.status === 504 && answer.headers["x-halftone-error"] === "response_timeout";
    });
    expect(await halftone.stop()).toBe(0);
  });

  it("refuses a file with mistakes, says where they are, and goes on with the old settings", async () => {
    const scene = openScene(onTestFinished);
    const { halftone } = await startShop(scene);
    await halftone.site.configure({ gateway: { ...GATEWAY, timeouts: { header: "soon" }, colour: "red" } });
    halftone.kill("SIGHUP");
    const line = await halftone.logged(/gateway\.timeouts\.header/);
    expect(JSON.stringify(line)).toContain("soon");
    await halftone.logged(/gateway\.colour/);
    expect((await ask({ port: halftone.gatewayPort })).status).toBe(200);

    await writeFile(halftone.site.configFile, "gateway: [");
    const lines = halftone.log.length;
    halftone.kill("SIGHUP");
    await until("a refusal of the broken file", () => halftone.log.length > lines);
    expect((await ask({ port: halftone.gatewayPort })).status).toBe(200);
    expect(halftone.hasExited).toBe(false);
  });
});

describe("a supervisor that is killed", () => {
  it("leaves traffic going, and the next one takes over address and documents", async () => {
    const scene = openScene(onTestFinished);
    const [blue] = await startBackends(scene, ["127.0.4.52", "127.0.4.53"]);
    const port = await freePort("127.0.0.1");
    const site = await createSite(scene, { gateway: { listen: `127.0.0.1:${port}`, workers: 2 } });
    const first = await site.start();
    await first.put("shop", {
      name: "shop",
      port: blue!.port,
      groups: { blue: { servers: ["127.0.4.52"] }, green: { servers: ["127.0.4.53"] } },
    });
    await first.deploy("shop", 1);
    const stored = await first.api("GET", "/apps/shop");
    const orphans = first.workers();
    const load = startLoad(scene, { port, clients: 8 });
    await load.more(100);

    first.kill("SIGKILL");
    await first.exit;
    await load.more(300);
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask({ port })));
    expect(countBy(answers, (answer) => answer.servedBy)).toEqual({ "127.0.4.53": 50 });
    expect(load.failures).toEqual([]);
    expect(orphans.every(isRunning)).toBe(true);

    const second = await site.start();
    expect(second.gatewayPort).toBe(port);
    await until("the orphans to leave", () => !orphans.some(isRunning));
    const after = await second.api("GET", "/apps/shop");
    expect(after.body).toEqual(stored.body);
    expect(revisionOf(after)).toBe(revisionOf(stored));
    await load.more(300);
    await load.stop();
    // Between the last orphan and the first new worker nobody may listen; nothing is lost on connections that stood.
    expect(load.failures.filter(({ standing }) => standing)).toEqual([]);
    expect([...load.served.keys()]).toEqual(["127.0.4.53"]);

    await second.deploy("shop", 2);
    expect((await ask({ port })).servedBy).toBe("127.0.4.52");
    expect(await second.stop()).toBe(0);
  });
});

describe("starting", () => {
  it("fails with the reason when the address is taken", async () => {
    const scene = openScene(onTestFinished);
    const backend = await startBackend(scene, "127.0.4.54");
    const site = await createSite(scene, { gateway: { listen: `127.0.4.54:${backend.port}`, workers: 2 } });
    await expect(site.start()).rejects.toThrow(new RegExp(`it ended[^]*127\\.0\\.4\\.54:${backend.port}`));
  });

  it("fails with every mistake of the file", async () => {
    const scene = openScene(onTestFinished);
    const site = await createSite(scene, { gateway: { workers: "many", timeouts: { connect: 7 } } });
    await expect(site.start()).rejects.toThrow(/it ended[^]*gateway\.workers[^]*gateway\.timeouts\.connect/);
  });

  it("says ready only when it is, and keeps its token to itself", async () => {
    const scene = openScene(onTestFinished);
    const { halftone } = await startShop(scene);
    expect((await halftone.admin("GET", "/readyz")).status).toBe(200);
    expect((await halftone.admin("GET", "/healthz")).status).toBe(200);
    expect((await halftone.admin("GET", "/api/v1/apps")).status).toBe(401);
    expect((await halftone.api("GET", "/apps")).status).toBe(200);
  });
});
