import { LineCounter, parseAllDocuments } from "yaml";

import { describeFound } from "./finding.ts";
import type { Parsed, Problem } from "./problem.ts";

/** What aliases may multiply a text by; more is the "billion laughs" attack. */
const MAX_ALIAS_COUNT = 100;

/**
 * The one document of a JSON or YAML text. Problems give line and column in `path`. JSON is read as the YAML it is, as
 * JSON.parse would silently keep the last of two equal keys.
 *
 * `options.fileName`: stands before line and column if given.
 */
export function readDocumentText(text: string, options?: { readonly fileName?: string }): Parsed<unknown> {
  const read = readDocumentTexts(text, options);
  if (!read.ok) return read;
  if (read.value.length === 1) return { ok: true, value: read.value[0] };
  const found = read.value.length === 0 ? "nothing" : `${read.value.length} documents`;
  return { ok: false, problems: [{ path: options?.fileName ?? "", found, expected: "one document" }] };
}

/** All documents of a JSON or YAML text; empty ones are left out. */
export function readDocumentTexts(
  text: string,
  options?: { readonly fileName?: string },
): Parsed<readonly unknown[]> {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    stringKeys: true,
  });
  const problems: Problem[] = [];
  const values: unknown[] = [];
  // For a text without any document the library answers an empty list with more properties.
  for (const document of Array.isArray(documents) ? documents : []) {
    // A warning is a tag nobody knows (`!vault …`): its value would be read as something it is not.
    for (const fault of [...document.errors, ...document.warnings]) {
      problems.push(problemAt(fault.pos[0], excerptAt(text, fault.pos[0]), sentence(fault.message)));
    }
    if (document.errors.length > 0 || document.contents === null) continue;
    try {
      values.push(document.toJS({ maxAliasCount: MAX_ALIAS_COUNT }));
    } catch (error) {
      // An alias without anchor is an error of the text, found late; so are too many aliases.
      if (!(error instanceof ReferenceError)) throw error;
      problems.push(problemAt(document.range[0], "aliases that cannot be resolved", sentence(error.message)));
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: values };

  function problemAt(offset: number, found: string, expected: string): Problem {
    const { line, col } = lines.linePos(offset);
    const place = `line ${line}, column ${col}`;
    return { path: options?.fileName ? `${options.fileName}: ${place}` : place, found, expected };
  }
}

function excerptAt(text: string, offset: number): string {
  const rest = /^[^\r\n]*/.exec(text.slice(offset))![0];
  if (rest !== "") return describeFound(rest);
  return text.slice(offset).trim() === "" ? "the end of the text" : "the end of the line";
}

function sentence(message: string): string {
  return `JSON or YAML (${message})`;
}
