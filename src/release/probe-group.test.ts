import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { compileApp } from "../config/compile-app.ts";
import type { App } from "../core/app.ts";
import type { CheckedServer } from "../core/release-event.ts";
import { AddressGuard } from "../gateway/address-guard.ts";
import { NO_TLS } from "../gateway/tls-material.ts";
import { ServerTlsTable } from "../gateway/tls-servers.ts";
import { probeGroup } from "./probe-group.ts";
import { FakeTime } from "./time.fixture.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

interface Backend {
  status: number;
  readonly address: string;
  readonly paths: string[];
  close(): void;
}

async function backend(status: number, port = 0): Promise<Backend> {
  const paths: string[] = [];
  const server: Server = createServer((request, response) => {
    paths.push(request.url ?? "");
    response.writeHead(made.status).end();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.4.9", resolve));
  const made: Backend = {
    status,
    paths,
    address: `127.0.4.9:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  open.push(() => made.close());
  return made;
}

function app(servers: readonly string[], more: object = {}): App {
  return compileApp({ name: "a", groups: { blue: { servers } }, ...more }, 1);
}

/** `next`: moves on to the next round, and what it told. */
function probe(app: App, own: readonly number[] = []) {
  const time = new FakeTime();
  const rounds: (readonly CheckedServer[])[] = [];
  let wake = (): void => {};
  const guard = new AddressGuard(
    own.map((port) => ({ kind: "tcp", host: "127.0.4.9", port })),
    [],
  );
  const tls = new ServerTlsTable({}, NO_TLS);
  const probe = probeGroup(
    { app, servers: app.groups[0]!.servers, guard: () => guard, serverTls: () => tls, time },
    (servers) => {
      rounds.push(servers);
      wake();
    },
  );
  open.push(() => probe.stop());
  return {
    time,
    probe,
    rounds,
    next: async (): Promise<readonly CheckedServer[]> => {
      if (time.isAwaited(500)) time.advance(500);
      if (rounds.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return rounds.shift()!;
    },
  };
}

describe("probeGroup", () => {
  it("counts the checks in a row that every server passes", async () => {
    const [one, two] = [await backend(200), await backend(503)];
    const { next } = probe(
      app([one.address, two.address], { health: { check: { path: "/up", expect: [200, 204] } } }),
    );
    const failed = { id: two.address, passed: 0, error: "check /up: status 503, expected 200 or 204" };
    expect(await next()).toEqual([{ id: one.address, passed: 1 }, failed]);
    expect(await next()).toEqual([{ id: one.address, passed: 2 }, failed]);
    two.status = 204;
    expect(await next()).toEqual([
      { id: one.address, passed: 3 },
      { id: two.address, passed: 1 },
    ]);
    one.status = 500;
    expect(await next()).toMatchObject([{ passed: 0 }, { passed: 2 }]);
    expect(new Set(one.paths)).toEqual(new Set(["/up"]));
  });

  it("takes any status below 500 for /, where the app has no check", async () => {
    const server = await backend(404);
    const { next } = probe(app([server.address]));
    expect(await next()).toEqual([{ id: server.address, passed: 1 }]);
    server.status = 500;
    expect(await next()).toMatchObject([{ passed: 0, error: "check /: status 500, expected one below 500" }]);
    expect(server.paths).toEqual(["/", "/"]);
  });

  it("finds a server that comes up late", async () => {
    const before = await backend(200);
    before.close();
    const { next } = probe(app([before.address]));
    expect(await next()).toEqual([{ id: before.address, passed: 0, error: "check /: ECONNREFUSED" }]);
    await backend(200, Number(before.address.split(":")[1]));
    expect(await next()).toEqual([{ id: before.address, passed: 1 }]);
  });

  it("does not connect to where the gateway does not", async () => {
    const server = await backend(200);
    const { next } = probe(app([server.address]), [Number(server.address.split(":")[1])]);
    expect(await next()).toMatchObject([
      { passed: 0, error: expect.stringContaining("is this gateway") as string },
    ]);
    expect(server.paths).toEqual([]);
  });

  it("tells of all servers of a large group", async () => {
    const server = await backend(200);
    const port = server.address.split(":")[1];
    const servers = Array.from({ length: 150 }, (_, index) => `127.0.5.${index + 1}:${port}`);
    const { next } = probe(app([server.address, ...servers]));
    const told = await next();
    expect(told.map(({ id }) => id)).toEqual([server.address, ...servers]);
    expect(told.filter(({ passed }) => passed === 1)).toHaveLength(1);
  });

  it("tells nothing after a stop", async () => {
    const server = await backend(200);
    const { next, probe: probing, rounds, time } = probe(app([server.address]));
    await next();
    probing.stop();
    expect(time.isAwaited(500)).toBe(false);
    time.advance(5000);
    expect(rounds).toEqual([]);
    expect(server.paths).toHaveLength(1);
  });
});
