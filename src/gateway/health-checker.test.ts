import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { compileApp } from "../config/compile-app.ts";
import type { App } from "../core/app.ts";
import { AddressGuard } from "./address-guard.ts";
import { HealthChecker } from "./health-checker.ts";
import type { CheckFinding } from "./server-status.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

interface Backend {
  status: number;
  readonly paths: string[];
  readonly address: string;
}

async function backend(): Promise<Backend> {
  const state = { status: 200, paths: [] as string[], address: "" };
  const server: Server = createServer((request, response) => {
    state.paths.push(request.url ?? "");
    response.writeHead(state.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.4.9", resolve));
  open.push(() => {
    server.close();
    server.closeAllConnections();
  });
  state.address = `127.0.4.9:${(server.address() as AddressInfo).port}`;
  return state;
}

function app(address: string, revision: number, check: object | undefined): App {
  const groups = { group1: { servers: [address] } };
  const health =
    check === undefined
      ? {}
      : { health: { check: { path: "/up", interval: "5ms", timeout: "5s", ...check } } };
  return compileApp({ name: "a", groups, ...health }, revision);
}

function checker(): { checker: HealthChecker; next: () => Promise<CheckFinding> } {
  const found: CheckFinding[] = [];
  let wake: (() => void) | undefined;
  const made = new HealthChecker(
    (finding) => {
      found.push(finding);
      wake?.();
    },
    () => new AddressGuard([], []),
  );
  open.push(() => made.stop());
  return {
    checker: made,
    async next() {
      if (found.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return found.shift()!;
    },
  };
}

describe("HealthChecker", () => {
  it("takes a server out that answers another status, and brings it back", async () => {
    const server = await backend();
    const { checker: checks, next } = checker();
    checks.follow(app(server.address, 1, { expect: [200, 204] }));
    server.status = 500;
    const out = await next();
    expect(out).toMatchObject({ kind: "check", app: "a", server: server.address, healthy: false });
    expect(out.error).toBe("check /up: status 500, expected 200 or 204");
    server.status = 204;
    expect(await next()).toMatchObject({ server: server.address, healthy: true });
    expect(new Set(server.paths)).toEqual(new Set(["/up"]));
  });

  it("takes a server out that refuses connections", async () => {
    const server = await backend();
    for (const close of open.splice(0)) close();
    const { checker: checks, next } = checker();
    checks.follow(app(server.address, 1, {}));
    expect((await next()).error).toBe("check /up: ECONNREFUSED");
  });

  it("counts a server as healthy again when its check is taken away", async () => {
    const server = await backend();
    server.status = 503;
    const { checker: checks, next } = checker();
    checks.follow(app(server.address, 1, {}));
    expect((await next()).healthy).toBe(false);
    checks.follow(app(server.address, 2, undefined));
    expect((await next()).healthy).toBe(true);
  });
});
