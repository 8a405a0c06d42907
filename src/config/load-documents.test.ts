import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readDocumentText } from "./document-text.ts";
import { formatProblems } from "./format-problems.ts";
import { type HalftoneConfig, parseHalftoneConfig } from "./halftone-config.ts";
import { appJsonSchema } from "./json-schema.ts";
import { parseRedisUrl } from "./redis-target.ts";
import { type LoadedApps, loadAppFiles } from "./load-documents.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "halftone-apps-"));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text);

function load(
  apps: readonly string[],
  directory: HalftoneConfig["directory"] = { kind: "memory" },
): Promise<LoadedApps> {
  return loadAppFiles({ apps, directory, gateway: { allowServers: [] } });
}

describe("the examples", () => {
  it("are valid, and show the defaults", async () => {
    const text = await readFile(path.join(EXAMPLES, "halftone.yaml"), "utf8");
    const [config, defaults] = [parseHalftoneConfig(text, EXAMPLES), parseHalftoneConfig("", EXAMPLES)];
    if (!config.ok || !defaults.ok) throw new Error("refused");
    expect(config.value).toEqual({ ...defaults.value, apps: [path.join(EXAMPLES, "apps/*.yaml")] });
    const { documents, problems } = await loadAppFiles(config.value);
    expect(problems).toEqual([]);
    expect(documents.map(({ document }) => document.name)).toEqual(["my_object"]);
    const originals = await load([path.join(EXAMPLES, "apps-original/*.json")]);
    expect(originals.documents.map(({ document }) => document.name)).toEqual(["my_object"]);
  });
});

describe("loadAppFiles", () => {
  it("reads all documents of all files, in the order of their names", async () => {
    await write(
      "b.yaml",
      "name: b1\ngroups: {g: {servers: [h]}}\n---\nname: b2\ngroups: {g: {servers: [h]}}\n",
    );
    await write("a.json", '{\n\t"name": "a",\n\t"groups": {"g": {"servers": ["h"]}}\n}');
    await write("my_object.json", '{"group": [{"ip": "10.0.0.1", "weight": "1"}], "deploy": 0}');
    await write("note.txt", "not one of them");
    const { documents, problems } = await load([`${folder}/*.yaml`, `${folder}/*.json`]);
    expect(problems).toEqual([]);
    expect(documents.map(({ document }) => document.name)).toEqual(["a", "b1", "b2", "my_object"]);
  });

  it("reports the problems of each file, and takes none of its documents", async () => {
    await write("a.yaml", "name: a\ngroups: {g: {servers: [h]}}\n---\nname: b\ngroups: {}\n");
    await write("b.json", '{"name": "b", "name": "c"}');
    await write("c.yaml", "name: c\ngroups: {g: {servers: [h]}}\n");
    await write("d.yaml", "name: c\ngroups: {g: {servers: [i]}}\n");
    await write("e.yaml", "# empty\n");
    const { documents, problems } = await load([`${folder}/*`, `${folder}/none*`, `${folder}/missing.yaml`]);
    expect(documents.map(({ document }) => document.name)).toEqual(["c"]);
    expect(
      problems.map(({ file, problems }) => [path.basename(file), formatProblems(problems).length]),
    ).toEqual([
      ["a.yaml", 1],
      ["b.json", 1],
      ["d.yaml", 1],
      ["e.yaml", 1],
      ["missing.yaml", 1],
    ]);
    expect(problems[0]!.problems[0]!.path).toBe("document 2: groups");
    expect(problems[1]!.problems[0]!.path).toBe("line 1, column 15");
  });
});

describe("readDocumentText", () => {
  it("reads JSON and YAML, one document", () => {
    expect(readDocumentText('{"a": "\\ud83d\\ude00\\/", "b": [1, true, null]}')).toEqual({
      ok: true,
      value: { a: "😀/", b: [1, true, null] },
    });
    expect(readDocumentText("a: 10.0.4.175\nb: [::1, 10.0.0.0/8]")).toEqual({
      ok: true,
      value: { a: "10.0.4.175", b: ["::1", "10.0.0.0/8"] },
    });
    expect(readDocumentText("").ok).toBe(false);
    expect(readDocumentText("a: 1\n---\na: 2").ok).toBe(false);
  });

  it("names the file, the place and what stands there", () => {
    const read = readDocumentText('{"a": 1} more', { fileName: "app.json" });
    expect(read.ok ? [] : formatProblems(read.problems)[0]).toMatch(
      /^app\.json: line 1, column 10: found "more", /,
    );
  });
});

describe("appJsonSchema", () => {
  it("describes every field of the canonical form and allows no other", () => {
    const schema = appJsonSchema() as Record<string, unknown> & {
      readonly properties: Record<string, { readonly description?: string }>;
    };
    expect(schema).toMatchObject({ required: ["name", "groups"], additionalProperties: false });
    const undescribed = Object.entries(schema.properties).filter(([, { description }]) => !description);
    expect(undescribed).toEqual([]);
    expect(schema.properties["deploy"]).toMatchObject({ type: "integer" });
  });

  it("refuses for the original layout what its form cannot carry", async () => {
    await write(
      "shop.yaml",
      "name: shop\ngroups: {blue: {servers: [10.0.0.1]}}\ntesters: [{cookie: beta, equals: yes}]\n",
    );
    const target = parseRedisUrl("redis://h/0?layout=original")!;
    const { documents, problems } = await load([`${folder}/*.yaml`], { kind: "redis", target });
    expect(documents).toEqual([]);
    const lines = formatProblems(problems[0]?.problems ?? []).join("\n");
    expect(lines).toMatch(/groups\.blue: .* the name group1/);
    expect(lines).toMatch(/testers\[0\]: .* knows no other testers/);
  });
});
