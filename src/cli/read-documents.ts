import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { parse } from "node:path";
import type { AppDocument } from "../config/app-document.ts";
import { formatProblems } from "../config/format-problems.ts";
import type { Problem } from "../config/problem.ts";
import { readAppDocuments } from "../config/read-app-documents.ts";
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
  const name = file === "-" ? undefined : parse(file).name;
  const { documents, problems } = readAppDocuments(await textOf(context, file), name);
  if (problems.length > 0) throw refused(file, problems, stays);
  return documents;
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
