import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeDirectory, document, content } from "./directory.contract.ts";
import { DirectoryUnavailable } from "./directory.ts";
import { FileDirectory } from "./file-directory.ts";

const root = await mkdtemp(join(tmpdir(), "halftone-files-"));
afterAll(async () => {
  await rm(root, { recursive: true });
});

describeDirectory("file", async () => new FileDirectory(await mkdtemp(join(root, "d-"))));

describe("FileDirectory", () => {
  let folder: string;
  let directory: FileDirectory;
  const file = (name: string): string => join(folder, "apps", name);

  beforeEach(async () => {
    folder = await mkdtemp(join(root, "d-"));
    directory = new FileDirectory(folder, { now: () => Date.UTC(2030, 0, 2, 3, 4, 5, 6), watchDelay: 0 });
  });
  afterEach(async () => {
    await directory.close();
  });

  it("keeps one readable file per app and nothing else", async () => {
    await directory.write("shop", content("shop"), "absent");
    await directory.write("cart", content("cart"), "absent");
    await directory.delete("cart", 1);
    expect((await readdir(join(folder, "apps"))).sort()).toEqual(["cart.json", "shop.json"]);
    const text = await readFile(file("shop.json"), "utf8");
    expect(JSON.parse(text)).toEqual({
      format: "halftone-app-1",
      checksum: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      name: "shop",
      revision: 1,
      document: document("shop"),
    });
    expect(JSON.parse(await readFile(file("cart.json"), "utf8"))).toMatchObject({
      revision: 2,
      document: null,
    });
  });

  it("is what another instance left, revisions of deleted apps included", async () => {
    await directory.write("shop", content("shop"), "absent");
    await directory.write("cart", content("cart"), "absent");
    await directory.delete("cart", 1);
    const later = new FileDirectory(folder);
    expect(await later.read()).toEqual(await directory.read());
    expect(await later.write("cart", content("cart"), "absent")).toMatchObject({ app: { revision: 3 } });
  });

  it("notices that another instance was first", async () => {
    const other = new FileDirectory(folder);
    await directory.write("shop", content("shop"), "absent");
    await other.write("shop", content("shop", 81), 1);
    const result = await directory.write("shop", content("shop", 82), 1);
    expect(result).toMatchObject({ kind: "stale", current: { revision: 2, document: { port: 81 } } });
  });

  it("never lets a name out of its folder", async () => {
    for (const name of ["../x", "a/b", "", ".", "..", ".hidden", "a\0b", "-x", "x".repeat(65)]) {
      await expect(directory.write(name, content("x"), "any")).rejects.toThrow("is not the name of an app");
      await expect(directory.delete(name, "any")).rejects.toThrow("is not the name of an app");
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it("takes a truncated file for what was written at no length", async () => {
    await directory.write("shop", content("shop"), "absent");
    await directory.write("cart", content("cart"), "absent");
    const whole = await readFile(file("shop.json"));
    for (let length = 0; length < whole.length - 1; length += 1) {
      await writeFile(file("shop.json"), whole.subarray(0, length));
      const content = await directory.read();
      expect(content.apps.map((app) => app.name)).toEqual(["cart"]);
      const [damaged, ...more] = content.damaged;
      expect(more).toEqual([]);
      expect(damaged?.name).toBe("shop");
      expect(await readFile(damaged!.setAside)).toEqual(whole.subarray(0, length));
      await rm(damaged!.setAside);
    }
  });

  it("never takes changed bytes for another content", async () => {
    await directory.write("shop", content("shop"), "absent");
    const whole = await readFile(file("shop.json"));
    const { apps } = await directory.read();
    let refused = 0;
    for (let at = 0; at < whole.length; at += 1) {
      for (const flip of [0x01, 0x20, 0x80]) {
        const changed = Buffer.from(whole);
        changed[at] = changed[at]! ^ flip;
        await writeFile(file("shop.json"), changed);
        const content = await directory.read();
        if (content.damaged.length === 0) expect(content.apps).toEqual(apps);
        else {
          refused += 1;
          expect(content.apps).toEqual([]);
          await rm(content.damaged[0]!.setAside);
        }
      }
    }
    // What is accepted are changes of white space only.
    expect(refused).toBeGreaterThan(whole.length);
  });

  it("refuses groups in another order, for that is the order of updates", async () => {
    await directory.write("shop", content("shop"), "absent");
    const stored = JSON.parse(await readFile(file("shop.json"), "utf8")) as { document: { groups: object } };
    const groups = Object.fromEntries(Object.entries(stored.document.groups).reverse());
    await writeFile(
      file("shop.json"),
      JSON.stringify({ ...stored, document: { ...stored.document, groups } }),
    );
    expect((await directory.read()).damaged).toMatchObject([
      { reason: "the checksum does not match the content" },
    ]);
  });

  it("sets foreign files aside with a reason, and says so until the name is written again", async () => {
    await directory.write("shop", content("shop"), "absent");
    await writeFile(file("copy.json"), await readFile(file("shop.json")));
    await writeFile(file("text.json"), "hello");
    await writeFile(file("list.json"), "[1]");
    await writeFile(file("future.json"), '{"format":"halftone-app-2"}');
    await writeFile(file("deep.json"), `${"[".repeat(200_000)}${"]".repeat(200_000)}`);
    await writeFile(file("README"), "not an app's file");
    const { apps, damaged } = await directory.read();
    expect(apps.map((app) => app.name)).toEqual(["shop"]);
    expect(damaged.map((app) => [app.name, app.reason])).toEqual([
      ["copy", 'it holds the app "shop"'],
      ["deep", expect.stringMatching(/not (readable as JSON|a JSON object)/)],
      ["future", 'found format "halftone-app-2", expected "halftone-app-1"'],
      ["list", "not a JSON object"],
      ["text", expect.stringContaining("not readable as JSON")],
    ]);
    expect(damaged[0]?.setAside).toBe(file("copy.json.damaged-20300102T030405006Z"));

    const later = new FileDirectory(folder);
    expect((await later.read()).damaged.map((app) => app.name)).toEqual([
      "copy",
      "deep",
      "future",
      "list",
      "text",
    ]);
    await later.write("copy", content("copy"), "absent");
    expect((await later.read()).damaged.map((app) => app.name)).toEqual(["deep", "future", "list", "text"]);
    expect(await readdir(join(folder, "apps"))).toContain("copy.json.damaged-20300102T030405006Z");
  });

  it("sets a damaged file aside before it writes, also twice in one millisecond", async () => {
    for (const bytes of ["first", "second"]) {
      await directory.read();
      await writeFile(file("shop.json"), bytes);
      expect(await directory.write("shop", content("shop"), "any", { floor: 4 })).toMatchObject({
        app: { revision: 5 },
      });
    }
    const aside = (await readdir(join(folder, "apps"))).filter((name) => name.includes("damaged"));
    const bytes = await Promise.all(aside.sort().map((name) => readFile(file(name), "utf8")));
    expect(bytes).toEqual(["first", "second"]);
  });

  it("removes what a writer that died left behind, and no file of a writer at work", async () => {
    await mkdir(join(folder, "apps"));
    const dead = ".shop.json.tmp-999999999-0123abcd-1";
    const reborn = `.shop.json.tmp-${process.pid}-0123abcd-1`;
    const alive = ".shop.json.tmp-1-0123abcd-1";
    for (const name of [dead, reborn, alive]) await writeFile(file(name), "{");
    expect(await directory.read()).toEqual({ apps: [], deleted: [], damaged: [] });
    expect(await readdir(join(folder, "apps"))).toEqual([alive]);
  });

  it("says that it is out of reach, where and why", async () => {
    await writeFile(join(folder, "file"), "");
    const blocked = new FileDirectory(join(folder, "file"));
    await expect(blocked.read()).rejects.toThrow(DirectoryUnavailable);
    await expect(blocked.write("shop", content("shop"), "any")).rejects.toThrow(
      /cannot make .*file\/apps: ENOTDIR/,
    );
  });

  it("takes a folder that vanished for out of reach, not for empty", async () => {
    await directory.write("shop", content("shop"), "absent");
    await rm(join(folder, "apps"), { recursive: true });
    await expect(directory.read()).rejects.toThrow(DirectoryUnavailable);
    await expect(directory.write("shop", content("shop"), "any")).rejects.toThrow(DirectoryUnavailable);
  });

  it("tells of changes made by others, and not of its own", async () => {
    await directory.read();
    const other = new FileDirectory(folder);
    let calls = 0;
    let stop: (() => void) | undefined;
    const changed = new Promise<void>((resolve, reject) => {
      stop = directory.watch(() => {
        calls += 1;
        resolve();
      }, reject);
    });
    for (let port = 1; port <= 20; port += 1) await directory.write("shop", content("shop", port), "any");
    await directory.delete("shop", "any");
    expect(calls).toBe(0);
    await other.write("shop", content("shop"), "absent");
    await changed;
    stop?.();
  });

  it("reports that it cannot watch instead of throwing", async () => {
    const missing = new FileDirectory(join(folder, "missing"));
    const error = await new Promise<Error>((resolve) => missing.watch(() => undefined, resolve));
    expect(error.message).toContain("ENOENT");
  });
});

const small = await mountSmallDisk();
afterAll(() => {
  if (small !== undefined) execFileSync("umount", [small]);
});

describe.skipIf(small === undefined)("FileDirectory on a disk of 1 MiB (needs root and mount)", () => {
  it("refuses what does not fit and keeps what was there", async () => {
    const directory = new FileDirectory(small!);
    await directory.write("shop", content("shop"), "absent");
    const servers = Array.from({ length: 200_000 }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
    const large = { ...document("shop"), groups: { old: { servers } } };
    await expect(directory.write("shop", { document: large }, 1)).rejects.toThrow(
      /cannot write .*shop\.json: ENOSPC/,
    );
    const { apps, damaged } = await directory.read();
    expect(damaged).toEqual([]);
    expect(apps).toEqual([{ name: "shop", revision: 1, document: document("shop") }]);
    expect(await readdir(join(small!, "apps"))).toEqual(["shop.json"]);
    expect(await directory.write("shop", content("shop", 81), 1)).toMatchObject({ kind: "written" });
  });

  it("still reads what is whole when the disk can only be read", async () => {
    const before = new FileDirectory(small!);
    await before.write("shop", content("shop"), "any");
    await writeFile(join(small!, "apps", "bad.json"), "{");
    execFileSync("mount", ["-o", "remount,ro", small!]);
    const directory = new FileDirectory(small!);
    const { apps, damaged } = await directory.read();
    expect(apps.map((app) => app.name)).toEqual(["shop"]);
    expect(damaged).toMatchObject([{ name: "bad", setAside: join(small!, "apps", "bad.json") }]);
    for (const name of ["shop", "bad"]) {
      await expect(directory.write(name, content(name), "any")).rejects.toThrow(/EROFS/);
    }
    expect(await readFile(join(small!, "apps", "bad.json"), "utf8")).toBe("{");
  });
});

async function mountSmallDisk(): Promise<string | undefined> {
  const folder = await mkdtemp(join(root, "disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], { stdio: "ignore" });
    return folder;
  } catch {
    return undefined;
  }
}
