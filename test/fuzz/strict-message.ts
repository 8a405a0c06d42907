/** One head as the narrowest reading of RFC 9112 has it; written apart from the parser that is fuzzed. */
export interface StrictHead {
  /** The start line, split at its first two spaces. */
  readonly start: readonly [string, string, string];
  /** Name in lower case, value, name, value. */
  readonly fields: readonly string[];
}

const REQUEST_LINE = /^([A-Z-]+) ([!-"$-~]+) (HTTP\/1\.1)$/;
const STATUS_LINE = /^(HTTP\/1\.1) ([1-5]\d\d) ([\t -~\x80-\xff]*)$/;
const FIELD_LINE =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)[\t ]*$/;

/** Reads a whole head, as latin1 text, and nothing after it; answers what is wrong with it otherwise. */
export function readStrictly(text: string, kind: "request" | "response"): StrictHead | string {
  if (!text.endsWith("\r\n\r\n")) return "does not end with an empty line";
  const lines = text.slice(0, -4).split("\r\n");
  const start = (kind === "request" ? REQUEST_LINE : STATUS_LINE).exec(lines[0]!);
  if (start === null) return "has a malformed start line";
  const fields: string[] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = FIELD_LINE.exec(lines[i]!);
    // An empty line here would be the end of one message and the start of another.
    if (line === null) return lines[i] === "" ? "is more than one message" : "has a malformed field line";
    fields.push(line[1]!.toLowerCase(), line[2]!);
  }
  return { start: [start[1]!, start[2]!, start[3]!], fields };
}

/** The values of that field, in order. */
export function valuesOf(fields: readonly string[], name: string): readonly string[] {
  const found: string[] = [];
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) found.push(fields[i + 1]!);
  return found;
}
