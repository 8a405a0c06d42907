import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { AppDocument } from "../../src/config/app-document.ts";
import { freePort } from "../e2e/harness/free-port.ts";
import { createSite, type HalftoneProcess, type Site } from "../e2e/harness/halftone-process.ts";
import type { Scene } from "../e2e/harness/scene.ts";
import { until } from "../e2e/harness/until.ts";
import { type RedisProcess, startRedis } from "../redis/redis-process.ts";

export const GROUP1: readonly string[] = ["127.0.7.1", "127.0.7.2"];
export const GROUP2: readonly string[] = ["127.0.7.11", "127.0.7.12"];
const TESTER = "127.0.7.99";

const HOOK = fileURLToPath(new URL("./replace-server-main.mjs", import.meta.url));
const run = promisify(execFile);

/** A short plan: everything by itself. */
export const SHORT: readonly object[] = [
  { share: 20, for: "300ms" },
  { share: 100, for: "300ms" },
  { hold: "300ms" },
];

export interface HookCall {
  readonly hook: "update" | "restore";
  readonly server: string;
  readonly version: string;
  readonly run: string;
}

/** Two groups of real server processes, gateways on one Redis, and a hook that replaces a server. */
export interface ReleaseStage {
  readonly redis: RedisProcess;
  readonly sites: readonly Site[];
  readonly gateways: HalftoneProcess[];
  readonly port: number;
  /** Where the hook writes what it did. */
  readonly folder: string;
  readonly document: AppDocument;
  hookCalls(): Promise<readonly HookCall[]>;
  /** What every server runs, by address. */
  versions(): ReadonlyMap<string, string>;
}

export interface StageWish {
  readonly gateways?: number;
  readonly idempotent?: boolean;
  readonly document?: Partial<AppDocument>;
  readonly hooks?: Readonly<Record<string, unknown>>;
}

export async function openStage(scene: Scene, wish: StageWish = {}): Promise<ReleaseStage> {
  const folder = await scene.folder();
  const servers = [...GROUP1, ...GROUP2];
  const port = await freePort(...servers);
  scene.defer(() => endServers(folder));
  for (const server of servers) await replaceServer(folder, `${server}:${port}`, "v0");
  const redis = await startRedis(scene);
  const replace = { command: [process.execPath, HOOK, folder], per: "server", timeout: "60s" };
  const sites: Site[] = [];
  for (let n = 1; n <= (wish.gateways ?? 2); n += 1) {
    sites.push(
      await createSite(scene, {
        name: `gateway-${n}`,
        directory: redis.url,
        hooks: { replace: { ...replace, idempotent: wish.idempotent ?? false }, ...wish.hooks },
      }),
    );
  }
  const gateways = await Promise.all(sites.map((site) => site.start()));
  const document: AppDocument = {
    name: "shop",
    port,
    groups: { group1: { servers: GROUP1 }, group2: { servers: GROUP2 } },
    testers: [TESTER],
    stickiness: [{ cookie: "uid" }, "address"],
    health: { check: { path: "/healthz", interval: "250ms" } },
    release: { update: "replace", restore: "replace", slowStart: "500ms", checks: 2 },
    ...wish.document,
  };
  await gateways[0]!.put("shop", document);
  const everywhere = await gateways[0]!.api("GET", "/apps/shop/convergence?wait=30s");
  if (everywhere.status !== 200) throw new Error(JSON.stringify(everywhere.body));
  return {
    redis,
    sites,
    gateways,
    port,
    folder,
    document,
    async hookCalls() {
      const text = await readFile(join(folder, "hooks.jsonl"), "utf8");
      const calls = text.trimEnd().split("\n");
      // The first ones brought the servers up.
      return calls.slice(servers.length).map((line) => JSON.parse(line) as HookCall);
    },
    versions() {
      return new Map(
        servers.map((server) => [
          server,
          readFileSync(join(folder, `${server}.version`), "utf8").split("\n")[0]!,
        ]),
      );
    },
  };
}

/** The hook, run by hand. */
async function replaceServer(folder: string, server: string, version: string): Promise<void> {
  await run(process.execPath, [HOOK, folder], {
    env: { ...process.env, HALFTONE_SERVER: server, HALFTONE_VERSION: version, HALFTONE_HOOK: "update" },
  });
}

export interface View {
  readonly id: string;
  readonly status: string;
  readonly phase: string;
  readonly group: string | null;
  readonly share: number;
  readonly waitingFor: string | null;
  readonly reason: string | null;
  readonly log: readonly { readonly at: string; readonly by: string; readonly what: string }[];
}

export async function release(gateway: HalftoneProcess, what: string, body: object = {}): Promise<View> {
  const path = what === "start" ? "" : `/${what}`;
  const answer = await gateway.api("POST", `/apps/shop/release${path}`, body);
  if (answer.status >= 300) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as View;
}

export async function viewOf(gateway: HalftoneProcess): Promise<View> {
  const answer = await gateway.api("GET", "/apps/shop/release");
  if (answer.status !== 200) throw new Error(`GET release: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as View;
}

/** Waits until the view is so; the error shows where the release stands. */
export async function reach(
  gateway: HalftoneProcess,
  what: string,
  condition: (view: View) => boolean,
  patience: number = 60_000,
): Promise<View> {
  let last: View | undefined;
  return await until(
    what,
    async () => {
      last = await viewOf(gateway).catch(() => last);
      return last !== undefined && condition(last) && last;
    },
    { patience, instead: () => last },
  );
}

async function endServers(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    if (!file.endsWith(".pid")) continue;
    try {
      process.kill(Number(readFileSync(join(folder, file), "utf8")), "SIGKILL");
    } catch {
      // It is gone already.
    }
  }
}
