import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { content } from "../../src/directory/directory.contract.ts";
import { RedisDirectory } from "../../src/directory/redis/redis-directory.ts";
import { startBackends } from "../e2e/harness/backend.ts";
import { freePort } from "../e2e/harness/free-port.ts";
import { startLoad } from "../e2e/harness/load.ts";
import { openScene, type Scene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { Authority } from "../tls/certificates.ts";
import { agreeOn, directoryOf, reaches, startGateways, twoGroups } from "./gateways.ts";
import { redisConfig, RedisProcess, startRedis } from "./redis-process.ts";

const SERVERS = ["127.0.6.21", "127.0.6.22"] as const;

/** A primary, its replica, and one sentinel that fails over within about a second. */
async function withSentinel(scene: Scene) {
  const primary = await startRedis(scene);
  const replica = await startRedis(scene, { options: ["--replicaof", primary.host, String(primary.port)] });
  await until("the replica to follow", async () =>
    String(await replica.command("INFO", "replication")).includes("master_link_status:up"),
  );
  const folder = await scene.folder();
  const file = join(folder, "sentinel.conf");
  await writeFile(
    file,
    [
      `sentinel monitor shades ${primary.host} ${primary.port} 1`,
      "sentinel down-after-milliseconds shades 500",
      "sentinel failover-timeout shades 3000",
    ].join("\n"),
  );
  const host = "127.0.0.1";
  const place = { host, port: await freePort(host), folder };
  const sentinel = new RedisProcess(place, { configFile: file, options: ["--sentinel"] });
  scene.defer(() => sentinel.stop());
  await sentinel.start();
  const url = `redis+sentinel://${sentinel.host}:${sentinel.port}/shades`;
  return { primary, replica, sentinel, url };
}

describe("sentinels", { timeout: 60_000 }, () => {
  it("name the primary; a failover under load fails nothing, and is followed by all", async () => {
    const scene = openScene(onTestFinished);
    const { primary, replica, url } = await withSentinel(scene);
    const [backend] = await startBackends(scene, SERVERS);
    const gateways = await startGateways(scene, url, ["gateway-1", "gateway-2"]);
    await gateways[0]!.put("shop", twoGroups("shop", backend!.port, [...SERVERS]));
    await agreeOn(gateways, "shop", 1);
    await until(
      "the replica to have it",
      async () => (await replica.command("EXISTS", "halftone:{apps}:app:shop")) === 1,
    );
    const load = startLoad(scene, { port: gateways[1]!.gatewayPort, clients: 8 });

    await primary.stop();
    for (const gateway of gateways) await reaches(gateway, "backup");
    await until(
      "the replica to be the primary",
      async () => String(await replica.command("ROLE").catch(() => "")).startsWith("master"),
      { patience: 20_000 },
    );
    for (const gateway of gateways) {
      await until(
        "the new primary to be followed",
        async () => (await directoryOf(gateway))["state"] === "current",
        { patience: 20_000 },
      );
    }
    await gateways[1]!.deploy("shop", 1);
    await agreeOn(gateways, "shop", 2);
    await load.more(50);
    await load.stop();
    expect(load.failures).toEqual([]);
  });

  it("a failover that lost writes: the newer documents stay, and are restored", async () => {
    const scene = openScene(onTestFinished);
    const { primary, replica, url } = await withSentinel(scene);
    const gateways = await startGateways(scene, url, ["gateway-1", "gateway-2"]);
    await gateways[0]!.put("shop", twoGroups("shop", 80, [...SERVERS]));
    await until(
      "the replica to have it",
      async () => (await replica.command("EXISTS", "halftone:{apps}:app:shop")) === 1,
    );
    // From here on the replica gets nothing more: it does not know the password that new connections need.
    await primary.command("CONFIG", "SET", "requirepass", "secret");
    await primary.command("CLIENT", "KILL", "TYPE", "replica");
    await gateways[0]!.deploy("shop", 1);
    await agreeOn(gateways, "shop", 2);
    await primary.stop();
    for (const gateway of gateways) {
      await until(
        "the loss to be reported",
        async () => {
          const { state, differences } = await directoryOf(gateway);
          return state === "current" && differences === 1;
        },
        { patience: 30_000 },
      );
      expect((await gateway.api("GET", "/apps/shop")).body).toMatchObject({ deploy: 1 });
    }
    const answer = await gateways[1]!.api("POST", "/directory/differences/shop/restore", { from: "gateway" });
    expect(answer).toMatchObject({ status: 200, body: { name: "shop", revision: 3 } });
    await agreeOn(gateways, "shop", 3);
  });

  it("that know no such primary are quoted", async () => {
    const scene = openScene(onTestFinished);
    const { sentinel } = await withSentinel(scene);
    const directory = new RedisDirectory({
      config: redisConfig(`redis+sentinel://${sentinel.host}:${sentinel.port}/others`),
      gateway: "gateway-1",
    });
    onTestFinished(() => directory.close());
    await expect(directory.read()).rejects.toThrow(/knows no primary named others/);
  });
});

describe("a cluster", () => {
  it("is asked who has the slot, and serves from there", async () => {
    const scene = openScene(onTestFinished);
    const redis = await startRedis(scene, { options: ["--cluster-enabled", "yes"] });
    await redis.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await until("the cluster to be up", async () =>
      String(await redis.command("CLUSTER", "INFO")).includes("cluster_state:ok"),
    );
    const config = redisConfig(`redis+cluster://${redis.host}:1,${redis.host}:${redis.port}`);
    const [one, other] = ["gateway-1", "gateway-2"].map((gateway) => new RedisDirectory({ config, gateway }));
    onTestFinished(() => one!.close());
    onTestFinished(() => other!.close());
    await other!.read();
    const told: unknown[] = [];
    other!.watch((names) => void told.push(names));
    expect(await one!.write("shop", content("shop"), "absent")).toMatchObject({ kind: "written" });
    await until("the change to be told", () => JSON.stringify(told).includes("shop"));
    expect((await other!.read()).apps).toMatchObject([{ name: "shop", revision: 1 }]);
    expect((await one!.locks.acquire("release", "gateway-1", 1000)).kind).toBe("held");
  });
});

it("a cluster's node that does not know its own address is where it was asked", async () => {
  const scene = openScene(onTestFinished);
  const redis = await startRedis(scene, { host: "127.0.7.9", options: ["--cluster-enabled", "yes"] });
  await redis.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await until("the cluster to be up", async () =>
    String(await redis.command("CLUSTER", "INFO")).includes("cluster_state:ok"),
  );
  const config = redisConfig(`redis+cluster://${redis.host}:${redis.port}`);
  const directory = new RedisDirectory({ config, gateway: "gateway-1" });
  onTestFinished(() => directory.close());
  expect(await directory.write("shop", content("shop"), "absent")).toMatchObject({ kind: "written" });
});

describe("TLS and a user of an ACL", () => {
  it("with a certificate on both sides, the rights of the documentation, and a password from a file", async () => {
    const scene = openScene(onTestFinished);
    const folder = join(await scene.folder(), "tls");
    await mkdir(folder);
    const authority = new Authority(folder);
    const server = authority.issue("server", { names: "IP:127.0.0.1" });
    const client = authority.issue("client", { subject: "/CN=gateway" });
    await chmod(server.key, 0o600);
    const tlsPort = await freePort("127.0.0.1");
    const redis = await startRedis(scene, {
      options: [
        "--tls-port",
        String(tlsPort),
        "--tls-cert-file",
        server.cert,
        "--tls-key-file",
        server.key,
        "--tls-ca-cert-file",
        authority.ca,
        "--tls-auth-clients",
        "yes",
      ],
    });
    const rights = "~halftone:* +@read +@write +@scripting +@connection +client|tracking +role +time".split(
      " ",
    );
    await redis.command("ACL", "SETUSER", "halftone", "on", ">secret", ...rights);
    const passwordFile = join(folder, "password");
    await writeFile(passwordFile, "secret\n");
    const url = `rediss://halftone@127.0.0.1:${tlsPort}/0`;
    const config = redisConfig(url, { passwordFile, ca: authority.ca, cert: client.cert, key: client.key });
    const directory = new RedisDirectory({ config, gateway: "gateway-1" });
    onTestFinished(() => directory.close());
    expect(directory.description).toBe(`redis 127.0.0.1:${tlsPort}/0`);
    expect(await directory.write("shop", content("shop"), "absent")).toMatchObject({ kind: "written" });
    expect((await directory.read()).apps).toHaveLength(1);
    expect((await directory.locks.acquire("release", "gateway-1", 1000)).kind).toBe("held");

    const distrusting = new RedisDirectory({
      config: redisConfig(url, { passwordFile }),
      gateway: "gateway-2",
    });
    onTestFinished(() => distrusting.close());
    await expect(distrusting.read()).rejects.toThrow(
      /self-signed certificate|unable to get local issuer|verify/i,
    );
  });
});
