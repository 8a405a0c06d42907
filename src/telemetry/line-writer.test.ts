import { execFileSync } from "node:child_process";
import { constants, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, afterAll, expect, it } from "vitest";
import { LineWriter } from "./line-writer.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "halftone-lines-"));
});
afterAll(() => rm(folder, { recursive: true }));

function ignore(): void {}

function line(text: string, length: number): string {
  return `${text} ${"x".repeat(length - text.length - 2)}\n`;
}

async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const until = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > until) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it("writes lines in their order, without being asked to, and keeps what a file holds", async () => {
  const file = join(folder, "log");
  for (const run of [0, 1]) {
    const writer = await LineWriter.open(file, ignore);
    for (let i = 0; i < 1000; i++) expect(writer.write(line(`${run} ${i}`, 100))).toBe(true);
    expect(await writer.close()).toBe(0);
  }
  const writer = await LineWriter.open(file, ignore);
  writer.write("the last\n");
  await eventually(async () => (await readFile(file, "utf8")).endsWith("the last\n"), "the line in the file");
  await writer.close();
  const lines = (await readFile(file, "utf8")).split("\n");
  expect(lines.slice(0, 2000).map((text) => text.split(" x")[0])).toEqual(
    [0, 1].flatMap((run) => Array.from({ length: 1000 }, (_, i) => `${run} ${i}`)),
  );
  expect(lines.slice(2000)).toEqual(["the last", ""]);
});

it("refuses what there is no room for where nobody reads, holds up nobody, and loses nothing of the rest", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  await expect(LineWriter.open(pipe, ignore)).rejects.toThrow(/ENXIO/);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const troubles: string[] = [];
  const writer = await LineWriter.open(pipe, (problem) => troubles.push(problem));
  let accepted = 0;
  while (writer.write(line(String(accepted), 1000))) accepted++;
  expect(accepted).toBe(1048);
  // It goes on, as far as the pipe takes it in.
  await eventually(() => writer.write(line(String(accepted), 1000)), "room for one more");
  accepted++;
  let text = "";
  const stream = new Socket({ fd: reader })
    .setEncoding("latin1")
    .on("data", (chunk) => (text += String(chunk)));
  await eventually(() => text.split("\n").length === accepted + 1, "all lines that were accepted");
  expect(
    text
      .split("\n")
      .slice(0, -1)
      .map((one) => Number(one.split(" ")[0])),
  ).toEqual(Array.from({ length: accepted }, (_, i) => i));
  expect(troubles).toEqual([]);
  expect(await writer.close()).toBe(0);
  stream.destroy();
});

it("keeps lines whole where several write to one pipe", async () => {
  const pipe = join(folder, "shared");
  execFileSync("mkfifo", [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writers = await Promise.all(Array.from({ length: 4 }, () => LineWriter.open(pipe, ignore)));
  for (let i = 0; i < 500; i++) writers.forEach((writer, index) => writer.write(line(`${index} ${i}`, 900)));
  let text = "";
  const stream = new Socket({ fd: reader })
    .setEncoding("latin1")
    .on("data", (chunk) => (text += String(chunk)));
  await eventually(() => text.length === 4 * 500 * 900, "all of them");
  for (const one of text.split("\n").slice(0, -1)) expect(one).toMatch(/^\d \d+ x+$/);
  for (const writer of writers) expect(await writer.close()).toBe(0);
  stream.destroy();
});

it("tells once that nothing can be written, and what is lost at the end", async () => {
  const troubles: string[] = [];
  const writer = await LineWriter.open("/dev/full", (problem) => troubles.push(problem));
  for (let i = 0; i < 100; i++) writer.write(line(String(i), 100));
  await eventually(() => troubles.length > 0, "the trouble");
  writer.write("one more\n");
  expect(await writer.close()).toBe(101);
  expect(troubles).toHaveLength(1);
  expect(troubles[0]).toMatch(/ENOSPC/);
});
