import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { SESSION_LIFE, Sessions } from "./sessions.ts";
import { type KnownToken, TokenBook } from "./token-book.ts";

const START = Date.UTC(2026, 0, 2, 3, 4, 5);
const HOUR = 3_600_000;

let folder: string;
let now: number;
let book: TokenBook;
let sessions: Sessions;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "halftone-sessions-"));
  now = START;
  book = await TokenBook.open({ folder, admin: "the-admin-token-0", now: () => now });
  sessions = new Sessions(book, () => now);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function token(name: string, lifetime?: number): Promise<KnownToken> {
  const made = await book.create(
    { name, role: "operator", ...(lifetime !== undefined && { lifetime }) },
    "ann",
  );
  const found = book.authenticate(made.kind === "created" ? made.text : "");
  if (found.kind !== "known") throw new Error(found.kind);
  return found.token;
}

it("a session has 256 random bits, and says whose it is", async () => {
  const ci = await token("ci");
  const { id, expires } = sessions.begin(ci);
  expect(id).toMatch(/^[\w-]{43}$/);
  expect(expires).toBe(START + SESSION_LIFE);
  expect(sessions.use(id)).toEqual({ token: ci, expires, renew: false });
  expect(sessions.use(`${id}x`)).toBeUndefined();
  expect(sessions.begin(ci).id).not.toBe(id);
});

it("lasts as long as it is used, and not a millisecond longer than it may be idle", async () => {
  const { id } = sessions.begin(await token("ci"));
  for (let hours = 0; hours < 30; hours++) {
    now += SESSION_LIFE - 1;
    expect(sessions.use(id)).toMatchObject({ expires: now + SESSION_LIFE, renew: true });
  }
  now += SESSION_LIFE;
  expect(sessions.use(id)).toBeUndefined();
});

it("asks for a longer cookie now and then, not each time", async () => {
  const { id } = sessions.begin(await token("ci"));
  const renewals: boolean[] = [];
  for (let minutes = 0; minutes < 11; minutes++) {
    now += 60_000;
    renewals.push(sessions.use(id)?.renew ?? false);
  }
  expect(renewals.filter(Boolean)).toHaveLength(2);
});

it("ends with its token: by the end of its time", async () => {
  const { id, expires } = sessions.begin(await token("ci", HOUR));
  expect(expires).toBe(START + HOUR);
  now = START + HOUR - 1;
  expect(sessions.use(id)).toMatchObject({ expires });
  now = START + HOUR;
  expect(sessions.use(id)).toBeUndefined();
});

it("ends with its token: revoked, also when another gets its name", async () => {
  const { id } = sessions.begin(await token("ci"));
  const other = sessions.begin(await token("dash"));
  await book.revoke("ci");
  await token("ci");
  expect(sessions.use(id)).toBeUndefined();
  expect(sessions.use(other.id)).toMatchObject({ token: { name: "dash" } });
});

it("ends when one logs out", async () => {
  const ci = await token("ci");
  const [one, other] = [sessions.begin(ci), sessions.begin(ci)];
  sessions.end(one.id);
  expect(sessions.use(one.id)).toBeUndefined();
  expect(sessions.use(other.id)).toBeDefined();
});

it("is one of a hundred of its token at most: the one longest unused goes first, of the same token only", async () => {
  const [ci, dash] = [await token("ci"), await token("dash")];
  const watching = sessions.begin(dash);
  const ids = Array.from({ length: 100 }, () => sessions.begin(ci).id);
  expect(sessions.use(ids[0]!)).toBeDefined();
  const newest = sessions.begin(ci);
  expect(sessions.use(ids[0]!)).toBeDefined();
  expect(sessions.use(ids[1]!)).toBeUndefined();
  expect(sessions.use(ids[2]!)).toBeDefined();
  for (const { id } of [newest, watching]) expect(sessions.use(id)).toBeDefined();
});
