import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startBackends } from "../e2e/harness/backend.ts";
import { ask, countBy } from "../e2e/harness/client.ts";
import { openScene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { agreeOn, createGateways } from "./gateways.ts";
import { startRedis } from "./redis-process.ts";

const GROUP1 = ["127.0.4.175", "127.0.4.176"];
const GROUP2 = ["127.0.4.146", "127.0.4.147"];
const NAME = "my_object";

/** What the original's converter writes, with these servers. */
function converted(deploy: number): Record<string, unknown> {
  const servers = (group: readonly string[], weight: number | string) =>
    group.map((ip) => ({ ip, current_weight: weight, weight }));
  return {
    group2: servers(GROUP2, 10),
    group: servers(GROUP1, "10"),
    deploy,
    weight: { group2: "10", group: "10" },
    testiplist: ["10.0.0.111"],
  };
}

it("two gateways share a Redis with the original's: its SET is served, and its GET reads what Halftone sets", async () => {
  const scene = openScene(onTestFinished);
  const redis = await startRedis(scene);
  const [backend] = await startBackends(scene, [...GROUP1, ...GROUP2]);
  await redis.command("SET", NAME, JSON.stringify(converted(0)));
  const directory = `${redis.url}?layout=original`;
  const sites = await createGateways(scene, directory, ["gateway-1", "gateway-2"], {
    apps: ["./apps/*.json"],
  });
  const raw = {
    image: NAME,
    port: backend!.port,
    weight: { group1: "10", group2: "10" },
    deploy: "0",
    testiplist: [],
    group1: ["127.0.4.1"],
    group2: ["127.0.4.2"],
  };
  for (const { site } of sites)
    await writeFile(join(site.folder, "apps", "my_object.json"), JSON.stringify(raw));
  const gateways = await Promise.all(sites.map(({ site }) => site.start()));
  await agreeOn(gateways, NAME, 1);

  const served = async (port: number): Promise<readonly string[]> => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask({ port })));
    return Object.keys(countBy(answers, ({ servedBy }) => servedBy)).sort();
  };
  for (const { gatewayPort } of gateways)
    expect(await served(gatewayPort)).toEqual([...GROUP2, ...GROUP1].sort());

  await redis.command("SET", NAME, JSON.stringify(converted(1)));
  await agreeOn(gateways, NAME, 2);
  for (const { gatewayPort } of gateways) expect(await served(gatewayPort)).toEqual(GROUP2);

  await gateways[0]!.deploy(NAME, 2, 10);
  await agreeOn(gateways, NAME, 3);
  expect(JSON.parse(String(await redis.command("GET", NAME)))).toEqual(converted(2));
  expect((await gateways[1]!.api("GET", `/apps/${NAME}`)).body).toMatchObject({ deploy: 2, share: 10 });

  const refused = await gateways[1]!.api(
    "PUT",
    "/apps/other",
    { name: "other", routes: [{ path: "/other" }], groups: { group1: { servers: ["127.0.4.1"] } } },
    { "if-none-match": "*" },
  );
  expect(refused.status).toBe(422);
  expect(JSON.stringify(refused.body)).toMatch(/an app named by `apps` of halftone.yaml/);

  // Another set of files has to be read at a start: they have no revision.
  await writeFile(
    join(gateways[0]!.site.folder, "apps", "my_object.json"),
    JSON.stringify({ ...raw, port: 1 }),
  );
  gateways[0]!.kill("SIGHUP");
  await gateways[0]!.logged(
    /reload refused.*cannot change without a restart while the directory has the original layout/,
  );
  await until("both to serve on", async () => (await served(gateways[0]!.gatewayPort)).length === 2);
});
