import type { FieldTable } from "./field-table.ts";
import { Field } from "./field.ts";

/**
 * Does a Via field say that the message came by the intermediary of that lower-case name (RFC 9110 7.6.3)? The value is
 * a list of `received-protocol RWS received-by [RWS comment]`; a comment may hold commas, and other comments.
 */
export function hasPassed(fields: FieldTable, name: string): boolean {
  for (let i = 0; i < fields.count; i++) {
    if (fields.kind[i] === Field.VIA && namesIn(fields.value(i)).includes(name)) return true;
  }
  return false;
}

/** The received-by of each element, in lower case and without its port. */
export function namesIn(value: string): readonly string[] {
  return withoutComments(value)
    .toLowerCase()
    .split(",")
    .map((element) => element.trim().split(/\s+/)[1] ?? "")
    .filter((name) => name !== "")
    .map((name) => name.replace(/:\d*$/, ""));
}

function withoutComments(value: string): string {
  if (!value.includes("(")) return value;
  let text = "";
  let depth = 0;
  for (let i = 0; i < value.length; i++) {
    const character = value[i]!;
    if (depth > 0 && character === "\\") i++;
    else if (character === "(") depth++;
    else if (character === ")" && depth > 0) depth--;
    else if (depth === 0) text += character;
  }
  return text;
}
