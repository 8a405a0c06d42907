import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppStore } from "../../src/directory/app-store.ts";
import type { Directory } from "../../src/directory/directory.ts";
import { MemoryDirectory } from "../../src/directory/memory-directory.ts";
import type { ServerStatus } from "../../src/gateway/server-status.ts";
import { startAdminServer } from "../../src/admin/admin-server.ts";
import { createAdminApi } from "../../src/admin/api.ts";
import { Audit } from "../../src/admin/audit.ts";
import { LocalRoster } from "../../src/fleet/roster.ts";
import type { Readiness } from "../../src/admin/gateway-view.ts";
import { ReleaseDesk } from "./release-desk.ts";
import { tokenSet } from "../../src/admin/token-set.ts";

/** An admin server for tests: real store, audit and sockets; the data plane says what the test tells it to. */
export interface RunningAdmin {
  readonly url: string;
  readonly folder: string;
  readonly store: AppStore;
  readonly audit: Audit;
  readonly releases: ReleaseDesk;
  readonly roster: LocalRoster;
  /** What the data plane reports; tests write to it. */
  readonly plane: { servers: ServerStatus[]; readiness: Readiness };
  /** With the token, unless the test gives another Authorization. */
  call(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

export const TEST_TOKEN: string = "test-token-0123456789";
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

function ignore(): void {}

export async function runAdmin(directory: Directory = new MemoryDirectory()): Promise<RunningAdmin> {
  const folder = await mkdtemp(join(tmpdir(), "halftone-admin-"));
  const log = { info: ignore, warn: ignore, error: ignore };
  const store = await AppStore.open({ directory, backup: undefined, now: () => NOW, log });
  const audit = await Audit.open(folder);
  audit.follow(store);
  const releases = new ReleaseDesk(store, NOW);
  const plane: RunningAdmin["plane"] = {
    servers: [],
    readiness: {
      ready: true,
      draining: false,
      workers: { running: 2, expected: 2 },
      listen: ["127.0.0.1:8080"],
    },
  };
  const roster = new LocalRoster();
  const api = createAdminApi({
    store,
    audit,
    tokens: tokenSet([{ name: "admin", token: TEST_TOKEN }]),
    gateway: {
      servers: (app) => Promise.resolve(plane.servers.filter((server) => server.app === app)),
      readiness: () => plane.readiness,
    },
    fleet: { roster, id: "1", digest: () => "" },
    releases,
    version: "0.0.0-test",
    now: () => NOW,
  });
  const server = await startAdminServer({ listen: { kind: "tcp", host: "127.0.0.1", port: 0 }, api });
  return {
    url: server.url,
    folder,
    store,
    audit,
    releases,
    roster,
    plane,
    call(path, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TEST_TOKEN}`);
      return fetch(server.url + path, { ...init, headers });
    },
    async stop() {
      await server.close();
      await store.close();
      await audit.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
