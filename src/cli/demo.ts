import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { pino } from "pino";
import { startHalftone, type Halftone } from "../app.ts";
import { DemoLoad, type Who } from "./demo-load.ts";
import { DemoServer } from "./demo-servers.ts";

const APP = "demo";
const BAR = 24;
const CLIENTS = 12;

interface Stage {
  readonly deploy: number;
  readonly title: string;
  /** Group that is updated to v2 once nobody is sent there. */
  readonly update?: string;
}

const STAGES: readonly Stage[] = [
  { deploy: 0, title: "nothing is being updated: everybody is served by both groups" },
  {
    deploy: 1,
    title: "group1 is updated: testers see it, everybody else is served by group2",
    update: "group1",
  },
  {
    deploy: 2,
    title: "group2 is updated: testers see it, everybody else is served by group1",
    update: "group2",
  },
  { deploy: 0, title: "done: everybody is served by both groups, all of them new" },
];

/** `halftone demo`: a whole release of two groups under load, on this machine, in the terminal. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("show a whole release on this machine: gateway, four servers, clients and a tester")
    .option("--seconds <n>", "seconds a stage lasts", "5")
    .option("--once", "end after the last stage (so it does when the output is no terminal)")
    .action(async (options: { seconds: string; once?: boolean }) => {
      const seconds = Number(options.seconds);
      const once = options.once === true || !process.stdout.isTTY;
      process.exitCode = await demo(Number.isFinite(seconds) && seconds > 0 ? seconds : 5, once);
    });
}

async function demo(seconds: number, once: boolean): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = (): void => {
    // Whoever asks twice does not want to wait for what the first time began.
    if (interrupted.signal.aborted) process.exit(1);
    interrupted.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const folder = await mkdtemp(join(tmpdir(), "halftone-demo-"));
  const servers = await startServers();
  let halftone: Halftone | undefined;
  let load: DemoLoad | undefined;
  try {
    halftone = await startGateway(folder, servers);
    load = new DemoLoad(portOf(halftone), CLIENTS);
    printAddresses(halftone, servers, folder);
    const screen = new Screen(load, servers);
    for (const stage of STAGES) {
      if (interrupted.signal.aborted) break;
      await setDeploy(halftone, folder, stage.deploy);
      screen.begin(stage);
      if (stage.update !== undefined) await updateGroup(servers, stage.update);
      await screen.show(seconds * 1000, interrupted.signal);
    }
    print(`\n  ${load.requests} requests, ${load.failed} failed\n`);
    if (!once && !interrupted.signal.aborted) {
      print(
        `  Still running. Try:  curl ${halftone.listen.map((address) => `http://${address}/`).join(" ")}`,
      );
      print(
        `                       curl --interface 127.0.0.111 -i http://${halftone.listen[0]}/   (the tester)`,
      );
      print("  Ctrl-C stops.\n");
      await delay(2 ** 31 - 1, undefined, { signal: interrupted.signal }).catch(() => {});
    }
    return load.failed === 0 ? 0 : 1;
  } finally {
    await load?.stop();
    await halftone?.stop();
    await Promise.all(servers.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

async function startServers(): Promise<DemoServer[]> {
  const host = (n: number): string => (process.platform === "linux" ? `127.0.4.${n}` : "127.0.0.1");
  const servers = [1, 2, 3, 4].map((n) => new DemoServer(n <= 2 ? "group1" : "group2", host(n), "v1"));
  for (const server of servers) await server.start();
  return servers;
}

async function startGateway(folder: string, servers: readonly DemoServer[]): Promise<Halftone> {
  const addresses = (group: string): string[] =>
    servers.filter((server) => server.group === group).map((server) => server.address);
  const document = {
    name: APP,
    groups: {
      group1: { weight: 10, servers: addresses("group1") },
      group2: { weight: 10, servers: addresses("group2") },
    },
    testers: ["127.0.0.111", { header: "x-tester", equals: "1" }],
  };
  await writeFile(join(folder, "demo.json"), JSON.stringify(document));
  const config = {
    gateway: { listen: `127.0.0.1:${await freePort(8080)}`, workers: 0 },
    admin: { listen: `127.0.0.1:${await freePort(9090)}` },
    directory: "file:./data",
    apps: ["./demo.json"],
  };
  const path = join(folder, "halftone.yaml");
  await writeFile(path, JSON.stringify(config));
  return startHalftone(path, pino({ level: "silent" }));
}

/** Turns the switch the way an operator's script does: through the admin API. */
async function setDeploy(halftone: Halftone, folder: string, deploy: number): Promise<void> {
  const response = await fetch(`${halftone.adminUrl}/api/v1/apps/${APP}/deploy`, {
    method: "PUT",
    headers: { "content-type": "application/json", authorization: `Bearer ${halftone.token}` },
    body: JSON.stringify({ deploy }),
  });
  if (!response.ok) throw new Error(`deploy ${deploy} was refused (${folder}): ${await response.text()}`);
}

/** One server after the other, so that a tester always finds one. */
async function updateGroup(servers: readonly DemoServer[], group: string): Promise<void> {
  for (const server of servers) if (server.group === group) await server.update("v2");
}

/** Draws who is served by which version: light dots for the old one, full ones for the new. */
class Screen {
  private readonly load: DemoLoad;
  private readonly servers: readonly DemoServer[];
  private readonly live: boolean = process.stdout.isTTY;

  constructor(load: DemoLoad, servers: readonly DemoServer[]) {
    this.load = load;
    this.servers = servers;
  }

  begin(stage: Stage): void {
    print(`\n  deploy ${stage.deploy}  ${stage.title}`);
  }

  async show(milliseconds: number, signal: AbortSignal): Promise<void> {
    const until = performance.now() + milliseconds;
    let drawn = 0;
    while (performance.now() < until && !signal.aborted) {
      await delay(Math.min(200, milliseconds), undefined, { signal }).catch(() => {});
      if (!this.live) continue;
      if (drawn > 0) process.stdout.write(`\x1b[${drawn}A`);
      drawn = this.draw();
    }
    if (!this.live) this.draw();
  }

  /** Returns the number of lines. */
  private draw(): number {
    const groups = [...new Set(this.servers.map((server) => server.group))];
    for (const group of groups) {
      const versions = new Set(
        this.servers.filter((server) => server.group === group).map(({ version }) => version),
      );
      print(
        `    ${group} ${[...versions].join("+").padEnd(5)} ${this.bar("public", group)}   ${this.bar("tester", group)}`,
      );
    }
    return groups.length;
  }

  private bar(who: Who, group: string): string {
    const counts = this.load.recent(who);
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const of = (version: string): number =>
      total === 0 ? 0 : (counts.get(`${group} ${version}`) ?? 0) / total;
    const old = Math.round(of("v1") * BAR);
    const fresh = Math.round(of("v2") * BAR);
    const percent = Math.round((of("v1") + of("v2")) * 100);
    const bar = ("█".repeat(fresh) + "░".repeat(old)).padEnd(BAR, "·").slice(0, BAR);
    return `${who} ${bar} ${String(percent).padStart(3)} %`;
  }
}

function printAddresses(halftone: Halftone, servers: readonly DemoServer[], folder: string): void {
  print("\n  Halftone demo: a release over two groups, with clients who must not notice\n");
  print(`    gateway  http://${halftone.listen[0]}`);
  print(`    admin    ${halftone.adminUrl}/api/v1/apps   token in ${join(folder, "data", "admin-token")}`);
  for (const group of ["group1", "group2"]) {
    const addresses = servers
      .filter((server) => server.group === group)
      .map(({ address }) => `http://${address}`);
    print(`    ${group}   ${addresses.join("  ")}`);
  }
  print(`    clients  ${CLIENTS} of the public, 1 tester (127.0.0.111)`);
  print("\n    ░ served by version 1   █ served by version 2");
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

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
