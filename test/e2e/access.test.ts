import { readFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { environmentOf, runCli } from "./harness/cli.ts";
import { createSite, type HalftoneProcess, startHalftone } from "./harness/halftone-process.ts";
import { openScene } from "./harness/scene.ts";

function sessionOf(response: Response): string {
  const [set = ""] = response.headers.getSetCookie();
  return set.split(";")[0] ?? "";
}

async function makeToken(halftone: HalftoneProcess, ...args: readonly string[]): Promise<string> {
  const made = await runCli(["token", "create", ...args], {
    cwd: halftone.site.folder,
    env: environmentOf(halftone),
  });
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ht_[\w-]{43}\n$/) as string });
  return made.stdout.trim();
}

function apps(halftone: HalftoneProcess, token: string): Promise<number> {
  return halftone
    .api("GET", "/apps", undefined, { authorization: `Bearer ${token}` })
    .then(({ status }) => status);
}

describe("the link that is printed at the first start", () => {
  it("logs in, and is not printed again", async () => {
    const site = await createSite(openScene(onTestFinished));
    const halftone = await site.start();
    const { dashboard } = await halftone.logged(/an admin token was made/);
    const login = await fetch(String(dashboard), { redirect: "manual" });
    expect([login.status, login.headers.get("location")]).toEqual([303, "/"]);
    const who = await fetch(`${halftone.adminUrl}/api/v1/session`, {
      headers: { cookie: sessionOf(login) },
    });
    expect(await who.json()).toMatchObject({ name: "admin", role: "admin" });
    await halftone.stop();
    const again = await site.start();
    expect(again.output).not.toContain(again.token);
    const over = await fetch(`${again.adminUrl}/api/v1/session`, { headers: { cookie: sessionOf(login) } });
    expect(over.status).toBe(401);
    expect((await again.api("GET", "/session")).body).toEqual({
      name: "admin",
      role: "admin",
      expires: null,
    });
  });
});

describe("tokens that were made", () => {
  it("are there after a crash that followed at once", async () => {
    const site = await createSite(openScene(onTestFinished));
    const halftone = await site.start();
    const ci = await makeToken(halftone, "ci", "--role", "operator", "--expires", "1h");
    halftone.kill("SIGKILL");
    await halftone.exit;
    expect((await stat(join(site.folder, "data", "tokens.json"))).mode & 0o777).toBe(0o600);
    const again = await site.start();
    expect(await apps(again, ci)).toBe(200);
    const env = { ...environmentOf(again), HALFTONE_TOKEN: ci };
    const denied = await runCli(["token", "revoke", "ci"], { cwd: site.folder, env });
    expect(denied).toMatchObject({ code: 1, stdout: "" });
    expect(denied.stderr).toContain(
      "found role operator of the token ci, expected admin; nothing was changed",
    );
    const revoked = await runCli(["token", "revoke", "ci"], { cwd: site.folder, env: environmentOf(again) });
    expect(revoked.code).toBe(0);
    expect(await apps(again, ci)).toBe(401);
  });

  it("are not lost when their file is damaged: the gateway serves, says so, and keeps it", async () => {
    const site = await createSite(openScene(onTestFinished));
    const halftone = await site.start();
    const ci = await makeToken(halftone, "ci", "--role", "viewer");
    await halftone.stop();
    const path = join(site.folder, "data", "tokens.json");
    const { size } = await stat(path);
    await truncate(path, size - 10);
    const again = await site.start();
    expect(again.output).toContain(`${path} cannot be used: `);
    expect(await apps(again, ci)).toBe(401);
    expect(await apps(again, again.token)).toBe(200);
    expect((await again.admin("GET", "/readyz")).status).toBe(200);
    const made = await runCli(["token", "create", "new", "--role", "viewer"], {
      cwd: site.folder,
      env: environmentOf(again),
    });
    expect(made).toMatchObject({ code: 1, stdout: "" });
    expect(made.stderr).toContain("put a whole copy in its place");
    expect((await readFile(path)).length).toBe(size - 10);
  });
});

it("a token of the configuration is that of admin, and needs no file", async () => {
  const token = "short-but-our-own";
  const halftone = await startHalftone(openScene(onTestFinished), { admin: { token } });
  const { body } = await halftone.admin("GET", "/api/v1/session", undefined, {
    authorization: `Bearer ${token}`,
  });
  expect(body).toEqual({ name: "admin", role: "admin", expires: null });
  await expect(stat(join(halftone.site.folder, "data", "admin-token"))).rejects.toThrow("ENOENT");
});
