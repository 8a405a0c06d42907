import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type NewToken, TokenBook } from "./token-book.ts";
import { isUnguessable, newToken } from "./token-text.ts";

const START = Date.UTC(2026, 0, 2, 3, 4, 5);
const HOUR = 3_600_000;

let folder: string;
let path: string;
let now: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "halftone-tokens-"));
  path = join(folder, "tokens.json");
  now = START;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function open(): Promise<TokenBook> {
  return TokenBook.open({ folder, admin: "the-admin-token-0", now: () => now });
}

async function made(book: TokenBook, wanted: NewToken): Promise<string> {
  const result = await book.create(wanted, "ann");
  if (result.kind !== "created") throw new Error(JSON.stringify(result));
  return result.text;
}

describe("tokens", () => {
  it("are 256 random bits that scanners can find", () => {
    const tokens = Array.from({ length: 100 }, newToken);
    expect(new Set(tokens).size).toBe(100);
    for (const token of tokens) expect(token).toMatch(/^ht_[A-Za-z0-9_-]{43}$/);
    expect(isUnguessable(tokens[0]!)).toBe(true);
    expect(isUnguessable("a-word-and-another")).toBe(false);
  });

  it("open as whom they were made, and nobody else", async () => {
    const book = await open();
    const [ci, dash] = [
      await made(book, { name: "ci", role: "operator" }),
      await made(book, { name: "dash", role: "viewer" }),
    ];
    expect(book.authenticate("the-admin-token-0")).toMatchObject({
      kind: "known",
      token: { name: "admin", role: "admin", expires: null },
    });
    expect(book.authenticate(ci)).toMatchObject({ token: { name: "ci", role: "operator" } });
    expect(book.authenticate(dash)).toMatchObject({ token: { name: "dash", role: "viewer" } });
    for (const guess of ["", ci.slice(0, -1), `${ci}x`, ci.toUpperCase(), `${ci} `, "the-admin-token-1"]) {
      expect(book.authenticate(guess), guess).toEqual({ kind: "unknown" });
    }
  });

  it("outlive a restart, by their hashes, in a file for the owner's eyes only", async () => {
    const first = await open();
    const ci = await made(first, { name: "ci", role: "operator", lifetime: HOUR });
    const dash = await made(first, { name: "dash", role: "viewer" });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, "utf8");
    for (const secret of [ci, dash, "the-admin-token-0"]) expect(text).not.toContain(secret);
    await chmod(path, 0o644);
    const second = await open();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(second.authenticate(ci)).toMatchObject({ kind: "known", token: { name: "ci" } });
    expect(await second.list()).toEqual(await first.list());
    expect(await second.list()).toEqual([
      { name: "admin", role: "admin", created: null, by: null, expires: null },
      {
        name: "ci",
        role: "operator",
        created: "2026-01-02T03:04:05.000Z",
        by: "ann",
        expires: "2026-01-02T04:04:05.000Z",
      },
      { name: "dash", role: "viewer", created: "2026-01-02T03:04:05.000Z", by: "ann", expires: null },
    ]);
    expect(await readdir(folder)).toEqual(["tokens.json"]);
  });

  it("expire to the millisecond, and stay in the list until they are revoked", async () => {
    const book = await open();
    const ci = await made(book, { name: "ci", role: "operator", lifetime: HOUR });
    const { digest } = (book.authenticate(ci) as { token: { digest: string } }).token;
    now = START + HOUR - 1;
    expect(book.authenticate(ci)).toMatchObject({ kind: "known" });
    expect(book.current(digest)).toMatchObject({ name: "ci" });
    now = START + HOUR;
    expect(book.authenticate(ci)).toMatchObject({ kind: "expired", token: { name: "ci" } });
    expect(book.current(digest)).toBeUndefined();
    expect(await book.list()).toHaveLength(2);
    expect(await book.create({ name: "ci", role: "viewer" }, "ann")).toMatchObject({
      kind: "taken",
      reason: "found the token ci (operator, until 2026-01-02T04:04:05.000Z); revoke it first",
    });
  });

  it("open nothing once they are revoked, under the same name neither", async () => {
    const book = await open();
    const ci = await made(book, { name: "ci", role: "operator" });
    const { digest } = (book.authenticate(ci) as { token: { digest: string } }).token;
    expect(await book.revoke("ci")).toEqual({ kind: "revoked" });
    expect(await book.revoke("ci")).toEqual({ kind: "missing" });
    await made(book, { name: "ci", role: "admin" });
    expect(book.authenticate(ci)).toEqual({ kind: "unknown" });
    expect(book.current(digest)).toBeUndefined();
    expect((await open()).authenticate(ci)).toEqual({ kind: "unknown" });
  });

  it("take no name that stands for something else, or that people could mix up", async () => {
    const book = await open();
    await made(book, { name: "ci", role: "operator" });
    for (const name of ["admin", "ADMIN", "start", "halftone", "directory", "redis", "unknown", "CI"]) {
      expect(await book.create({ name, role: "viewer" }, "ann"), name).toMatchObject({ kind: "taken" });
    }
    expect(await book.revoke("admin")).toMatchObject({ kind: "fixed" });
    expect(await book.list()).toHaveLength(2);
  });

  it("that are made at the same time are all there", async () => {
    const book = await open();
    const names = Array.from({ length: 20 }, (_, index) => `t${index}`);
    const texts = await Promise.all(names.map((name) => made(book, { name, role: "viewer" })));
    const again = await open();
    for (const text of texts) expect(again.authenticate(text).kind).toBe("known");
  });

  it("are not made when they cannot be stored", async () => {
    const book = await open();
    await mkdir(path);
    expect(await book.create({ name: "ci", role: "operator" }, "ann")).toMatchObject({ kind: "unavailable" });
    await rm(path, { recursive: true });
    expect(await book.list()).toHaveLength(1);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("a damaged file of tokens", () => {
  let ci: string;
  let whole: string;
  beforeEach(async () => {
    ci = await made(await open(), { name: "ci", role: "operator" });
    whole = await readFile(path, "utf8");
  });

  it.each([
    ["empty", () => ""],
    ["cut", (text: string) => text.slice(0, -40)],
    ["changed", (text: string) => text.replace('"operator"', '"admin"')],
    ["of another format", (text: string) => text.replace("halftone-tokens-1", "halftone-tokens-2")],
  ])("that is %s is told, stays, and is never written over", async (_, damage) => {
    const damaged = damage(whole);
    await writeFile(path, damaged);
    const book = await open();
    expect(book.damage).toMatch(`${path} cannot be used: `);
    expect(book.authenticate("the-admin-token-0")).toMatchObject({ kind: "known" });
    expect(book.authenticate(ci)).toEqual({ kind: "unknown" });
    for (const refused of [
      await book.create({ name: "new", role: "viewer" }, "ann"),
      await book.revoke("ci"),
      await book.list(),
    ]) {
      expect(refused).toMatchObject({ kind: "unavailable", reason: expect.stringContaining(path) as string });
    }
    expect(await readFile(path, "utf8")).toBe(damaged);
  });

  it("counts again as soon as it is repaired, without a restart", async () => {
    await writeFile(path, "");
    const book = await open();
    await writeFile(path, whole);
    expect(await book.list()).toHaveLength(2);
    expect(book.damage).toBeUndefined();
    expect(book.authenticate(ci)).toMatchObject({ kind: "known" });
  });

  it("that is removed means that all but admin are made anew", async () => {
    await writeFile(path, "");
    const book = await open();
    await rm(path);
    await made(book, { name: "ci", role: "viewer" });
    expect(book.authenticate(ci)).toEqual({ kind: "unknown" });
    expect(await (await open()).list()).toHaveLength(2);
  });
});
