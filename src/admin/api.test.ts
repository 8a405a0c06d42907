import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAdmin, type RunningAdmin } from "../../test/admin/running-admin.ts";
import { DirectoryUnavailable } from "../directory/directory.ts";
import { MemoryDirectory } from "../directory/memory-directory.ts";

const SHOP = {
  name: "shop",
  groups: {
    group1: { weight: 10, servers: ["10.0.4.175", "10.0.4.176"] },
    group2: { weight: 10, servers: ["10.0.4.146"] },
  },
  testers: ["10.0.0.111", { header: "X-Tester", equals: "1" }, { cookie: "beta", equals: "yes" }],
};

interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  current?: number | null;
  problems?: { path: string; found: string; expected: string }[];
}

let admin: RunningAdmin;
beforeEach(async () => {
  admin = await runAdmin();
});
afterEach(() => admin.stop());

function send(
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return admin.call(path, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

async function createShop(): Promise<void> {
  const answer = await send("PUT", "/api/v1/apps/shop", SHOP, { "If-None-Match": "*" });
  expect(answer.status).toBe(201);
}

async function problem(answer: Response, status: number, code: string): Promise<ProblemBody> {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const body = (await answer.json()) as ProblemBody;
  expect(body).toMatchObject({ status, type: `urn:halftone:problem:${code}` });
  expect(answer.status).toBe(status);
  expect(body.detail).not.toBe("");
  return body;
}

async function ask(body: unknown): Promise<Record<string, unknown>> {
  const answer = await send("POST", "/api/v1/apps/shop/explain", body);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
}

describe("documents", () => {
  it("come back as they are, with their revision as ETag", async () => {
    const created = await send("PUT", "/api/v1/apps/shop", SHOP, { "If-None-Match": "*" });
    expect([created.status, created.headers.get("etag"), created.headers.get("location")]).toEqual([
      201,
      '"1"',
      "/api/v1/apps/shop",
    ]);
    const read = await admin.call("/api/v1/apps/shop");
    const document: unknown = await read.json();
    expect(document).toEqual(SHOP);
    const replaced = await send("PUT", "/api/v1/apps/shop", document, {
      "If-Match": read.headers.get("etag")!,
    });
    expect([replaced.status, replaced.headers.get("etag")]).toEqual([200, '"2"']);
    expect(await replaced.json()).toEqual(SHOP);
  });

  it("are listed in short", async () => {
    await createShop();
    const list = await admin.call("/api/v1/apps");
    expect(await list.json()).toEqual([
      {
        name: "shop",
        revision: 1,
        deploy: 0,
        share: 0,
        groups: ["group1", "group2"],
        servers: 3,
        testing: true,
        release: null,
        freeze: null,
      },
    ]);
  });

  it("may be written in YAML and in the original's forms", async () => {
    const yaml = await admin.call("/api/v1/apps/y", {
      method: "PUT",
      headers: { "If-Match": "*", "Content-Type": "application/yaml; charset=utf-8" },
      body: "routes: [{path: /y}]\ngroups: {a: {servers: [10.0.0.1]}}\n",
    });
    expect(yaml.status).toBe(201);
    expect(await yaml.json()).toMatchObject({ name: "y" });
    const original = { image: "o", routes: [{ path: "/o" }], weight: { group1: "5" }, group1: ["10.0.0.1"] };
    const raw = await send("PUT", "/api/v1/apps/o", original, { "If-Match": "*" });
    expect(raw.status).toBe(201);
    expect(await raw.json()).toMatchObject({ name: "o", groups: { group1: { weight: 5 } } });
  });

  it("are never overwritten without saying what was seen", async () => {
    await createShop();
    await problem(await send("PUT", "/api/v1/apps/shop", SHOP), 428, "precondition-required");
    const deletion = await admin.call("/api/v1/apps/shop", { method: "DELETE" });
    await problem(deletion, 428, "precondition-required");
    expect(admin.store.get("shop")?.revision).toBe(1);
  });

  it("are not replaced by a writer who saw an older revision", async () => {
    await createShop();
    expect((await send("PUT", "/api/v1/apps/shop", SHOP, { "If-Match": "1" })).status).toBe(200);
    const stale = await send("PUT", "/api/v1/apps/shop", SHOP, { "If-Match": '"1"' });
    expect(stale.headers.get("etag")).toBe('"2"');
    expect(await problem(stale, 412, "stale")).toMatchObject({ current: 2 });
    const exists = await send("PUT", "/api/v1/apps/shop", SHOP, { "If-None-Match": "*" });
    expect(await problem(exists, 412, "stale")).toMatchObject({ current: 2 });
    const gone = await send("PUT", "/api/v1/apps/other", { ...SHOP, name: "other" }, { "If-Match": '"1"' });
    expect(await problem(gone, 412, "stale")).toMatchObject({ current: null });
    const deletion = await admin.call("/api/v1/apps/shop", {
      method: "DELETE",
      headers: { "If-Match": '"1"' },
    });
    await problem(deletion, 412, "stale");
    expect((await send("PUT", "/api/v1/apps/shop", SHOP, { "If-Match": "*" })).status).toBe(200);
  });

  it.each([
    [{ "If-Match": "abc" }],
    [{ "If-Match": 'W/"1"' }],
    [{ "If-Match": '"1", "2"' }],
    [{ "If-None-Match": '"1"' }],
    [{ "If-Match": "*", "If-None-Match": "*" }],
  ])("are not written under a precondition that is not understood: %j", async (headers) => {
    await problem(await send("PUT", "/api/v1/apps/shop", SHOP, headers), 400, "bad-request");
    expect(admin.store.list()).toEqual([]);
  });

  it("are deleted, and their revision goes on where it was", async () => {
    await createShop();
    const deletion = await admin.call("/api/v1/apps/shop", {
      method: "DELETE",
      headers: { "If-Match": '"1"' },
    });
    expect([deletion.status, await deletion.text()]).toEqual([204, ""]);
    await problem(await admin.call("/api/v1/apps/shop"), 404, "no-such-app");
    const again = await admin.call("/api/v1/apps/shop", { method: "DELETE", headers: { "If-Match": "*" } });
    await problem(again, 404, "no-such-app");
    const created = await send("PUT", "/api/v1/apps/shop", SHOP, { "If-None-Match": "*" });
    expect(Number(created.headers.get("etag")?.replaceAll('"', ""))).toBeGreaterThan(1);
  });

  it("that are wrong are refused with everything that is wrong, and the old one stays", async () => {
    await createShop();
    const wrong = { name: "shop", deploy: 7, groups: { group1: { servers: ["10.0.4.999"], wieght: 1 } } };
    const answer = await send("PUT", "/api/v1/apps/shop", wrong, { "If-Match": "*" });
    const { detail, problems = [] } = await problem(answer, 422, "invalid-document");
    expect(detail).toContain("previous document stays in force");
    const paths = problems.map(({ path }) => path);
    expect(paths).toContain("groups.group1.servers[0]");
    expect(paths).toContain("groups.group1.wieght");
    expect(admin.store.get("shop")?.document).toEqual(SHOP);
  });

  it("of two apps may not claim the same route", async () => {
    await createShop();
    const answer = await send("PUT", "/api/v1/apps/rival", { ...SHOP, name: "rival" }, { "If-Match": "*" });
    const { problems } = await problem(answer, 422, "invalid-document");
    expect(JSON.stringify(problems)).toContain("shop");
  });

  it("cannot be put under another name, nor under one that is none", async () => {
    const other = await send("PUT", "/api/v1/apps/other", SHOP, { "If-Match": "*" });
    await problem(other, 422, "invalid-document");
    for (const name of ["..%2F..%2Fetc", "__proto__%00", "%E0%A4%A"]) {
      const { groups } = SHOP;
      const answer = await send("PUT", `/api/v1/apps/${name}`, { groups }, { "If-Match": "*" });
      expect([400, 404, 422]).toContain(answer.status);
    }
    expect(admin.store.list()).toEqual([]);
  });

  it("that cannot be read as text are refused before anything else", async () => {
    const put = (body: string | Uint8Array<ArrayBuffer>, type: string): Promise<Response> =>
      admin.call("/api/v1/apps/shop", {
        method: "PUT",
        headers: { "If-Match": "*", "Content-Type": type },
        body,
      });
    await problem(await put("{", "application/json"), 400, "bad-request");
    await problem(await put("name: shop", "application/json"), 400, "bad-request");
    await problem(await put("", "application/json"), 400, "bad-request");
    await problem(await put('{"name": "shop", "name": "shop"}', "application/json"), 400, "bad-request");
    await problem(await put("a: [", "text/yaml"), 400, "bad-request");
    await problem(await put(new Uint8Array([0x22, 0xff, 0x22]), "application/json"), 400, "bad-request");
    await problem(
      await put("[".repeat(200_000) + "]".repeat(200_000), "application/json"),
      400,
      "bad-request",
    );
    await problem(await put("<app/>", "application/xml"), 415, "unsupported-media-type");
    const bare = await admin.call("/api/v1/apps/shop", { method: "PUT", headers: { "If-Match": "*" } });
    await problem(bare, 415, "unsupported-media-type");
  });

  it("larger than 1 MiB are refused, whether or not the length is announced", async () => {
    const text = JSON.stringify({ ...SHOP, name: "x".repeat(1024 * 1024) });
    const headers = { "If-Match": "*", "Content-Type": "application/json" };
    const announced = await admin.call("/api/v1/apps/shop", { method: "PUT", headers, body: text });
    await problem(announced, 413, "body-too-large");
    const init = { method: "PUT", headers, body: new Blob([text]).stream(), duplex: "half" };
    await problem(await admin.call("/api/v1/apps/shop", init as RequestInit), 413, "body-too-large");
  });

  it("cannot be changed while the directory is away; the answer says why", async () => {
    await admin.stop();
    admin = await runAdmin(new BrokenDirectory());
    const answer = await send("PUT", "/api/v1/apps/shop", SHOP, { "If-Match": "*" });
    const { detail } = await problem(answer, 503, "directory-unavailable");
    expect(detail).toContain("no space left");
  });
});

describe("the switch", () => {
  it("is turned, with a share or without one", async () => {
    await createShop();
    const one = await send("PUT", "/api/v1/apps/shop/deploy", { deploy: 1, share: "12.5" });
    expect([one.status, one.headers.get("etag")]).toEqual([200, '"2"']);
    expect(await one.json()).toEqual({ name: "shop", deploy: 1, share: 12.5, revision: 2 });
    const two = await send("PUT", "/api/v1/apps/shop/deploy", { deploy: "2" }, { "If-Match": '"2"' });
    expect(await two.json()).toEqual({ name: "shop", deploy: 2, share: 0, revision: 3 });
    expect(admin.store.get("shop")?.document).toMatchObject({ ...SHOP, deploy: 2 });
  });

  it.each([
    [{ deploy: 3 }, "deploy"],
    [{ deploy: "x" }, "deploy"],
    [{ deploy: 1.5 }, "deploy"],
    [{ deploy: null }, "deploy"],
    [{}, "deploy"],
    [{ deploy: 1, share: 101 }, "share"],
    [{ deploy: 1, share: 0.001 }, "share"],
    [{ deploy: 1, sahre: 5 }, "sahre"],
    ["1", ""],
  ])("refuses %j and stays where it is", async (body, path) => {
    await createShop();
    const answer = await send("PUT", "/api/v1/apps/shop/deploy", body);
    const { problems } = await problem(answer, 422, "invalid-document");
    expect(problems?.map((one) => one.path)).toEqual([path]);
    expect(admin.store.get("shop")?.revision).toBe(1);
  });

  it("names the apps there are when there is none of that name", async () => {
    await createShop();
    const { detail } = await problem(
      await send("PUT", "/api/v1/apps/shpo/deploy", { deploy: 1 }),
      404,
      "no-such-app",
    );
    expect(detail).toContain("shop");
  });

  it("is not turned by who saw an older revision", async () => {
    await createShop();
    await send("PUT", "/api/v1/apps/shop/deploy", { deploy: 1 });
    const stale = await send("PUT", "/api/v1/apps/shop/deploy", { deploy: 2 }, { "If-Match": '"1"' });
    expect(await problem(stale, 412, "stale")).toMatchObject({ current: 2 });
  });
});

describe("explain", () => {
  it("answers with the very rule that decides", async () => {
    await createShop();
    expect(await ask({ ip: "203.0.113.9" })).toMatchObject({
      groups: ["group1", "group2"],
      rule: { kind: "everybody" },
      sentence: "nothing is being updated (deploy is 0); so group1 and group2 serve it, like everybody",
    });
    await send("PUT", "/api/v1/apps/shop/deploy", { deploy: 1 });
    expect(await ask({ ip: "203.0.113.9" })).toMatchObject({
      app: "shop",
      revision: 2,
      groups: ["group2"],
      pool: [{ server: "10.0.4.146:80", group: "group2", weight: 10 }],
      sentence: "203.0.113.9 is no tester; share is 0 %; so group2 (the group not under test) serves it",
    });
    expect(await ask({ ip: "::ffff:10.0.0.111" })).toMatchObject({
      ip: "10.0.0.111",
      groups: ["group1"],
      rule: { kind: "tester", by: "address", entry: "10.0.0.111" },
      sentence: "10.0.0.111 is a tester by the entry 10.0.0.111; so group1 (the group under test) serves it",
    });
    expect(await ask({ ip: "203.0.113.9", headers: { "x-TESTER": "1" } })).toMatchObject({
      rule: { kind: "tester", by: "header" },
    });
    expect(await ask({ ip: "203.0.113.9", headers: { Cookie: "a=b; beta=yes" } })).toMatchObject({
      rule: { kind: "tester", by: "cookie", name: "beta" },
    });
    await send("PUT", "/api/v1/apps/shop/deploy", { deploy: 1, share: 50 });
    const { sentence } = await ask({ ip: "203.0.113.9" });
    expect(sentence).toMatch(
      /^203\.0\.113\.9 is no tester; its place by address is \d+\.\d\d, (not )?below the share of 50 %/,
    );
    await send("PUT", "/api/v1/apps/shop/deploy", { deploy: 1, share: 100 });
    expect(await ask({ ip: "203.0.113.9" })).toMatchObject({
      sentence: "203.0.113.9 is no tester; share is 100 %; so group1 (the group under test) serves it",
    });
  });

  it.each([
    [{}, ["ip"]],
    [{ ip: "shop.example" }, ["ip"]],
    [{ ip: "1.2.3" }, ["ip"]],
    [{ ip: "127.0.0.1", headers: { a: 1 } }, ["headers.a"]],
    [{ ip: "127.0.0.1", cookies: {} }, ["cookies"]],
  ])("refuses to guess for %j", async (body, paths) => {
    await createShop();
    const answer = await send("POST", "/api/v1/apps/shop/explain", body);
    const { problems } = await problem(answer, 422, "invalid-document");
    expect(problems?.map(({ path }) => path)).toEqual(paths);
  });
});

describe("servers", () => {
  it("are told with their state", async () => {
    await createShop();
    const server = {
      app: "shop",
      group: "group1",
      weight: 10,
      inFlight: 1,
      requests: 5,
      failures: 0,
      healthy: true,
    };
    admin.plane.servers = [
      { ...server, server: "10.0.4.175:80", deadUntil: null, lastError: null },
      { ...server, server: "10.0.4.176:80", deadUntil: 1_700_000_000_000, lastError: "connection refused" },
      { ...server, server: "10.0.4.177:80", deadUntil: null, lastError: "status 500", healthy: false },
      { ...server, app: "other", server: "10.0.9.9:80", deadUntil: null, lastError: null },
    ];
    const rows = (await (await admin.call("/api/v1/apps/shop/servers")).json()) as unknown[];
    expect(rows).toHaveLength(3);
    expect(rows).toMatchObject([
      { server: "10.0.4.175:80", state: "up", deadUntil: null },
      { state: "dead", deadUntil: "2023-11-14T22:13:20.000Z", lastError: "connection refused" },
      { state: "dead", deadUntil: null, healthy: false, lastError: "status 500" },
    ]);
    await problem(await admin.call("/api/v1/apps/none/servers"), 404, "no-such-app");
  });
});

describe("the audit", () => {
  it("tells who changed what, newest first, and who tried in vain", async () => {
    await createShop();
    await send("PUT", "/api/v1/apps/shop/deploy", { deploy: 1, share: 25 }, { "X-Halftone-Actor": "ci" });
    await send("PUT", "/api/v1/apps/shop/deploy", { deploy: 9 });
    await admin.call("/api/v1/apps/shop", { method: "DELETE", headers: { "If-Match": "*" } });
    const entries = (await (await admin.call("/api/v1/audit?app=shop")).json()) as unknown[];
    const at = "2026-01-02T03:04:05.000Z";
    expect(entries).toMatchObject([
      { at, by: "admin", what: "delete", app: "shop", from: 2, to: null },
      {
        by: "admin",
        what: "deploy",
        from: 2,
        to: null,
        refused: expect.stringContaining("deploy") as string,
      },
      { by: "admin (ci)", what: "deploy 1 share 25", from: 1, to: 2 },
      { by: "admin", what: "put", from: null, to: 1 },
    ]);
    expect(await (await admin.call("/api/v1/audit?limit=1")).json()).toHaveLength(1);
    expect(await (await admin.call("/api/v1/audit?app=none")).json()).toEqual([]);
    for (const limit of ["0", "x", "1001", "-1"]) {
      await problem(await admin.call(`/api/v1/audit?limit=${limit}`), 400, "bad-request");
    }
  });
});

describe("health", () => {
  it("is open, and readiness follows the data plane", async () => {
    const health = await fetch(`${admin.url}/healthz`);
    expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
    const ready = await fetch(`${admin.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      status: "ready",
      directory: { directory: "memory", state: "current" },
      workers: { running: 2, expected: 2 },
      audit: "current",
    });
    admin.plane.readiness = { ...admin.plane.readiness, ready: false };
    expect(await (await fetch(`${admin.url}/readyz`)).json()).toMatchObject({ status: "not ready" });
    admin.plane.readiness = { ...admin.plane.readiness, ready: true, draining: true };
    const draining = await fetch(`${admin.url}/readyz`);
    expect(draining.status).toBe(503);
    expect(await draining.json()).toMatchObject({ status: "draining" });
  });
});

describe("the address itself", () => {
  it("says in plain text what it is and where to go on", async () => {
    const answer = await fetch(`${admin.url}/`);
    expect(answer.headers.get("content-type")).toMatch("text/plain");
    expect(await answer.text()).toMatch("/openapi.json");
  });
});

describe("what is not there", () => {
  it("is a problem document too", async () => {
    await problem(await admin.call("/api/v1/nothing"), 404, "not-found");
    await problem(await admin.call("/index.html"), 404, "not-found");
    const answer = await admin.call("/api/v1/apps", { method: "POST" });
    expect(answer.headers.get("allow")).toBe("GET, HEAD");
    await problem(answer, 405, "method-not-allowed");
    const patch = await admin.call("/api/v1/apps/shop", { method: "PATCH" });
    expect(patch.headers.get("allow")).toBe("GET, HEAD, PUT, DELETE");
  });
});

/** Answers when read, and has no room to write. */
class BrokenDirectory extends MemoryDirectory {
  override write(): ReturnType<MemoryDirectory["write"]> {
    return Promise.reject(new DirectoryUnavailable("no space left on device"));
  }
}
