import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAdmin, TEST_TOKEN, type RunningAdmin } from "../../test/admin/running-admin.ts";
import { runCli } from "./run-cli.ts";

let admin: RunningAdmin;
beforeEach(async () => {
  admin = await runAdmin();
});
afterEach(() => admin.stop());

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], token: string = TEST_TOKEN): Promise<Run> {
  let out = "";
  let err = "";
  const code = await runCli(args, {
    env: { HALFTONE_ADMIN: admin.url, HALFTONE_TOKEN: token, HALFTONE_ACTOR: "ann" },
    stdin: Readable.from([]),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

describe("halftone token", () => {
  it("makes a token, alone on standard output, that opens what its role allows", async () => {
    const made = await run(["token", "create", "dash", "--role", "viewer"]);
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^ht_[\w-]{43}\n$/) as string });
    expect(made.err).toContain("the token of dash (viewer), good until it is revoked");
    const dash = made.out.trim();
    expect(await run(["app", "list"], dash)).toMatchObject({ code: 0 });
    const refused = await run(["app", "delete", "shop"], await admin.newToken("ci", "operator"));
    expect(refused.code).toBe(1);
    const denied = await run(["token", "list"], dash);
    expect(denied).toEqual({
      code: 1,
      out: "",
      err:
        "halftone: The role of the token does not suffice: found role viewer of the token dash, expected admin; " +
        "nothing was read\n",
    });
  });

  it("lists and revokes", async () => {
    const { token } = JSON.parse(
      (await run(["token", "create", "ci", "--role", "operator", "--expires", "30d", "--json"])).out,
    ) as { token: string };
    expect((await run(["token", "list"])).out).toBe(
      "NAME   ROLE      EXPIRES                   CREATED                   BY\n" +
        "admin  admin     never                     -                         -\n" +
        "ci     operator  2026-02-01T03:04:05.000Z  2026-01-02T03:04:05.000Z  admin (ann)\n",
    );
    const listed = (await run(["token", "list", "--json"])).out;
    expect(JSON.parse(listed)).toMatchObject([{ name: "admin" }, { name: "ci", role: "operator" }]);
    expect(listed).not.toContain(token);
    expect(await run(["token", "revoke", "ci"])).toEqual({ code: 0, out: "ci is revoked\n", err: "" });
    expect((await run(["app", "list"], token)).code).toBe(1);
    expect(await run(["token", "revoke", "ci", "--json"])).toMatchObject({ code: 1, out: "" });
  });

  it.each([
    [["token"]],
    [["token", "create"]],
    [["token", "create", "ci"]],
    [["token", "create", "ci", "--role", "root"]],
    [["token", "revoke"]],
  ])("is used in another way than %j", async (args) => {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).not.toBe("");
  });

  it("says what is wrong with a name or a time", async () => {
    for (const [args, words] of [
      [["a b", "--role", "viewer"], /name: found "a b", expected a name of/],
      [["a", "--role", "viewer", "--expires", "1w"], /expires: found "1w", expected a time with its unit/],
      [["admin", "--role", "viewer"], /The name of the token is taken/],
    ] as const) {
      const { code, err } = await run(["token", "create", ...args]);
      expect(code).toBe(1);
      expect(err).toMatch(words);
    }
  });

  it("tells of a damaged file, as status does", async () => {
    await admin.newToken("ci", "operator");
    const path = join(admin.folder, "tokens.json");
    await writeFile(path, "");
    const other = await runAdmin(undefined, admin.folder);
    try {
      const args = ["--admin", other.url];
      const listed = await run(["token", "list", ...args]);
      expect(listed.code).toBe(1);
      expect(listed.err).toContain(`${path} cannot be used`);
      expect((await run(["status", ...args])).out).toMatch(/^Tokens {5}\S+tokens\.json cannot be used/m);
      await rm(path);
      expect((await run(["token", "list", ...args])).code).toBe(0);
      expect((await run(["status", ...args])).out).not.toContain("Tokens");
    } finally {
      await other.stop();
    }
  });
});
