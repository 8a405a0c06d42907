import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { AppEvent, TrafficEvent } from "../../src/admin/events/event-types.ts";
import type { ReleaseJson } from "../../src/admin/release-schemas.ts";
import type { GatewayRow } from "../../src/admin/schemas.ts";
import { FollowedStream } from "../admin/followed-stream.ts";
import { startBackends } from "../e2e/harness/backend.ts";
import { ask } from "../e2e/harness/client.ts";
import type { HalftoneProcess } from "../e2e/harness/halftone-process.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { agreeOn, createGateways, reaches, startGateways, twoGroups } from "./gateways.ts";
import { type RedisProcess, startRedis } from "./redis-process.ts";

const SERVERS = ["127.0.6.41", "127.0.6.42"] as const;

describe("events of gateways on one Redis", () => {
  const scene = openScene(afterAll);
  let redis: RedisProcess;
  let gateways: readonly [HalftoneProcess, HalftoneProcess];

  beforeAll(async () => {
    redis = await startRedis(scene);
    const [backend] = await startBackends(scene, SERVERS);
    const [first, second] = await startGateways(scene, redis.url, ["gateway-1", "gateway-2"]);
    gateways = [first!, second!];
    const release = { slowStart: "0ms" };
    await gateways[0].put("shop", { ...twoGroups("shop", backend!.port, [...SERVERS]), release });
    await agreeOn(gateways, "shop", 1);
  });

  async function follow(query: string): Promise<FollowedStream> {
    const { adminUrl, token } = gateways[0];
    const stream = await FollowedStream.open(`${adminUrl}/api/v1/events${query}`, token);
    onTestFinished(() => stream.close());
    return stream;
  }

  it("tell of a change and of a release that another gateway was asked for", async () => {
    const stream = await follow("?types=app,release");
    await gateways[1].deploy("shop", 1);
    const { data } = await stream.next<AppEvent>("app");
    expect(data).toMatchObject({
      app: "shop",
      revision: 2,
      by: "admin at gateway-2",
      what: "deploy 1 share 0",
    });
    await gateways[1].deploy("shop", 0);
    expect((await gateways[1].api("POST", "/apps/shop/release", { version: "2.0" })).status).toBe(201);
    await stream.next<ReleaseJson>("release", ({ phase }) => phase === "updating");
    await gateways[1].api("POST", "/apps/shop/release/rollback");
    await stream.next<ReleaseJson>("release", ({ phase }) => phase === "restoring");
    await gateways[1].api("POST", "/apps/shop/release/continue");
    const end = await stream.next<ReleaseJson>("release", ({ status }) => status === "rolledBack");
    expect(end.data).toEqual((await gateways[0].api("GET", "/apps/shop/release")).body);
  });

  it("count the traffic of the others", async () => {
    const stream = await follow("?types=traffic");
    let isOver = false;
    const load = (async () => {
      while (!isOver) await ask({ port: gateways[1].gatewayPort });
    })();
    const { data } = await stream.next<TrafficEvent>("traffic", ({ groups }) =>
      groups.every((group) => group.perSecond > 0),
    );
    expect(data.groups).toMatchObject([
      { group: "old", failuresPerSecond: 0 },
      { group: "new", failuresPerSecond: 0 },
    ]);
    isOver = true;
    await load;
    await until("the end of it", () => {
      const groups = stream.of<TrafficEvent>("traffic").at(-1)?.data.groups;
      return groups?.every((group) => group.perSecond === 0) === true;
    });
  });

  it("go on when Redis was away, and tell what changed when it is back", async () => {
    const stream = await follow("?types=app,gateway");
    await stream.next("gateway");
    await redis.stop();
    await reaches(gateways[0], "backup");
    await redis.start();
    await reaches(gateways[0], "current");
    await reaches(gateways[1], "current");
    await until(
      "a change to be taken",
      async () => (await gateways[1].api("PUT", "/apps/shop/deploy", { deploy: 2 })).status === 200,
    );
    await stream.next<AppEvent>("app", ({ what }) => what === "deploy 2 share 0");
    expect(gateways[0].output).not.toContain("events could not be told of");
  });

  it("tell who comes and goes", async () => {
    const stream = await follow("?types=gateway");
    const names = (rows: readonly GatewayRow[]): string => rows.map(({ name }) => name).join(" ");
    const [third] = await createGateways(scene, redis.url, ["gateway-3"]);
    const process = await third!.site.start();
    await stream.next<readonly GatewayRow[]>(
      "gateway",
      (rows) => names(rows) === "gateway-1 gateway-2 gateway-3" && rows[2]!.lag === 0,
    );
    await process.stop();
    await until("its leaving", () => {
      const last = stream.of<readonly GatewayRow[]>("gateway").at(-1);
      return last !== undefined && names(last.data) === "gateway-1 gateway-2";
    });
  });
});
