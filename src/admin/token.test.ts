import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adminToken } from "./token.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "halftone-token-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the admin token", () => {
  it("is made once, of 256 bits, for the owner's eyes only", async () => {
    const data = join(folder, "data");
    const first = await adminToken({ folder: data });
    expect(first).toMatchObject({ made: true, path: join(data, "admin-token") });
    expect(first.token).toMatch(/^ht_[\w-]{43}$/);
    expect((await stat(first.path!)).mode & 0o777).toBe(0o600);
    expect(await adminToken({ folder: data })).toEqual({ ...first, made: false });
    expect(await readdir(data)).toEqual(["admin-token"]);
  });

  it("is the same for everybody who starts at the same time", async () => {
    const tokens = await Promise.all(Array.from({ length: 8 }, () => adminToken({ folder })));
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(1);
    expect(tokens.filter(({ made }) => made)).toHaveLength(1);
  });

  it("may be configured; then no file is made", async () => {
    const token = await adminToken({ configured: "secret-secret-secret", folder });
    expect(token).toEqual({ token: "secret-secret-secret", made: false, path: undefined });
    expect(await readdir(folder)).toEqual([]);
  });

  it("is refused when the file holds none, and the file stays", async () => {
    const path = join(folder, "admin-token");
    await writeFile(path, "\n");
    await expect(adminToken({ folder })).rejects.toThrow(`${path} holds no usable token`);
    expect(await readFile(path, "utf8")).toBe("\n");
  });

  it("is closed to others when its file was open", async () => {
    const path = join(folder, "admin-token");
    await writeFile(path, "written-by-hand-0123\n");
    await chmod(path, 0o644);
    expect(await adminToken({ folder })).toMatchObject({ token: "written-by-hand-0123", made: false });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});
