import { spawn, type ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { AppEvent, TrafficEvent } from "../../src/admin/events/event-types.ts";
import type { GatewayRow, ServerRow } from "../../src/admin/schemas.ts";
import { FollowedStream } from "../admin/followed-stream.ts";
import { type Backend, startBackends } from "./harness/backend.ts";
import { environmentOf } from "./harness/cli.ts";
import { ask } from "./harness/client.ts";
import {
  CLI,
  createSite,
  type HalftoneProcess,
  type Site,
  startHalftone,
} from "./harness/halftone-process.ts";
import { openScene } from "./harness/scene.ts";
import { until } from "./harness/until.ts";

const SERVERS = ["127.0.4.81", "127.0.4.82"] as const;

describe("events of a running gateway", () => {
  const scene = openScene(afterAll);
  let site: Site;
  let halftone: HalftoneProcess;
  let backends: readonly Backend[];

  beforeAll(async () => {
    backends = await startBackends(scene, SERVERS);
    site = await createSite(scene);
    halftone = await site.start();
    await halftone.put("shop", document());
  });

  function document(more: object = {}): object {
    const [blue, green] = SERVERS;
    const groups = { blue: { servers: [blue] }, green: { servers: [green] } };
    return { name: "shop", port: backends[0]!.port, groups, health: { dieTime: "1s" }, ...more };
  }

  async function follow(query: string): Promise<FollowedStream> {
    const { adminUrl, token } = halftone;
    const stream = await FollowedStream.open(`${adminUrl}/api/v1/events${query}`, token);
    onTestFinished(() => stream.close());
    return stream;
  }

  it("tell of changes, and of the gateway itself", async () => {
    const stream = await follow("?types=app,gateway");
    await halftone.deploy("shop", 1);
    const { data } = await stream.next<AppEvent>("app");
    expect(data).toMatchObject({ app: "shop", revision: 2, by: "admin", what: "deploy 1 share 0" });
    await halftone.deploy("shop", 0);
    const [row] = (await stream.next<readonly GatewayRow[]>("gateway", (rows) => rows[0]?.apps === 1)).data;
    expect(row).toMatchObject({ self: true, live: true, ready: true, lag: 0 });
  });

  it("tell of a server that dies and comes back, found out by requests", async () => {
    const stream = await follow("?types=server");
    await backends[0]!.stop();
    await until("requests to find out", async () => {
      await ask({ port: halftone.gatewayPort });
      return stream.of<ServerRow>("server").some(({ data }) => data.state === "dead");
    });
    const dead = stream.of<ServerRow>("server").find(({ data }) => data.state === "dead")!.data;
    expect(dead).toMatchObject({
      app: "shop",
      group: "blue",
      server: `${SERVERS[0]}:${backends[0]!.port}`,
      deadUntil: expect.stringMatching(/^20/) as string,
      lastError: expect.stringContaining("ECONNREFUSED") as string,
    });
    await backends[0]!.start();
    await until("requests to find it alive", async () => {
      await ask({ port: halftone.gatewayPort });
      const last = stream.of<ServerRow>("server").findLast(({ data }) => data.server === dead.server);
      return last!.data.state === "up";
    });
  });

  it("tell of it where one process does everything, too", async () => {
    const scene = openScene(onTestFinished);
    const alone = await startHalftone(scene, { gateway: { workers: 0 } });
    // Long enough for all that its death brings with it.
    await alone.put("shop", document({ health: { dieTime: "3s" } }));
    const stream = await FollowedStream.open(`${alone.adminUrl}/api/v1/events?types=server`, alone.token);
    scene.defer(() => stream.close());
    const states = (): readonly string[] =>
      stream.of<ServerRow>("server").flatMap(({ data }) => (data.group === "blue" ? [data.state] : []));
    await backends[0]!.stop();
    await until("its death", async () => {
      await ask({ port: alone.gatewayPort });
      return states().includes("dead");
    });
    await backends[0]!.start();
    await until("its return", async () => {
      await ask({ port: alone.gatewayPort });
      return states().at(-1) === "up";
    });
  });

  it("tell of an error that kills no server", async () => {
    const stream = await follow("?types=server");
    const { port } = backends[1]!;
    const weighed = { groups: { green: { servers: [{ address: SERVERS[1], port, weight: 7 }] } } };
    const patient = { health: { maxFails: 1000 }, retry: { on: [502] } };
    await halftone.put("shop", document({ ...weighed, ...patient }));
    // What the change itself brings with it is over.
    await stream.next<ServerRow>("server", ({ weight }) => weight === 7);
    backends[1]!.handler = (_request, response) => response.writeHead(502).end();
    await until("its last error", async () => {
      await ask({ port: halftone.gatewayPort });
      return stream.of<ServerRow>("server").some(({ data }) => data.lastError?.includes("502") === true);
    });
    backends[1]!.handler = undefined;
    const last = stream.of<ServerRow>("server").findLast(({ data }) => data.group === "green")!.data;
    expect(last.state).toBe("up");
    await halftone.put("shop", document());
  });

  it("tell of a server that an active check finds sick", async () => {
    const check = { path: "/healthz", interval: "100ms", expect: 200 };
    await halftone.put("shop", document({ health: { check } }));
    const stream = await follow("?types=server");
    backends[1]!.handler = (_request, response) => response.writeHead(500).end();
    const { data } = await stream.next<ServerRow>("server", ({ healthy }) => !healthy);
    expect(data).toMatchObject({ group: "green", state: "dead" });
    backends[1]!.handler = undefined;
    await until("its health", () => stream.of<ServerRow>("server").at(-1)!.data.healthy);
    await halftone.put("shop", document());
  });

  it("count requests and failures a second, what is in flight, and tell when it is over", async () => {
    const stream = await follow("?types=traffic&app=shop");
    backends[0]!.handler = (_request, response) => void setTimeout(() => response.end("late"), 2500);
    await Promise.all([ask({ port: halftone.gatewayPort }), ask({ port: halftone.gatewayPort })]);
    backends[0]!.handler = undefined;
    const busy = await stream.next<TrafficEvent>("traffic", ({ groups }) =>
      groups.some(({ perSecond }) => perSecond > 0),
    );
    expect(busy.data.groups.map(({ group }) => group)).toEqual(["blue", "green"]);
    await stream.next<TrafficEvent>("traffic", ({ groups }) => groups[0]!.inFlight === 1);
    await until("the end of it", () => {
      const groups = stream.of<TrafficEvent>("traffic").at(-1)?.data.groups ?? [];
      return groups.length > 0 && groups.every((one) => one.inFlight + one.perSecond === 0);
    });
  });

  it("are followed by the command, past a restart, until Ctrl-C", async () => {
    // The same address again, so that the command finds it.
    const port = Number(new URL(halftone.adminUrl).port);
    const command = new Command(halftone, "events", "shop", "--types", "app");
    await until("the command to be connected", async () => {
      await halftone.deploy("shop", 1);
      return command.out.includes("shop: revision");
    });
    expect(command.out.split("\n")[0]).toMatch(/^\S+Z shop: revision \d+, deploy 1 share 0 by admin$/);
    await site.configure({ admin: { listen: `127.0.0.1:${port}` } });
    expect(await halftone.stop()).toBe(0);
    halftone = await site.start();
    await until("the command to be back", () => command.out.includes("some events were missed"));
    const known = command.out.length;
    await halftone.deploy("shop", 2);
    await until("what it tells then", () => command.out.slice(known).includes("deploy 2 share 0 by admin"));
    expect(command.err).toContain("connecting again in 0.5 s");
    command.interrupt();
    expect(await command.exit).toBe(0);
  });

  it("are printed as JSON, one line each", async () => {
    const command = new Command(halftone, "events", "--json");
    const isEvent = (line: string): boolean => line.includes('"event":"app"');
    await until("a line", async () => {
      await halftone.deploy("shop", 0);
      return command.out.split("\n").some((line) => line.endsWith("}") && isEvent(line));
    });
    const line = command.out.split("\n").find((one) => isEvent(one))!;
    expect(JSON.parse(line)).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{8}-\d+$/) as string,
      event: "app",
      data: { app: "shop", what: "deploy 0 share 0" },
    });
    command.interrupt();
    expect(await command.exit).toBe(0);
  });

  it("end at once when the gateway stops, with the last of them told", async () => {
    const stream = await follow("");
    expect(await halftone.stop()).toBe(0);
    expect(await stream.ended).toBe("in order");
    expect(halftone.output).not.toMatch(/aborted|Error/);
  });

  /** A command that goes on until it is interrupted. */
  class Command {
    out = "";
    err = "";
    readonly exit: Promise<number | null>;
    readonly #child: ChildProcess;

    constructor(gateway: HalftoneProcess, ...args: readonly string[]) {
      const { PATH = "" } = process.env;
      this.#child = spawn(process.execPath, [CLI, ...args], {
        cwd: gateway.site.folder,
        env: { PATH, NO_COLOR: "1", ...environmentOf(gateway) },
        stdio: ["ignore", "pipe", "pipe"],
      });
      scene.defer(() => this.#child.kill("SIGKILL"));
      this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => (this.out += text));
      this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.err += text));
      this.exit = new Promise((resolve) => this.#child.on("close", resolve));
    }

    interrupt(): void {
      this.#child.kill("SIGINT");
    }
  }
});
