import { readFile } from "node:fs/promises";
import path from "node:path";
import { glob } from "tinyglobby";

import type { AppDocument } from "./app-document.ts";
import type { HalftoneConfig } from "./halftone-config.ts";
import { toOriginal } from "./original-form.ts";
import type { Problem } from "./problem.ts";
import { readAppDocuments, type ReadApps } from "./read-app-documents.ts";

export interface LoadedApps {
  /** In the order of the files' names, then of the documents in them. */
  readonly documents: readonly LoadedApp[];
  /** The files that hold something wrong; none of their documents is among `documents`. */
  readonly problems: readonly FileProblems[];
}

export interface LoadedApp {
  readonly file: string;
  readonly document: AppDocument;
}

/** What of halftone.yaml the documents are read and judged by. */
export type AppFileSettings = Pick<HalftoneConfig, "apps" | "directory"> & {
  readonly gateway: Pick<HalftoneConfig["gateway"], "allowServers">;
};

export interface FileProblems {
  readonly file: string;
  readonly problems: readonly Problem[];
}

/**
 * Reads the app documents of all files the globs match (.json, .yaml, .yml; absolute paths). A file may hold several
 * documents; a document of the original without a name takes its file's. A glob that matches nothing is no problem, a
 * path without wildcards that is not there is one.
 */
export async function loadAppFiles({ apps, gateway, directory }: AppFileSettings): Promise<LoadedApps> {
  const { allowServers } = gateway;
  const isOriginal = directory.kind === "redis" && directory.target.layout === "original";
  const documents: LoadedApp[] = [];
  const problems: FileProblems[] = [];
  const firstFile = new Map<string, string>();
  for (const file of await filesOf(apps)) {
    const loaded = await loadFile(file, allowServers);
    const repeated = loaded.documents.filter(({ name }) => firstFile.has(name));
    const wrong = [
      ...loaded.problems,
      // Written to Redis it would lose what the original's form cannot carry.
      ...(isOriginal ? loaded.documents.flatMap(unfitForOriginal) : []),
      ...repeated.map(({ name }) => ({
        path: "name",
        found: JSON.stringify(name),
        expected: `another name than the app of ${firstFile.get(name)}`,
      })),
    ];
    if (wrong.length > 0) {
      problems.push({ file, problems: wrong });
      continue;
    }
    for (const document of loaded.documents) {
      firstFile.set(document.name, file);
      documents.push({ file, document });
    }
  }
  return { documents, problems };
}

function unfitForOriginal(document: AppDocument): readonly Problem[] {
  const original = toOriginal(document);
  return original.ok ? [] : original.problems;
}

async function filesOf(globs: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const pattern of globs) {
    const matches = await glob(pattern, { absolute: true, dot: false, expandDirectories: false });
    for (const file of matches) files.add(path.normalize(file));
    const isLiteral = !/[*?[\]{}()!]/.test(pattern.replaceAll(/\\./g, ""));
    if (matches.length === 0 && isLiteral) files.add(path.normalize(pattern.replaceAll(/\\(.)/g, "$1")));
  }
  return [...files].sort();
}

async function loadFile(file: string, allowServers: readonly string[]): Promise<ReadApps> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return { documents: [], problems: [{ path: "", found, expected: "a file that can be read" }] };
  }
  const read = readAppDocuments(text, path.parse(file).name, allowServers);
  const names = new Set<string>();
  const problems = [...read.problems];
  for (const { name } of read.documents) {
    if (names.has(name)) {
      problems.push({
        path: "name",
        found: JSON.stringify(name),
        expected: "another name than in the same file before",
      });
    }
    names.add(name);
  }
  return { documents: read.documents, problems };
}
