import { randomInt } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import type { ReleaseJson } from "../../admin/release-schemas.ts";
import { startHalftone, type Halftone } from "../../app.ts";
import { AdminClient, appPath } from "../admin-client.ts";
import type { CliContext } from "../cli-context.ts";
import { demoOperations } from "./demo-operations.ts";
import { DemoRedis } from "./demo-redis.ts";
import { DemoServer } from "./demo-server.ts";
import type { Scenario } from "./scenarios.ts";
import { UpdateHook } from "./update-hook.ts";
import { Visitors } from "./visitors.ts";

export const APP = "shop";
const SERVERS_A_GROUP = 3;
/** How long Redis stays dead, in ms. */
const REDIS_AWAY = 10_000;

/** Steps that go by themselves; windows are short, as a show must not take an hour. */
const RELEASE = {
  update: "deploy",
  restore: "deploy",
  checks: 2,
  slowStart: "4s",
  minCapacity: 30,
  steps: [
    { testers: "4s" },
    { share: 10, for: "15s" },
    { share: 50, until: "verdict", atMost: "3m" },
    { share: 100, for: "4s" },
    { hold: "4s" },
  ],
  verdict: { window: "2s", warmUp: "2s", notWorseThan: 3, acceptable: 1 },
};

/** Gateway, servers, visitors, and who updates the servers. */
export class Stage {
  readonly halftone: Halftone;
  readonly client: AdminClient;
  readonly servers: readonly DemoServer[];
  readonly visitors: Visitors;
  readonly redis: DemoRedis | undefined;
  /** What happens besides releases, for people. */
  news = "";
  private readonly folder: string;
  private readonly hook: UpdateHook;
  private version = 1;

  static async open(context: CliContext, withRedis: boolean): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), "halftone-demo-"));
    const opened: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
    try {
      const servers = await startServers();
      opened.push(() => Promise.all(servers.map((server) => server.stop())));
      const hook = new UpdateHook(servers);
      const hookUrl = await hook.start();
      opened.push(() => hook.stop());
      const redis = withRedis ? new DemoRedis(folder, await freePort(randomInt(20_000, 30_000))) : undefined;
      await redis?.start();
      if (redis !== undefined) opened.push(() => redis.kill());
      let stage: Stage | undefined;
      const operations = demoOperations(() => stage);
      const config = await writeConfig(folder, servers, hookUrl, redis?.url ?? "file:./data");
      const halftone = await startHalftone(config, pino({ level: "silent" }), operations);
      opened.push(() => halftone.stop());
      const client = await AdminClient.open(context, { admin: halftone.adminUrl, token: halftone.token });
      const visitors = new Visitors(() => portOf(halftone));
      stage = new Stage({ folder, servers, hook, redis, halftone, client, visitors });
      return stage;
    } catch (error) {
      for (const close of opened.reverse()) await close();
      throw error;
    }
  }

  private constructor(parts: {
    readonly folder: string;
    readonly servers: readonly DemoServer[];
    readonly hook: UpdateHook;
    readonly redis: DemoRedis | undefined;
    readonly halftone: Halftone;
    readonly client: AdminClient;
    readonly visitors: Visitors;
  }) {
    this.folder = parts.folder;
    this.servers = parts.servers;
    this.hook = parts.hook;
    this.redis = parts.redis;
    this.halftone = parts.halftone;
    this.client = parts.client;
    this.visitors = parts.visitors;
  }

  /** Where the page is, with the token that opens it. */
  get dashboardUrl(): string {
    return `${this.halftone.adminUrl}/?token=${this.halftone.token}`;
  }

  /** Throws a `CliFailure` with the reason if one runs. */
  async begin({ fault }: Scenario): Promise<ReleaseJson> {
    const version = `v${this.version + 1}`;
    this.hook.faults.set(version, fault);
    const body = { version };
    const answer = await this.client.request(appPath(APP, "/release"), { method: "POST", body });
    this.version += 1;
    await this.liftQuarantine();
    return answer.body as ReleaseJson;
  }

  /** Kills Redis, and starts it again some seconds later. */
  async killRedis(): Promise<void> {
    const { redis } = this;
    if (redis === undefined || this.news !== "") return;
    await redis.kill();
    this.news = `Redis is dead for ${REDIS_AWAY / 1000} s: what is in force stays, changes are refused, nobody notices`;
    await delay(REDIS_AWAY);
    await redis.start();
    this.news = "";
  }

  async close(): Promise<void> {
    await this.visitors.stop();
    await this.halftone.stop();
    await this.redis?.kill();
    await this.hook.stop();
    await Promise.all(this.servers.map((server) => server.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Another version may be fine on a server that the last one was broken on. */
  private async liftQuarantine(): Promise<void> {
    for (const server of this.halftone.store.get(APP)?.document.quarantine ?? []) {
      await this.client.request(appPath(APP, `/quarantine/${encodeURIComponent(server)}`), {
        method: "DELETE",
      });
    }
  }
}

async function startServers(): Promise<readonly DemoServer[]> {
  const host = (n: number): string => (process.platform === "linux" ? `127.0.4.${n}` : "127.0.0.1");
  const servers = Array.from(
    { length: 2 * SERVERS_A_GROUP },
    (_, n) => new DemoServer(n < SERVERS_A_GROUP ? "group1" : "group2", host(n + 1), "v1"),
  );
  for (const server of servers) await server.start();
  return servers;
}

async function writeConfig(
  folder: string,
  servers: readonly DemoServer[],
  hookUrl: string,
  directory: string,
): Promise<string> {
  const addresses = (group: string): string[] =>
    servers.filter((server) => server.group === group).map((server) => server.address);
  const document = {
    name: APP,
    groups: { group1: { servers: addresses("group1") }, group2: { servers: addresses("group2") } },
    testers: ["127.0.0.111", { header: "x-tester", equals: "1" }],
    stickiness: [{ cookie: "uid" }, "address"],
    health: { check: { path: "/healthz", interval: "1s" } },
    release: RELEASE,
  };
  await writeFile(join(folder, "demo.json"), JSON.stringify(document));
  const config = {
    gateway: { listen: `127.0.0.1:${await freePort(8080)}`, workers: 0 },
    admin: { listen: `127.0.0.1:${await freePort(9090)}` },
    directory,
    apps: ["./demo.json"],
    hooks: { deploy: { url: hookUrl, per: "server", timeout: "30s" } },
  };
  const path = join(folder, "halftone.yaml");
  await writeFile(path, JSON.stringify(config));
  return path;
}

function portOf(halftone: Halftone): number {
  return Number(halftone.listen[0]!.split(":").at(-1));
}

/** The wanted port when it is free, else any. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(0));
    probe.listen(wanted, "127.0.0.1", () => probe.close(() => resolve(wanted)));
  });
}
