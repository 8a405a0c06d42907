import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAdmin, TEST_TOKEN, type RunningAdmin } from "../../test/admin/running-admin.ts";
import { CONVERTED, ORIGINAL } from "../../test/original-documents.ts";
import { runCli } from "./run-cli.ts";
import { textTable } from "./text-table.ts";

const SHOP = `
name: shop
routes: [{host: shop.example.com}]
groups:
  blue: {servers: [10.0.0.1]}
  green: {servers: [10.0.0.2]}
testers: [10.0.0.111, {cookie: beta, equals: "yes"}]
`;

let folder: string;
let admin: RunningAdmin;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "halftone-cli-"));
  admin = await runAdmin();
});
afterEach(async () => {
  await admin.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Run {
  code: number;
  out: string;
  err: string;
}

/** Runs the command against the test's gateway; `env` replaces what tells of it. */
async function run(
  args: readonly string[],
  options: { env?: Record<string, string>; stdin?: string } = {},
): Promise<Run> {
  let out = "";
  let err = "";
  const code = await runCli(args, {
    env: options.env ?? { HALFTONE_ADMIN: admin.url, HALFTONE_TOKEN: TEST_TOKEN, HALFTONE_ACTOR: "ci" },
    stdin: Readable.from([options.stdin ?? ""]),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

/** What `app list` writes to a terminal. */
async function onTerminal(env: Record<string, string>): Promise<string> {
  let out = "";
  await runCli(["app", "list"], {
    env: { HALFTONE_ADMIN: admin.url, HALFTONE_TOKEN: TEST_TOKEN, ...env },
    stdin: Readable.from([]),
    stdout: { isTTY: true, write: (text) => (out += text) },
    stderr: { write: (text) => (out += text) },
  });
  return out;
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function done(...args: string[]): Promise<string> {
  const { code, out, err } = await run(args);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out;
}

describe("halftone app", () => {
  it("applies, lists, shows and deletes", async () => {
    const shop = await file("shop.yaml", SHOP);
    expect(await done("app", "apply", "-f", shop)).toBe("shop created, revision 1\n");
    expect(await done("app", "apply", "-f", shop)).toBe("shop updated, revision 2\n");
    expect(await done("app", "list")).toBe(
      "NAME  REVISION  DEPLOY  SHARE  SERVERS  GROUPS\n" +
        "shop         2       0      0        2  blue, green\n",
    );
    const shown = await done("app", "show", "shop");
    expect(shown).toMatch(/^# revision 2\nname: shop\n/);
    expect(await done("app", "apply", "-f", await file("shown.yaml", shown))).toContain("revision 3");
    expect(JSON.parse(await done("app", "show", "shop", "--json"))).toEqual(
      admin.store.get("shop")?.document,
    );
    expect(await done("app", "delete", "shop")).toBe("shop deleted, it was at revision 3\n");
    expect(await done("app", "list")).toContain("There are no apps.");
    expect(JSON.parse(await done("app", "list", "--json"))).toEqual([]);
  });

  it("applies several documents of several files and of standard input, and says who it was", async () => {
    const two = `${SHOP}---\n${SHOP.replaceAll("shop", "blog")}`;
    const { code, out } = await run(
      ["app", "apply", "--json", "-f", await file("two.yaml", two), "-f", "-"],
      {
        stdin: JSON.stringify(ORIGINAL),
      },
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      { name: "shop", change: "created", revision: 1 },
      { name: "blog", change: "created", revision: 1 },
      { name: "my_object", change: "created", revision: 1 },
    ]);
    expect(await admin.audit.newest({ limit: 1 })).toMatchObject([{ by: "admin (ci)", app: "my_object" }]);
  });

  it("applies nothing when one of the documents is wrong", async () => {
    const wrong = await file(
      "wrong.yaml",
      "name: wrong\ngroups: {blue: {servers: [10.0.0.999], wieght: 1}}\n",
    );
    const { code, out, err } = await run(["app", "apply", "-f", await file("shop.yaml", SHOP), "-f", wrong]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("wrong.yaml is not valid; nothing was applied");
    expect(err).toContain('groups.blue.servers[0]: found "10.0.0.999"');
    expect(err).toContain("wieght");
    expect(admin.store.list()).toEqual([]);
  });

  it("says what the gateway refuses: here a route that another app has", async () => {
    await done("app", "apply", "-f", await file("shop.yaml", SHOP));
    const rival = await file("rival.yaml", SHOP.replace("name: shop", "name: rival"));
    const { code, err } = await run(["app", "apply", "-f", rival, "--json"]);
    expect(code).toBe(1);
    expect(err).toContain("already claimed by app shop");
  });

  it("converts the original's document to exactly the original's value, without a gateway", async () => {
    const path = await file("my_object.json", JSON.stringify(ORIGINAL));
    const { code, out } = await run(["app", "convert", path], { env: {} });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(CONVERTED);
    // And back: a converted document without a name takes the file's.
    expect(await done("app", "apply", "-f", await file("my_object.json", out))).toContain(
      "my_object created",
    );
    const refused = await run(["app", "convert", await file("shop.yaml", SHOP)]);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("groups.blue");
  });

  it("says that there is no such app, and which there are", async () => {
    await done("app", "apply", "-f", await file("shop.yaml", SHOP));
    for (const args of [
      ["show", "shpo"],
      ["delete", "shpo"],
    ]) {
      const { code, err } = await run(["app", ...args]);
      expect(code).toBe(1);
      expect(err).toContain('found no app "shpo"; the apps are: shop');
    }
  });
});

describe("halftone deploy and explain", () => {
  beforeEach(async () => {
    await done("app", "apply", "-f", await file("shop.yaml", SHOP));
  });

  it("turns the switch and says what that means", async () => {
    expect(await done("deploy", "shop", "1")).toBe(
      "shop: blue is under test, for testers only (revision 2)\n",
    );
    expect(await done("deploy", "shop", "2", "--share", "12.5")).toContain(
      "green is under test, for testers and 12.5 %",
    );
    expect(await done("deploy", "shop", "0")).toContain("nothing is being updated");
    const json = await done("deploy", "shop", "1", "--json");
    expect(JSON.parse(json)).toEqual({ name: "shop", deploy: 1, share: 0, revision: 5 });
    const { code, err } = await run(["deploy", "shop", "3"]);
    expect(code).toBe(1);
    expect(err).toContain("the previous document stays in force");
    expect(err).toContain("deploy: found");
  });

  it("explains where a client goes", async () => {
    await done("deploy", "shop", "1");
    const unnamed = await done("explain", "shop");
    expect(unnamed).toContain("No --ip is given: 127.0.0.1 is asked about.");
    expect(unnamed).toContain("share is 0 %; so green (the group not under test) serves it (revision 2)");
    expect(unnamed).toContain("10.0.0.2:80  green       1");
    expect(await done("explain", "shop", "--ip", "10.0.0.111")).toContain("so blue (the group under test)");
    const cookies = ["--header", "Cookie: a=b", "--cookie", "beta=yes", "--json"];
    expect(JSON.parse(await done("explain", "shop", ...cookies))).toMatchObject({
      groups: ["blue"],
      rule: { kind: "tester", by: "cookie" },
    });
    expect(await run(["explain", "shop", "--certificate", "nonsense"])).toMatchObject({ code: 2, out: "" });
    expect(await run(["explain", "shop", "--header", "nonsense"])).toMatchObject({ code: 2, out: "" });
    expect(await run(["explain", "shop", "--cookie", "nonsense"])).toMatchObject({ code: 2, out: "" });
    const { code, err } = await run(["explain", "shop", "--ip", "shop.example.com"]);
    expect(code).toBe(1);
    expect(err).toContain('ip: found "shop.example.com", expected an IPv4 or IPv6 address');
  });
});

describe("halftone status", () => {
  it("shows gateway, directory, apps and dead servers", async () => {
    await done("app", "apply", "-f", await file("shop.yaml", SHOP));
    const server = { app: "shop", weight: 1, inFlight: 0, requests: 9, failures: 1, healthy: true };
    admin.plane.servers = [
      { ...server, group: "blue", server: "10.0.0.1:80", deadUntil: null, lastError: null },
      { ...server, group: "green", server: "10.0.0.2:80", deadUntil: 1e12, lastError: "connection refused" },
    ];
    const text = await done("status");
    expect(text).toContain("Gateway    ready; 2 of 2 workers; 127.0.0.1:8080\nDirectory  memory; current\n");
    expect(text).toMatch(/\nshop +1 +0 +0 +1 +1 {2}blue, green\n/);
    expect(text).toMatch(/\nshop +green +10\.0\.0\.2:80 +connection refused\n$/);
    const json = JSON.parse(await done("status", "--json")) as unknown;
    expect(json).toMatchObject({
      gateway: { status: "ready" },
      apps: [{ name: "shop", servers: [{}, { state: "dead" }] }],
    });
    admin.plane.readiness = { ...admin.plane.readiness, draining: true };
    expect(await done("status")).toContain("Gateway    draining");
  });
});

describe("halftone quarantine", () => {
  const PAIRS = SHOP.replace("[10.0.0.1]", '[10.0.0.1, 10.0.0.3, "unix:/run/app.sock"]');

  beforeEach(async () => {
    await done("app", "apply", "-f", await file("shop.yaml", PAIRS));
  });

  it("takes servers out of service and puts them back", async () => {
    expect(await done("quarantine", "shop", "10.0.0.1:80")).toBe("in quarantine of shop: 10.0.0.1:80\n");
    const both = ["10.0.0.1:80", "unix:/run/app.sock"];
    expect(JSON.parse(await done("quarantine", "shop", both[1]!, "--json"))).toEqual({
      app: "shop",
      quarantine: both,
    });
    expect(admin.store.get("shop")?.document.quarantine).toEqual(both);
    expect(await done("quarantine", "shop", both[1]!, "--lift")).toBe("in quarantine of shop: 10.0.0.1:80\n");
    expect(await done("quarantine", "shop", both[0]!, "--lift")).toBe("in quarantine of shop: none\n");
  });

  it("says why a server cannot go there", async () => {
    for (const [server, why] of [
      ["10.0.0.2:80", "one of green with a weight above 0 has to be left"],
      ["10.0.0.9:80", "expected a server of the groups, 10.0.0.1:80"],
    ] as const) {
      const { code, out, err } = await run(["quarantine", "shop", server]);
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toContain(`${server} cannot go into quarantine`);
      expect(err).toContain(why);
    }
  });

  it("is shown by status, as neither up nor dead", async () => {
    await done("quarantine", "shop", "10.0.0.1:80");
    const server = { app: "shop", group: "blue", inFlight: 0, requests: 9, failures: 1, healthy: true };
    admin.plane.servers = [
      { ...server, server: "10.0.0.1:80", weight: 0, deadUntil: null, lastError: "status 500" },
      { ...server, server: "10.0.0.3:80", weight: 1, deadUntil: null, lastError: null },
    ];
    const text = await done("status");
    expect(text).toMatch(/\nshop +2 +0 +0 +1 +0 {2}blue, green\n/);
    expect(text).toMatch(
      /\nQUARANTINE +GROUP +SERVER +LAST ERROR\nshop +blue +10\.0\.0\.1:80 +status 500\n$/,
    );
  });
});

describe("halftone check", () => {
  it("tells hooks that documents name and the configuration does not have", async () => {
    const app =
      "name: shop\ngroups: {a: {servers: [10.0.0.1]}, b: {servers: [10.0.0.2]}}\nrelease: {update: deploy, restore: undo}\n";
    await file("app.yaml", app);
    const config = await file("hooks.yaml", "apps: [app.yaml]\nhooks: {undo: {command: [/bin/true]}}\n");
    const { code, err } = await run(["check", "-c", config]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /app\.yaml: release\.update: found "deploy", expected a name of hooks in halftone\.yaml: undo/,
    );
    expect(err).not.toContain("release.restore");
  });

  it("counts what is valid", async () => {
    await file("shop.yaml", SHOP);
    await file("my_object.json", JSON.stringify(ORIGINAL));
    const config = await file("halftone.yaml", "apps: [./shop.yaml, ./*.json]\n");
    expect(await done("check", "-c", config)).toBe(`${config} is valid: 2 apps, 4 groups, 6 servers\n`);
    expect(JSON.parse(await done("check", "-c", config, "--json"))).toMatchObject({
      ok: true,
      apps: 2,
      problems: [],
    });
  });

  it("prints every problem of every file", async () => {
    await file("a.yaml", SHOP);
    await file("b.yaml", SHOP.replace("name: shop", "name: rival"));
    await file("c.yaml", "name: c\ngroups: {blue: {servers: [10.0.0.999]}}\ndeploy: 4\n");
    const { code, out, err } = await run([
      "check",
      "-c",
      await file("halftone.yaml", "apps: [./*.yaml]\n".replace("*", "?")),
    ]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("a running gateway keeps what is in force");
    expect(err).toMatch(/b\.yaml: routes\[0\]: .* app shop of .*a\.yaml/);
    expect(err).toContain("c.yaml: groups.blue.servers[0]");
    expect(err).toContain("c.yaml: deploy");
    const config = await run(["check", "-c", await file("halftone.yaml", "gatway: {}\n"), "--json"]);
    expect(config.code).toBe(1);
    expect(JSON.parse(config.out)).toMatchObject({
      ok: false,
      problems: [{ problems: [{ path: "gatway" }] }],
    });
    expect(await run(["check", "-c", join(folder, "none.yaml")])).toMatchObject({ code: 1 });
  });
});

describe("the way to the gateway", () => {
  it("is told when nobody answers there", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const nowhere = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    await once(server, "close");
    const { code, err } = await run(["app", "list", "--admin", nowhere, "--token", "x"], { env: {} });
    expect(code).toBe(1);
    expect(err).toContain(`no gateway answers at ${nowhere} (ECONNREFUSED)`);
    expect(err).toContain("--admin URL or HALFTONE_ADMIN");
  });

  it("takes the token of the data folder, and says where it looked", async () => {
    await file("admin-token", `${TEST_TOKEN}\n`);
    const env = { HALFTONE_ADMIN: admin.url };
    expect(await run(["app", "list", "--data", folder], { env })).toMatchObject({ code: 0 });
    const elsewhere = join(folder, "elsewhere");
    const { code, err } = await run(["app", "list", "--data", elsewhere], { env });
    expect(code).toBe(1);
    expect(err).toContain(join(elsewhere, "admin-token"));
  });

  it("never shows the token, also when it is not the right one", async () => {
    const { code, out, err } = await run(["app", "list", "--token", "wrong-token-0123"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("HALFTONE_TOKEN");
    expect(err).not.toContain("wrong-token-0123");
  });

  it("is refused when it is no address", async () => {
    expect(await run(["app", "list", "--admin", "ftp://x"])).toMatchObject({ code: 2 });
  });
});

describe("usage", () => {
  it.each([
    [[]],
    [["frobnicate"]],
    [["app"]],
    [["app", "frobnicate"]],
    [["app", "show"]],
    [["app", "show", "a", "b"]],
    [["app", "apply"]],
    [["deploy", "shop"]],
    [["status", "--colour"]],
  ])("that is wrong ends with 2: %j", async (args) => {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).not.toBe("");
  });

  it("is told by --help, also of the commands that are loaded late", async () => {
    const help = await done("--help");
    for (const command of ["serve", "demo", "check", "app", "deploy", "explain", "status"]) {
      expect(help).toMatch(new RegExp(`^ {2}${command} `, "m"));
    }
    expect(await done("app", "apply", "--help")).toContain("--force");
    expect(await done("--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("tables", () => {
  it("are aligned, numbers to the right", () => {
    expect(
      textTable(
        ["A", "LONG HEAD", "N"],
        [
          ["longer", "x", 1],
          ["b", "y", 100],
        ],
      ),
    ).toEqual(["A       LONG HEAD    N", "longer  x            1", "b       y          100"]);
    expect(textTable(["A"], [])).toEqual(["A"]);
  });

  it("have a bold head on a terminal, unless NO_COLOR is set", async () => {
    await done("app", "apply", "-f", await file("shop.yaml", SHOP));
    expect(await onTerminal({})).toContain("\u001b[1m");
    expect(await onTerminal({ NO_COLOR: "1" })).not.toContain("\u001b");
  });
});

it("shows the status of a gateway of an earlier version, which knows no others", async () => {
  const server = createHttpServer((request, response) => {
    const directory = { directory: "memory", state: "current", since: "", damaged: [] };
    const readiness = { status: "ready", workers: { running: 1, expected: 1 }, listen: [], directory };
    const known = request.url === "/readyz" ? readiness : request.url === "/api/v1/apps" ? [] : undefined;
    response.statusCode = known === undefined ? 404 : 200;
    response.end(JSON.stringify(known ?? { title: "Not found" }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const env = { HALFTONE_ADMIN: `http://127.0.0.1:${port}`, HALFTONE_TOKEN: TEST_TOKEN };
    const { code, out } = await run(["status"], { env });
    expect(code).toBe(0);
    expect(out).toMatch(/^Gateways +cannot be asked$/m);
  } finally {
    server.close();
  }
});
