import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { parse } from "node:path";
import { parseAppDocument, type AppDocument } from "../config/app-document.ts";
import { readDocumentTexts } from "../config/document-text.ts";
import { formatProblems } from "../config/format-problems.ts";
import { isPlainObject } from "../config/plain-data.ts";
import type { Problem } from "../config/problem.ts";
import { isOriginalForm } from "../config/read-original.ts";
import type { CliContext } from "./cli-context.ts";
import { CliFailure } from "./cli-failure.ts";

/**
 * All app documents of a file ("-": standard input), in any of the three forms, checked. The original's converted form
 * has no name: it takes the file's. Fails with every problem of the file; `stays` says what that leaves in force.
 */
export async function readDocuments(
  context: CliContext,
  file: string,
  stays: string,
): Promise<readonly AppDocument[]> {
  const read = readDocumentTexts(await textOf(context, file));
  if (!read.ok) throw refused(file, read.problems, stays);
  if (read.value.length === 0) {
    throw refused(file, [{ path: "", found: "nothing", expected: "an app document" }], stays);
  }
  const name = file === "-" ? undefined : parse(file).name;
  const documents: AppDocument[] = [];
  const problems: Problem[] = [];
  for (const [index, value] of read.value.entries()) {
    const parsed = parseAppDocument(value, name !== undefined && isNameless(value) ? { name } : undefined);
    if (parsed.ok) {
      documents.push(parsed.value);
      continue;
    }
    const place = read.value.length === 1 ? [] : [`document ${index + 1}`];
    for (const { path, found, expected } of parsed.problems) {
      problems.push({ path: [...place, ...(path === "" ? [] : [path])].join(": "), found, expected });
    }
  }
  if (problems.length > 0) throw refused(file, problems, stays);
  return documents;
}

function isNameless(value: unknown): boolean {
  return isPlainObject(value) && isOriginalForm(value) && !("image" in value) && !("name" in value);
}

async function textOf(context: CliContext, file: string): Promise<string> {
  if (file === "-") return await text(context.stdin);
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CliFailure(`${file} cannot be read: ${(error as Error).message}`);
  }
}

function refused(file: string, problems: readonly Problem[], stays: string): CliFailure {
  const where = file === "-" ? "standard input" : file;
  const lines = formatProblems(problems).map((line) => `  ${line}`);
  return new CliFailure([`${where} is not valid; ${stays}`, ...lines].join("\n"));
}
