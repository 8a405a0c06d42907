import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startBackends } from "../e2e/harness/backend.ts";
import type { GroupTraffic } from "../../src/fleet/group-traffic.ts";
import { ask } from "../e2e/harness/client.ts";
import { runCli } from "../e2e/harness/cli.ts";
import { type HalftoneProcess, revisionOf } from "../e2e/harness/halftone-process.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { agreeOn, createGateways, fleetOf, startGateways, twoGroups, asked } from "./gateways.ts";
import { type RedisProcess, startRedis } from "./redis-process.ts";

const NAMES = ["gateway-1", "gateway-2", "gateway-3"];
const SERVERS = ["127.0.6.1", "127.0.6.2"] as const;

describe("three gateways on one Redis", () => {
  const scene = openScene(afterAll);
  let redis: RedisProcess;
  let gateways: readonly HalftoneProcess[];
  let port: number;

  beforeAll(async () => {
    redis = await startRedis(scene);
    const [backend] = await startBackends(scene, SERVERS);
    port = backend!.port;
    gateways = await startGateways(scene, redis.url, NAMES);
  });

  it("take over each other's changes, and know when all have", async () => {
    const [first, second, third] = gateways as [HalftoneProcess, HalftoneProcess, HalftoneProcess];
    expect(await first.put("shop", twoGroups("shop", port, [...SERVERS]))).toBe(1);
    await second.deploy("shop", 1);
    const answer = await third.api("GET", "/apps/shop/convergence?revision=2&wait=10s");
    expect(answer).toMatchObject({ status: 200, body: { app: "shop", asked: 2, converged: true } });
    const { gateways: told } = answer.body as { gateways: readonly Record<string, unknown>[] };
    expect(told.map(({ name, live, revision, reached }) => ({ name, live, revision, reached }))).toEqual(
      NAMES.map((name) => ({ name, live: true, revision: 2, reached: true })),
    );
    for (const { gatewayPort } of gateways) {
      expect((await ask({ port: gatewayPort })).servedBy).toBe(SERVERS[1]);
    }
    await first.deploy("shop", 0);
  });

  it("let exactly one of two writers win that saw the same revision", async () => {
    const writers = gateways.slice(0, 2);
    for (let round = 0; round < 30; round += 1) {
      const { headers } = await gateways[2]!.api("GET", "/apps/shop");
      const seen = headers.get("etag")!;
      const results = await Promise.all(
        writers.map((writer, index) =>
          writer.api("PUT", "/apps/shop", twoGroups("shop", port + index, [...SERVERS]), {
            "if-match": seen,
          }),
        ),
      );
      expect(new Set(results.map(({ status }) => status)), `round ${round}`).toEqual(new Set([200, 412]));
      await agreeOn(gateways, "shop", revisionOf(results.find(({ status }) => status === 200)!));
    }
    await gateways[0]!.put("shop", twoGroups("shop", port, [...SERVERS]));
  });

  it("never go back, and tell who changed what, and where", async () => {
    const { headers } = await gateways[0]!.api("GET", "/apps/shop");
    const before = Number(headers.get("etag")!.replaceAll('"', ""));
    await Promise.all(
      gateways.map(async (gateway) => {
        for (let change = 0; change < 20; change += 1) await gateway.deploy("shop", change % 3);
      }),
    );
    await agreeOn(gateways, "shop", before + 60);
    for (const gateway of gateways) {
      const { body } = await gateway.api("GET", "/audit?app=shop&limit=1000");
      const entries = body as readonly { to: number | null }[];
      // A refused change has no revision.
      const revisions = entries.flatMap(({ to }) => to ?? []).reverse();
      expect(revisions).toEqual([...revisions].sort((one, other) => one - other));
      expect(new Set(revisions).size).toBe(revisions.length);
    }
    const { body } = await gateways[0]!.api("GET", "/audit?app=shop&limit=1000");
    const authors = new Set((body as readonly { by: string }[]).map(({ by }) => by));
    expect([...authors]).toEqual(
      expect.arrayContaining(["admin", "admin at gateway-2", "admin at gateway-3"]),
    );
  });

  it("show themselves, and what all of them do", async () => {
    await gateways[1]!.put("shop", twoGroups("shop", port, [...SERVERS]));
    const rows = await until("all to agree", async () => {
      const fleet = await fleetOf(gateways[0]!);
      return fleet.every(({ lag, apps }) => lag === 0 && apps === 1) && fleet;
    });
    expect(
      rows.map(({ name, self, live, ready, directory }) => ({ name, self, live, ready, directory })),
    ).toEqual(
      NAMES.map((name, index) => ({
        name,
        self: index === 0,
        live: true,
        ready: true,
        directory: "current",
      })),
    );
    const before = await countOf(gateways[0]!);
    for (const { gatewayPort } of gateways) for (let n = 0; n < 10; n += 1) await ask({ port: gatewayPort });
    await until("30 requests to be counted", async () => (await countOf(gateways[2]!)) === before + 30);
    // Whichever is asked: rates and quantiles of all of them together, until the traffic is long over.
    for (const { gatewayPort } of gateways) for (let n = 0; n < 10; n += 1) await ask({ port: gatewayPort });
    await until("rates and latencies of all", async () => {
      const rows = await rowsOf(gateways[1]!);
      return rows.every(
        ({ perSecond, p50, p90, p99 }) => perSecond > 0 && p50! > 0 && p50! <= p90! && p90! <= p99!,
      );
    });
    await until("none after a while", async () =>
      (await rowsOf(gateways[1]!)).every(({ perSecond, p99 }) => perSecond === 0 && p99 === null),
    );

    const cli = await runCli(["status"], asked(gateways[1]!));
    expect(cli.stdout).toMatch(/gateway-1 +live/);
    expect(cli.stdout).toMatch(/gateway-2 \* +live/);
  });

  it("wait for each other on the command line", async () => {
    const done = await runCli(["deploy", "shop", "1", "--wait", "10s"], asked(gateways[0]!));
    expect(done).toMatchObject({ code: 0 });
    for (const gateway of gateways) {
      const { body } = await gateway.api("GET", "/apps/shop");
      expect(body).toMatchObject({ deploy: 1 });
    }
    const late = await gateways[0]!.api("GET", "/apps/shop/convergence?revision=999999");
    expect(late).toMatchObject({ status: 409, body: { type: "urn:halftone:problem:not-converged" } });
    expect((late.body as { detail: string }).detail).toMatch(
      /not in force yet at: gateway-1 \(has \d+\), gateway-2/,
    );
  });

  it("say at once that they cannot wait like that, and change nothing", async () => {
    const before = revisionOf(await gateways[0]!.api("GET", "/apps/shop"));
    for (const wait of ["5m", "soon"]) {
      const refused = await runCli(["deploy", "shop", "2", "--wait", wait], asked(gateways[0]!));
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("up to 60s") as string });
    }
    expect(revisionOf(await gateways[0]!.api("GET", "/apps/shop"))).toBe(before);
  });

  it("follow what redis-cli sets", async () => {
    await redis.command(
      "SET",
      "halftone:{apps}:app:shop",
      JSON.stringify({ ...twoGroups("shop", port, [...SERVERS]), deploy: 2 }),
    );
    for (const gateway of gateways) {
      await until("deploy 2 to be in force", async () => {
        const { body } = await gateway.api("GET", "/apps/shop");
        return (body as { deploy?: number }).deploy === 2;
      });
      expect((await ask({ port: gateway.gatewayPort })).servedBy).toBe(SERVERS[0]);
    }
    const revisions = await Promise.all(
      gateways.map(async (gateway) => revisionOf(await gateway.api("GET", "/apps/shop"))),
    );
    expect(new Set(revisions).size).toBe(1);
  });
});

async function rowsOf(gateway: HalftoneProcess): Promise<readonly GroupTraffic[]> {
  const { body } = await gateway.api("GET", "/apps/shop/groups");
  return body as readonly GroupTraffic[];
}

async function countOf(gateway: HalftoneProcess): Promise<number> {
  return (await rowsOf(gateway)).reduce((sum, { requests }) => sum + requests, 0);
}

describe("a gateway that goes", () => {
  it(
    "is no longer waited for: at once when it stops, after the lease when it is killed",
    { timeout: 60_000 },
    async () => {
      const scene = openScene(onTestFinished);
      const redis = await startRedis(scene);
      const sites = await createGateways(scene, redis.url, NAMES);
      const [first, stopped, killed] = await Promise.all(sites.map(({ site }) => site.start()));
      await first!.put("shop", twoGroups("shop", 80, [...SERVERS]));
      expect((await first!.api("GET", "/apps/shop/convergence?wait=10s")).status).toBe(200);

      expect(await stopped!.stop()).toBe(0);
      expect((await fleetOf(first!)).map(({ name }) => name)).toEqual(["gateway-1", "gateway-3"]);

      killed!.kill("SIGKILL");
      await killed!.exit;
      await first!.deploy("shop", 1);
      const late = await first!.api("GET", "/apps/shop/convergence");
      expect(late.status).toBe(409);
      expect((late.body as { detail: string }).detail).toContain("gateway-3 (has 1)");
      await until("the lease to end", async () => (await fleetOf(first!)).some(({ live }) => !live), {
        patience: 20_000,
      });
      expect((await first!.api("GET", "/apps/shop/convergence")).status).toBe(200);
      expect(await fleetOf(first!)).toMatchObject([
        { name: "gateway-1" },
        { name: "gateway-3", live: false },
      ]);
    },
  );
});

it(
  "counts what a worker told only when it could, and takes no revision for confirmed by it before",
  { timeout: 60_000 },
  async () => {
    const scene = openScene(onTestFinished);
    const redis = await startRedis(scene);
    const [backend] = await startBackends(scene, SERVERS);
    const [gateway] = await startGateways(scene, redis.url, ["gateway-1"]);
    await gateway!.put("shop", twoGroups("shop", backend!.port, [...SERVERS]));
    expect((await gateway!.api("GET", "/apps/shop/convergence?wait=10s")).status).toBe(200);
    const [worker] = gateway!.workers();
    for (let n = 0; n < 10; n += 1) await ask({ port: gateway!.gatewayPort });
    process.kill(worker!, "SIGSTOP");
    // Longer than a worker is asked for its numbers.
    const deployed = gateway!.deploy("shop", 1);
    const unanswered = /has not answered for 5000 ms/;
    await until(
      "the change and the numbers to be unanswered",
      () => gateway!.log.filter((line) => unanswered.test(JSON.stringify(line))).length >= 2,
    );
    await deployed;
    expect((await gateway!.api("GET", "/apps/shop/convergence?revision=2")).status).toBe(409);
    process.kill(worker!, "SIGCONT");
    expect((await gateway!.api("GET", "/apps/shop/convergence?revision=2&wait=10s")).status).toBe(200);
    await until("10 requests to be counted", async () => (await countOf(gateway!)) === 10);
  },
);
