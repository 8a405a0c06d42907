import { readFile, writeFile } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAdmin, TEST_TOKEN, type RunningAdmin } from "../../test/admin/running-admin.ts";
import { until } from "../../test/e2e/harness/until.ts";
import { type Role, ROLES } from "./role.ts";

let admin: RunningAdmin;
beforeEach(async () => {
  admin = await runAdmin();
});
afterEach(() => admin.stop());

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Source address, of 127.0.0.0/8. */
  readonly from?: string;
}

/** By node:http: fetch lets nobody set Host, Origin or Cookie. */
function send(path: string, { method = "GET", headers = {}, body, from }: Sent = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const options = {
      method,
      ...(from !== undefined && { localAddress: from }),
      headers: {
        ...(text !== undefined && {
          "Content-Type": "application/json",
          "Content-Length": Buffer.byteLength(text),
        }),
        ...headers,
      },
    };
    const sent = request(admin.url + path, options, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    sent.on("error", reject).end(text);
  });
}

function bearer(token: string): { readonly Authorization: string } {
  return { Authorization: `Bearer ${token}` };
}

function problem(answer: Answer, status: number, code: string): string {
  expect(answer.body).toContain(`urn:halftone:problem:${code}`);
  expect(answer.status).toBe(status);
  return (JSON.parse(answer.body) as { detail: string }).detail;
}

/** The cookie that the answer sets, ready to be sent. */
function cookieOf(answer: Answer): string {
  const [set = ""] = answer.headers["set-cookie"] ?? [];
  return set.split(";")[0] ?? "";
}

async function loggedIn(token: string = TEST_TOKEN): Promise<string> {
  const answer = await send("/api/v1/session", { method: "POST", body: { token } });
  expect(answer.status).toBe(200);
  return cookieOf(answer);
}

async function trail(limit: number = 20): Promise<string[]> {
  const entries = await admin.audit.newest({ limit });
  return entries.map(
    ({ by, what, refused }) => `${by}: ${what}${refused === undefined ? "" : ` (${refused})`}`,
  );
}

/** Who comes in, and who tries, is written down without anybody waiting for it. */
async function expectTrail(expected: readonly string[]): Promise<void> {
  await until(`${expected.length} lines of the audit`, async () => (await trail()).length >= expected.length);
  expect(await trail()).toEqual(expected);
}

const OWN = (): { readonly Origin: string } => ({ Origin: admin.url });

describe("logging in", () => {
  it("by the link of the log leads to the page without the token", async () => {
    const answer = await send(`/?token=${TEST_TOKEN}`);
    expect([answer.status, answer.headers.location, answer.body]).toEqual([303, "/", ""]);
    expect(answer.headers["set-cookie"]).toEqual([
      expect.stringMatching(
        /^halftone_session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
      ) as string,
    ]);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.headers["referrer-policy"]).toBe("no-referrer");
    const page = await send("/", { headers: { Cookie: cookieOf(answer) } });
    expect(page.body).toContain("You are logged in as admin (admin).");
    expect((await send("/")).body).toContain("You are not logged in");
    expect((await send(`/?token=${TEST_TOKEN}`, { method: "HEAD" })).headers["set-cookie"]).toBeUndefined();
  });

  it("by the API tells who one is, and until when", async () => {
    const ci = await admin.newToken("ci", "operator");
    const answer = await send("/api/v1/session", { method: "POST", body: { token: ci } });
    const session = { name: "ci", role: "operator", expires: "2026-01-02T15:04:05.000Z" };
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, session]);
    admin.time.now += 60_000;
    const later = await send("/api/v1/session", { headers: { Cookie: `a=b; ${cookieOf(answer)}` } });
    expect(JSON.parse(later.body)).toEqual({ ...session, expires: "2026-01-02T15:05:05.000Z" });
    const program = await send("/api/v1/session", { headers: bearer(ci) });
    expect(JSON.parse(program.body)).toEqual({ ...session, expires: null });
    await expectTrail(["ci: log in"]);
  });

  it("by https gives a cookie that goes by https alone", async () => {
    const answer = await send(`/?token=${TEST_TOKEN}`, { headers: { "X-Forwarded-Proto": "https" } });
    expect(answer.headers["set-cookie"]?.[0]).toMatch(/; Secure(?:;|$)/);
  });

  it("is refused with a wrong token, and nothing is set", async () => {
    for (const answer of [
      await send("/?token=wrong"),
      await send("/?token="),
      await send("/api/v1/session", { method: "POST", body: { token: "wrong" } }),
    ]) {
      problem(answer, 401, "unauthorized");
      expect(answer.headers["set-cookie"]).toBeUndefined();
      expect(answer.body).not.toContain("wrong");
    }
  });

  it.each([[{}], [{ token: 1 }], [{ token: "x", role: "admin" }], ["x"]])(
    "takes no body like %j",
    async (body) => {
      problem(await send("/api/v1/session", { method: "POST", body }), 422, "invalid-document");
    },
  );

  it("again ends the session before", async () => {
    const first = await loggedIn();
    await send(`/?token=${TEST_TOKEN}`, { headers: { Cookie: first } });
    problem(await send("/api/v1/apps", { headers: { Cookie: first } }), 401, "unauthorized");
  });

  it("cannot be brought about by another page", async () => {
    const answer = await send("/api/v1/session", {
      method: "POST",
      body: { token: TEST_TOKEN },
      headers: { Origin: "http://evil.example" },
    });
    problem(answer, 403, "cross-origin");
  });
});

describe("a session", () => {
  it("acts under the name and with the role of its token", async () => {
    const Cookie = await loggedIn(await admin.newToken("ann", "operator"));
    const groups = { a: { servers: ["10.0.0.1"] } };
    const put = await send("/api/v1/apps/shop", {
      method: "PUT",
      body: { groups },
      headers: { Cookie, "If-Match": "*", ...OWN() },
    });
    expect(put.status).toBe(201);
    const deletion = await send("/api/v1/apps/shop", {
      method: "DELETE",
      headers: { Cookie, "If-Match": "*", ...OWN() },
    });
    expect(problem(deletion, 403, "forbidden")).toBe(
      "found role operator of the token ann, expected admin; nothing was changed",
    );
    expect(await trail(2)).toEqual([
      "ann: deleteApp (found role operator of the token ann, expected admin; nothing was changed)",
      "ann: put",
    ]);
    expect(admin.store.get("shop")?.revision).toBe(1);
  });

  it("ends when one logs out", async () => {
    const Cookie = await loggedIn();
    const answer = await send("/api/v1/session", { method: "DELETE", headers: { Cookie, ...OWN() } });
    expect(answer.status).toBe(204);
    expect(answer.headers["set-cookie"]).toEqual([
      "halftone_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict",
    ]);
    const detail = problem(await send("/api/v1/apps", { headers: { Cookie } }), 401, "unauthorized");
    expect(detail).toContain("found a session that is over");
    const program = await send("/api/v1/session", { method: "DELETE", headers: bearer(TEST_TOKEN) });
    problem(program, 404, "no-session");
  });

  it("ends with its token", async () => {
    const Cookie = await loggedIn(await admin.newToken("ann", "viewer"));
    expect((await send("/api/v1/apps", { headers: { Cookie } })).status).toBe(200);
    const revoked = await admin.call("/api/v1/tokens/ann", { method: "DELETE" });
    expect(revoked.status).toBe(204);
    problem(await send("/api/v1/apps", { headers: { Cookie } }), 401, "unauthorized");
  });

  it("has its cookie renewed while it is used, and not after its end", async () => {
    const Cookie = await loggedIn();
    expect((await send("/api/v1/apps", { headers: { Cookie } })).headers["set-cookie"]).toBeUndefined();
    admin.time.now += 5 * 60_000;
    const renewed = await send("/api/v1/apps", { headers: { Cookie } });
    expect(cookieOf(renewed)).toBe(Cookie);
    expect(renewed.headers["set-cookie"]?.[0]).toContain("Max-Age=43200");
    admin.time.now += 5 * 60_000;
    const over = await send("/api/v1/session", { method: "DELETE", headers: { Cookie, ...OWN() } });
    expect(over.headers["set-cookie"]).toHaveLength(1);
  });

  it("counts for less than a bearer token, a wrong one too", async () => {
    const Cookie = await loggedIn();
    problem(await send("/api/v1/apps", { headers: { Cookie, ...bearer("wrong") } }), 401, "unauthorized");
    const basic = { Cookie, Authorization: "Basic dGVzdA==" };
    expect((await send("/api/v1/apps", { headers: basic })).status).toBe(200);
  });
});

describe("another page", () => {
  it("cannot have the browser change anything with its cookie", async () => {
    const Cookie = await loggedIn();
    const { port } = new URL(admin.url);
    for (const headers of [
      {},
      { Origin: "http://evil.example" },
      { Origin: "null" },
      { Origin: `http://127.0.0.1:${Number(port) - 1}`, "Sec-Fetch-Site": "same-site" },
      { "Sec-Fetch-Site": "cross-site" },
    ]) {
      const body = { name: "mine", role: "admin" };
      const answer = await send("/api/v1/tokens", { method: "POST", body, headers: { Cookie, ...headers } });
      expect(problem(answer, 403, "cross-origin")).toContain("nothing was changed");
    }
    expect(await admin.access.tokens.list()).toHaveLength(1);
    for (const headers of [OWN(), { "Sec-Fetch-Site": "same-origin" }]) {
      const body = { name: `by-${Object.keys(headers)[0]!}`, role: "viewer" };
      const answer = await send("/api/v1/tokens", { method: "POST", body, headers: { Cookie, ...headers } });
      expect(answer.status).toBe(201);
    }
  });

  it("is judged by the name the browser used, behind a proxy too", async () => {
    const Cookie = await loggedIn();
    const headers = { Cookie, Host: "admin.example.com", Origin: "https://admin.example.com" };
    expect((await send("/api/v1/session", { method: "DELETE", headers })).status).toBe(204);
  });

  it("has nothing to do with bearer tokens", async () => {
    const headers = { ...bearer(TEST_TOKEN), Origin: "http://evil.example" };
    const answer = await send("/api/v1/tokens", {
      method: "POST",
      body: { name: "x", role: "viewer" },
      headers,
    });
    expect(answer.status).toBe(201);
  });
});

describe("roles", () => {
  interface Described {
    readonly operationId: string;
    readonly "x-halftone-role"?: Role;
    readonly responses: Readonly<Record<string, unknown>>;
  }
  const OPEN = new Set(["logIn", "index", "healthz", "metrics", "readyz", "openApi"]);
  const ASKS = new Set(["previewRelease", "explain", "logOut"]);
  const ADMINS = new Set(["deleteApp", "restoreApp", "listTokens", "createToken", "revokeToken"]);

  /** What an operation has to need: an operation that is new falls under the rule, or has to be named above. */
  function expected(id: string, method: string): Role | undefined {
    if (OPEN.has(id)) return undefined;
    if (ADMINS.has(id)) return "admin";
    return method === "get" || ASKS.has(id) ? "viewer" : "operator";
  }

  it("are needed by every operation as it says, over the wire", async () => {
    const tokens = new Map<Role, string>();
    for (const role of ROLES) tokens.set(role, await admin.newToken(role === "admin" ? "root" : role, role));
    const { paths } = JSON.parse((await send("/openapi.json")).body) as {
      paths: Record<string, Record<string, Described>>;
    };
    let walked = 0;
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const { operationId: id, "x-halftone-role": role } = operation;
        expect(role, id).toBe(expected(id, method));
        // Events would be told for ever: of no type that there is they are refused.
        const target = path.replaceAll(/\{\w+\}/g, "none") + (path.endsWith("/events") ? "?types=none" : "");
        const sent = { method: method.toUpperCase(), ...(method === "get" ? {} : { body: [] }) };
        if (role === undefined) {
          expect((await send(target, sent)).status, id).not.toBe(403);
          continue;
        }
        problem(await send(target, sent), 401, "unauthorized");
        for (const one of ROLES) {
          const answer = await send(target, { ...sent, headers: bearer(tokens.get(one)!) });
          const mayNot = ROLES.indexOf(one) < ROLES.indexOf(role);
          if (mayNot) expect(problem(answer, 403, "forbidden"), id).toContain(`found role ${one}`);
          else expect([401, 403], `${id} as ${one}`).not.toContain(answer.status);
          walked += 1;
        }
      }
    }
    expect(walked).toBeGreaterThan(80);
  });
});

describe("tokens", () => {
  async function create(body: unknown, token: string = TEST_TOKEN): Promise<Answer> {
    return await send("/api/v1/tokens", { method: "POST", body, headers: bearer(token) });
  }

  it("are made, used, listed and revoked, and the audit tells of it", async () => {
    const made = await create({ name: "ci", role: "operator", expires: "30d" });
    expect(made.status).toBe(201);
    const { token, ...facts } = JSON.parse(made.body) as { token: string };
    expect(token).toMatch(/^ht_[\w-]{43}$/);
    expect(facts).toEqual({
      name: "ci",
      role: "operator",
      created: "2026-01-02T03:04:05.000Z",
      by: "admin",
      expires: "2026-02-01T03:04:05.000Z",
    });
    const listed = await send("/api/v1/tokens", { headers: bearer(TEST_TOKEN) });
    expect(JSON.parse(listed.body)).toEqual([
      { name: "admin", role: "admin", created: null, by: null, expires: null },
      facts,
    ]);
    expect((await send("/api/v1/apps", { headers: bearer(token) })).status).toBe(200);
    const revoke = { method: "DELETE", headers: bearer(TEST_TOKEN) };
    expect((await send("/api/v1/tokens/ci", revoke)).status).toBe(204);
    problem(await send("/api/v1/apps", { headers: bearer(token) }), 401, "unauthorized");
    expect(problem(await send("/api/v1/tokens/ci", revoke), 404, "no-such-token")).toContain('"ci"');
    problem(await send("/api/v1/tokens/admin", revoke), 409, "token-refused");
    expect(await trail()).toEqual([
      expect.stringMatching(/^admin: token revoke \(the token admin is that of/) as string,
      'admin: token revoke (found no token "ci"; nothing was changed)',
      expect.stringMatching(
        /^unknown: log in \(found a token that is not known, from 127\.0\.0\.1/,
      ) as string,
      "admin: token revoke ci",
      "admin: token create ci operator until 2026-02-01T03:04:05.000Z",
    ]);
    expect(await admin.audit.newest({ app: "ci", limit: 5 })).toEqual([]);
    expect(await readFile(join(admin.folder, "audit.jsonl"), "utf8")).not.toContain(token);
  });

  it("are told apart from those that have expired", async () => {
    const { token } = JSON.parse((await create({ name: "ci", role: "viewer", expires: "1h" })).body) as {
      token: string;
    };
    admin.time.now += 3_600_000;
    const detail = problem(await send("/api/v1/apps", { headers: bearer(token) }), 401, "unauthorized");
    expect(detail).toContain("found the token ci, which expired at 2026-01-02T04:04:05.000Z");
  });

  it.each([
    [{}, ["name", "role"]],
    [{ name: "", role: "viewer" }, ["name"]],
    [{ name: "a b", role: "viewer" }, ["name"]],
    [{ name: "a", role: "root" }, ["role"]],
    [{ name: "a", role: "viewer", expires: "1w" }, ["expires"]],
    [{ name: "a", role: "viewer", expires: "0d" }, ["expires"]],
    [{ name: "a", role: "viewer", expires: "3651d" }, ["expires"]],
    [{ name: "a", role: "viewer", token: "mine" }, ["token"]],
  ])("are not made of %j", async (body, paths) => {
    const answer = await create(body);
    problem(answer, 422, "invalid-document");
    const { problems } = JSON.parse(answer.body) as { problems: { path: string }[] };
    expect(problems.map(({ path }) => path)).toEqual(paths);
    expect(await admin.access.tokens.list()).toHaveLength(1);
  });

  it("have a name each", async () => {
    await create({ name: "ci", role: "viewer" });
    expect(problem(await create({ name: "ci", role: "admin" }), 409, "token-exists")).toContain(
      "revoke it first",
    );
  });

  it("whose file is damaged are neither read nor lost, and that is told", async () => {
    await admin.stop();
    admin = await runAdmin();
    const token = await admin.newToken("ci", "operator");
    const path = join(admin.folder, "tokens.json");
    await writeFile(path, (await readFile(path, "utf8")).replace("operator", "admin"));
    const again = await runAdmin(undefined, admin.folder);
    try {
      const call = (target: string, init?: RequestInit): Promise<Response> => again.call(target, init);
      const ready = (await (await call("/readyz")).json()) as { tokens: string };
      expect(ready.tokens).toBe(`${path} cannot be used: the checksum does not match the content`);
      const refused = await call("/api/v1/tokens/ci", { method: "DELETE" });
      expect(refused.status).toBe(503);
      expect(await refused.text()).toContain("put a whole copy in its place, or remove it");
      const other = await call("/api/v1/apps", { headers: bearer(token) });
      expect(other.status).toBe(401);
      expect(await other.text()).toContain("tokens.json is damaged");
      expect((await call("/api/v1/apps")).status).toBe(200);
    } finally {
      await again.stop();
    }
  });
});

describe("wrong tokens", () => {
  async function fail(times: number, from?: string): Promise<number[]> {
    const statuses: number[] = [];
    for (let time = 0; time < times; time++) {
      const sent = { headers: bearer(`wrong-token-${time}`), ...(from !== undefined && { from }) };
      statuses.push((await send("/api/v1/apps", sent)).status);
    }
    return statuses;
  }

  it("are turned away for a while after five of them, wherever they are shown", async () => {
    expect(await fail(7)).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const answer = await send("/?token=wrong");
    expect(problem(answer, 429, "too-many-attempts")).toContain("nothing was changed");
    expect(answer.headers["retry-after"]).toBe("1");
    const posted = await send("/api/v1/session", { method: "POST", body: { token: "wrong" } });
    problem(posted, 429, "too-many-attempts");
    admin.time.now += 1000;
    expect(await fail(2)).toEqual([401, 429]);
    expect((await send("/?token=wrong")).headers["retry-after"]).toBe("2");
    await expectTrail([
      "unknown: log in (found a token that is not known, from 127.0.0.1: 5 failed so far)",
      "unknown: log in (found a token that is not known, from 127.0.0.1: 1 failed so far)",
    ]);
  });

  it("lock nobody out who comes from elsewhere", async () => {
    await fail(9, "127.0.0.2");
    expect((await send("/api/v1/apps", { headers: bearer(TEST_TOKEN) })).status).toBe(200);
    const there = await send("/api/v1/apps", { headers: bearer(TEST_TOKEN), from: "127.0.0.2" });
    // A short one: whether it is right must not be seen within the delay.
    problem(there, 429, "too-many-attempts");
  });

  it("lock out neither random tokens nor sessions, from the same address neither", async () => {
    const ci = await admin.newToken("ci", "operator");
    const Cookie = await loggedIn();
    await fail(9);
    expect((await send("/api/v1/apps", { headers: bearer(ci) })).status).toBe(200);
    expect((await send("/api/v1/apps", { headers: { Cookie } })).status).toBe(200);
    expect((await send(`/?token=${ci}`)).status).toBe(303);
    const wrong = `${ci.slice(0, -1)}${ci.endsWith("A") ? "B" : "A"}`;
    problem(await send("/api/v1/apps", { headers: bearer(wrong) }), 429, "too-many-attempts");
  });

  it("are not what pages come with that were open at a restart", async () => {
    for (let times = 0; times < 20; times++) {
      const answer = await send("/api/v1/apps", { headers: { Cookie: "halftone_session=of-another-life" } });
      problem(answer, 401, "unauthorized");
    }
    await loggedIn();
    await expectTrail(["admin: log in"]);
  });
});
