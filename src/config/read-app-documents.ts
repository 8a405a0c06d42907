import { type AppDocument, parseAppDocument } from "./app-document.ts";
import { readDocumentTexts } from "./document-text.ts";
import { isPlainObject } from "./plain-data.ts";
import type { Problem } from "./problem.ts";
import { isOriginalForm } from "./read-original.ts";

export interface ReadApps {
  readonly documents: readonly AppDocument[];
  /** Everything wrong with the text; where there is more than one document, the paths say which. */
  readonly problems: readonly Problem[];
}

/**
 * The app documents of a JSON or YAML text, one or several, in any of the three forms. `name` is for a document of the
 * original without one: the name of its file, undefined where there is none. `allowServers`: as for `parseAppDocument`.
 */
export function readAppDocuments(
  text: string,
  name: string | undefined,
  allowServers?: readonly string[],
): ReadApps {
  const read = readDocumentTexts(text);
  if (!read.ok) return { documents: [], problems: read.problems };
  if (read.value.length === 0) {
    return { documents: [], problems: [{ path: "", found: "nothing", expected: "an app document" }] };
  }
  const documents: AppDocument[] = [];
  const problems: Problem[] = [];
  for (const [index, value] of read.value.entries()) {
    const parsed = parseAppDocument(value, {
      ...(name !== undefined && isNameless(value) && { name }),
      allowServers,
    });
    if (parsed.ok) documents.push(parsed.value);
    else problems.push(...parsed.problems.map((problem) => inDocument(problem, index, read.value.length)));
  }
  return { documents, problems };
}

/** The original's converted form carries no name: there it is the key, here the file. */
function isNameless(value: unknown): boolean {
  return isPlainObject(value) && isOriginalForm(value) && !("image" in value) && !("name" in value);
}

function inDocument(problem: Problem, index: number, count: number): Problem {
  if (count === 1) return problem;
  const place = `document ${index + 1}`;
  return { ...problem, path: problem.path === "" ? place : `${place}: ${problem.path}` };
}
