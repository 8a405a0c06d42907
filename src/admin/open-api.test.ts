import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAdmin, type RunningAdmin } from "../../test/admin/running-admin.ts";
import { LocalRoster } from "../fleet/roster.ts";
import { createAdminApi } from "./api.ts";

interface OpenApi {
  openapi: string;
  paths: Record<
    string,
    Record<string, { operationId: string; security?: unknown; responses: Record<string, unknown> }>
  >;
  components: { securitySchemes: Record<string, unknown> };
}

let admin: RunningAdmin;
let document: OpenApi;
beforeAll(async () => {
  admin = await runAdmin();
  document = (await (await fetch(`${admin.url}/openapi.json`)).json()) as OpenApi;
});
afterAll(() => admin.stop());

describe("the OpenAPI document", () => {
  it("describes exactly the routes that are mounted", () => {
    const { store, audit, access, metrics } = admin;
    const gateway = { servers: () => Promise.resolve([]), readiness: () => admin.plane.readiness };
    const fleet = { roster: new LocalRoster(), id: "1", digest: () => "" };
    const api = createAdminApi({
      store,
      audit,
      gateway,
      fleet,
      releases: admin.releases,
      access,
      events: admin.events,
      metrics,
      version: "1",
      now: () => 0,
    });
    const mounted = api.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(mounted.sort());
    expect(described).toContain("PUT /api/v1/apps/{name}/deploy");
  });

  it("is version 3.1, its operations have distinct names, and those that need a token say so", () => {
    expect(document.openapi).toBe("3.1.0");
    const ids = new Set<string>();
    expect(document.components.securitySchemes).toMatchObject({
      token: { type: "http", scheme: "bearer" },
      session: { type: "apiKey", in: "cookie", name: "halftone_session" },
    });
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const { operationId, security, responses } of Object.values(methods)) {
        expect(ids.has(operationId), operationId).toBe(false);
        ids.add(operationId);
        const isClosed = path.startsWith("/api/v1/") && operationId !== "logIn";
        expect(security, operationId).toEqual(isClosed ? [{ token: [] }, { session: [] }] : undefined);
        if (isClosed) expect(Object.keys(responses)).toEqual(expect.arrayContaining(["401", "403", "429"]));
      }
    }
  });

  it("holds nothing that JSON Schema cannot say", () => {
    const { put } = document.paths["/api/v1/apps/{name}/deploy"] ?? {};
    expect(JSON.stringify(put)).toContain('"required":["deploy"]');
    expect(JSON.stringify(document)).toContain('"groups"');
  });
});

describe("security", () => {
  it("lets nobody in without a token, wherever under /api/v1", async () => {
    for (const path of ["/api/v1/apps", "/api/v1/audit", "/api/v1/nothing", "/api/v1/"]) {
      const answer = await fetch(admin.url + path);
      expect(answer.status, path).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
    }
    for (const Authorization of ["Bearer", "Bearer wrong", "Basic dGVzdA==", "test-token-0123456789"]) {
      const answer = await admin.call("/api/v1/apps", { headers: { Authorization } });
      expect(answer.status, Authorization).toBe(401);
    }
    const sneaked = await fetch(`${admin.url}//api/v1/apps`);
    expect(sneaked.status).toBe(404);
    expect((await fetch(`${admin.url}/api%2Fv1/apps`)).status).toBe(404);
    expect((await admin.call("/api/v1/apps")).status).toBe(200);
  });

  it("does not tell an outsider which apps exist, and does not record what an outsider tries", async () => {
    const before = await readFile(`${admin.folder}/audit.jsonl`, "utf8");
    const put = await fetch(`${admin.url}/api/v1/apps/shop`, { method: "PUT", body: "{}" });
    expect(put.status).toBe(401);
    expect(await readFile(`${admin.folder}/audit.jsonl`, "utf8")).toBe(before);
  });

  it("marks every answer as data that nobody keeps", async () => {
    for (const path of ["/healthz", "/api/v1/apps", "/nothing"]) {
      const { headers } = await fetch(admin.url + path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cache-control")).toBe("no-store");
    }
  });
});
