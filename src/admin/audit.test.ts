import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { actor } from "./actor.ts";
import { Audit, type AuditEntry } from "./audit.ts";
import { linesFromEnd } from "./lines-from-end.ts";
import { open } from "node:fs/promises";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "halftone-audit-"));
  path = join(folder, "audit.jsonl");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function entry(number: number, app: string = "shop"): AuditEntry {
  return { at: "2026-01-02T03:04:05.000Z", by: "admin", what: "put", app, from: number - 1, to: number };
}

describe("the audit file", () => {
  it("is the owner's alone, and keeps what is in it", async () => {
    const first = await Audit.open(folder);
    await first.record(entry(1));
    await first.close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const second = await Audit.open(folder);
    await second.record(entry(2));
    expect(await second.newest({ limit: 10 })).toEqual([entry(2), entry(1)]);
    await second.close();
  });

  it("cannot be made to hold a forged line", async () => {
    const audit = await Audit.open(folder);
    const forged = `x\n${JSON.stringify(entry(666))}\n`;
    await audit.record({ ...entry(1), by: forged, refused: `${forged}\u2028` });
    expect((await readFile(path, "utf8")).trimEnd().split("\n")).toHaveLength(1);
    expect(await audit.newest({ limit: 10 })).toMatchObject([{ by: forged, to: 1 }]);
    await audit.close();
  });

  it("survives a last line torn at any byte", async () => {
    const whole = `${JSON.stringify(entry(1))}\n${JSON.stringify({ ...entry(2), by: "Zoë" })}\n`;
    const bytes = Buffer.from(whole);
    const first = bytes.indexOf(10) + 1;
    for (let length = first; length < bytes.length; length++) {
      await writeFile(path, bytes);
      await truncate(path, length);
      const audit = await Audit.open(folder);
      await audit.record(entry(3));
      const revisions = (await audit.newest({ limit: 10 })).map(({ to }) => to);
      await audit.close();
      // Torn just before its newline, a line is whole.
      expect(revisions, `cut at ${length}`).toEqual(length === bytes.length - 1 ? [3, 2, 1] : [3, 1]);
    }
  });

  it("tells the newest of one app, however many there are of others", async () => {
    const audit = await Audit.open(folder);
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => audit.record(entry(i + 1, i % 100 === 0 ? "rare" : "shop"))),
    );
    expect((await audit.newest({ app: "rare", limit: 3 })).map(({ to }) => to)).toEqual([401, 301, 201]);
    await audit.close();
  });

  it("skips what is no entry", async () => {
    const audit = await Audit.open(folder);
    await audit.record(entry(1));
    await appendFile(path, "null\n[]\nnot json\n{}\n");
    await audit.record(entry(2));
    expect((await audit.newest({ limit: 10 })).map(({ to }) => to)).toEqual([2, 1]);
    await audit.close();
  });

  it("shortens an endless reason", async () => {
    const audit = await Audit.open(folder);
    await audit.record({ ...entry(1), refused: "x".repeat(100_000) });
    expect((await stat(path)).size).toBeLessThan(1000);
    await audit.close();
  });
});

describe("lines from the end", () => {
  it("are the lines of the file reversed, whatever the size of the chunks", async () => {
    const lines = ["first", "", "zwölf → ∞", "x".repeat(40), "last, unfinished"];
    await writeFile(path, lines.join("\n"));
    const file = await open(path, "r");
    for (let chunk = 1; chunk < 80; chunk++) {
      const read: string[] = [];
      for await (const line of linesFromEnd(file, chunk)) read.push(line);
      expect(read, `chunks of ${chunk}`).toEqual([...lines].reverse());
    }
    await file.close();
  });
});

describe("the actor", () => {
  it.each([
    [undefined, "admin"],
    ["", "admin"],
    ["ci", "admin (ci)"],
    ["  Zoë \u0000\n", "admin (Zoë)"],
    ["x) root (", "admin (x root)"],
    ["y".repeat(100), `admin (${"y".repeat(64)})`],
  ])("of %j is %j", (claimed, expected) => {
    expect(actor("admin", claimed)).toBe(expected);
  });
});
