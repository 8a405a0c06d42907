import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { globSync } from "tinyglobby";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocksOf, read, ROOT, sectionOf, spansOf } from "./markdown.ts";

const text = read("ARCHITECTURE.md");
const tree = treePaths(blocksOf(text).find(({ language }) => language === "tree")?.text ?? "");
/** From the top: each may import itself and those before it. */
const layers: readonly string[] =
  (/^`core`(?: → `[\w.-]+`)+$/m.exec(sectionOf(text, "Layers"))?.[0] ?? "").match(/[\w-]+/g) ?? [];

describe("ARCHITECTURE.md", () => {
  it("names only paths that exist", () => {
    expect(tree.length).toBeGreaterThan(40);
    const spans = spansOf(text).filter((span) => /^[a-z0-9.-]+(?:\/[a-z0-9.-]+)*\/?$/.test(span));
    const named = spans.filter((span) => span.includes("/") || span.endsWith(".ts"));
    const missing = [...tree, ...named].filter(
      (path) => !existsSync(join(ROOT, path)) && !existsSync(join(ROOT, "src", path)),
    );
    expect(missing).toEqual([]);
  });

  it("names every folder and every file directly below of src/", () => {
    const folders = globSync("**/*.ts", { cwd: join(ROOT, "src") })
      .map((file) => dirname(`src/${file}`))
      .filter((folder) => folder !== "src")
      .map((folder) => `${folder}/`);
    const files = globSync("*.ts", { cwd: join(ROOT, "src") }).map((file) => `src/${file}`);
    const expected = [...new Set([...folders, ...files])];
    expect(expected.filter((path) => !tree.includes(path))).toEqual([]);
  });

  it("puts every folder of src/ into a layer", () => {
    const folders = globSync("*/*.ts", { cwd: join(ROOT, "src") }).map((file) => dirname(file));
    expect([...new Set(folders)].filter((folder) => !layers.includes(folder))).toEqual([]);
  });
});

/** What is planted in `core/`, and the rule that has to refuse it. */
const IMPURITIES: readonly (readonly [name: string, code: string, rule: string])[] = [
  ["node", 'import { readFileSync } from "node:fs";\nexport const a: unknown = readFileSync;', "imports"],
  ["package", 'import { z } from "zod";\nexport const a: unknown = z;', "imports"],
  ["outside", 'export { parse } from "../config/duration.ts";', "imports"],
  ["outside-type", 'import type { A } from "../gateway/gateway.ts";\nexport type B = A;', "imports"],
  ["date", "export const a: number = Date.now();", "globals"],
  ["date-new", "export const a: unknown = new Date();", "globals"],
  ["performance", "export const a: number = performance.now();", "globals"],
  ["timeout", "export function a(): void {\n  setTimeout(() => {}, 1);\n}", "globals"],
  ["process", "export const a: unknown = process.env;", "globals"],
  ["buffer", 'export const a: unknown = Buffer.from("");', "globals"],
  ["fetch", 'export const a: unknown = fetch("http://127.0.0.1/");', "globals"],
  ["crypto", "export const a: string = crypto.randomUUID();", "globals"],
  ["random", "export const a: number = Math.random();", "properties"],
];

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

describe("the rule of the layers, held by lint", () => {
  let folder = "";
  let found: readonly string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "halftone-layers-"));
    await cp(join(ROOT, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
    await plant("src/core/innocent.ts", 'import { a } from "./other.ts";\nexport const b: unknown = a;');
    for (const [name, code] of IMPURITIES) await plant(`src/core/${name}.ts`, code);
    for (const from of layers) {
      for (const to of layers) {
        await plantImport(from, to, `../${to}/target.ts`);
        // A room within a layer is no way round.
        if (from !== "core") await plantImport(`${from}/room`, to, `../../${to}/target.ts`);
      }
      await plantImport(from, "app", "../app.ts");
    }
    found = restrictedIn(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(IMPURITIES)("core/ takes no %s", (name, _code, rule) => {
    expect(found).toContain(`src/core/${name}.ts no-restricted-${rule}`);
  });

  it("core/ may import core", () => {
    expect(found.filter((entry) => entry.includes("innocent"))).toEqual([]);
  });

  it("a layer imports itself and the layers above it, never one below", () => {
    expect(layers.length).toBeGreaterThan(7);
    const downwards = layers.flatMap((from, index) =>
      layers
        .slice(index + 1)
        .flatMap((to) =>
          [from, ...(from === "core" ? [] : [`${from}/room`])].map((place) => `${place}/to-${to}`),
        )
        .map((file) => `src/${file}.ts no-restricted-imports`),
    );
    const refused = found.filter((entry) => /\/to-(?!app\.)/.test(entry));
    // Within core the import is written "./": the planted "../core/" is refused like any other.
    const expected = [...downwards, "src/core/to-core.ts no-restricted-imports"];
    expect([...refused].sort()).toEqual(expected.sort());
  });

  it("only cli/ may import the composition root", () => {
    const refused = found.filter((entry) => entry.includes("/to-app."));
    const expected = layers.filter((layer) => layer !== "cli").map((layer) => `src/${layer}/to-app.ts`);
    expect([...refused].sort()).toEqual(expected.map((path) => `${path} no-restricted-imports`).sort());
  });

  it("is what refuses the planted files: without it they pass", async () => {
    const path = join(folder, ".oxlintrc.json");
    const config = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...config, overrides: [] }));
    expect(restrictedIn(folder)).toEqual([]);
  });

  async function plant(path: string, code: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), `${code}\n`);
  }

  async function plantImport(from: string, to: string, specifier: string): Promise<void> {
    await plant(`src/${from}/to-${to}.ts`, `import { a } from "${specifier}";\nexport const b: unknown = a;`);
  }
});

/** "FILE RULE" of each restriction that oxlint, with the configuration of that folder, finds broken there. */
function restrictedIn(folder: string): readonly string[] {
  const oxlint = join(ROOT, "node_modules/.bin/oxlint");
  const { stdout } = spawnSync(oxlint, ["--format", "json", "src"], { cwd: folder, encoding: "utf8" });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly Diagnostic[] };
  const entries = diagnostics.map(
    ({ code, filename }) => `${filename} ${/\((.*)\)/.exec(code)?.[1] ?? code}`,
  );
  return [...new Set(entries.filter((entry) => entry.includes(" no-restricted-")))];
}

/** The paths of an indented tree: a name, two spaces or more, what it is. */
function treePaths(block: string): readonly string[] {
  const parents: string[] = [];
  return block.split("\n").flatMap((line) => {
    const parts = /^( *)([\w./-]+)(?: {2,}|$)/.exec(line);
    if (parts === null) return [];
    const depth = (parts[1] ?? "").length / 2;
    const name = parts[2] ?? "";
    parents.length = depth;
    const path = parents.join("") + name;
    parents.push(name);
    return [path];
  });
}
