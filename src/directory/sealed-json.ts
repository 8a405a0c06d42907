import { createHash } from "node:crypto";

/**
 * JSON files that prove they are whole: `{"format": ..., "checksum": "sha256:<hex>", ...content}`. The checksum covers
 * everything else as JSON without white space, so a truncated or changed file is never taken for what was written,
 * while one that was merely indented otherwise still counts.
 */
export type Unsealed =
  | { readonly ok: true; readonly content: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly reason: string };

/** The text of a sealed file, indented for people. `content` must be JSON data without the keys `format` and `checksum`. */
export function seal(format: string, content: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ format, checksum: checksumOf({ format, ...content }), ...content }, undefined, 2)}\n`;
}

/**
 * The same with a list of JSON texts (without white space) as the last key, one a line: of a long list, who keeps the texts
 * of what did not change pays for the rest.
 */
export function sealList(
  format: string,
  content: Readonly<Record<string, string>>,
  key: string,
  items: readonly string[],
): string {
  const before = JSON.stringify(content).slice(1, -1);
  const list = items.join(",\n");
  const hash = createHash("sha256").update(`{"format":${JSON.stringify(format)},${before},"${key}":[`);
  // No line break stands within an item: JSON escapes those of texts.
  const checksum = hash.update(list.replaceAll(",\n", ",")).update("]}").digest("hex");
  return `{"format":${JSON.stringify(format)},"checksum":"sha256:${checksum}",${before},"${key}":[\n${list}\n]}\n`;
}

/** The content of a sealed file of this format, or why it is not one. Never throws. */
export function unseal(format: string, text: string): Unsealed {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return { ok: false, reason: "not a JSON object" };
    const { checksum, ...rest } = value;
    if (rest["format"] !== format) {
      return { ok: false, reason: `found format ${quote(rest["format"])}, expected ${quote(format)}` };
    }
    if (checksum !== checksumOf(rest)) {
      return { ok: false, reason: "the checksum does not match the content" };
    }
    const { format: _format, ...content } = rest;
    return { ok: true, content };
  } catch (error) {
    // A syntax error, or nesting deeper than the stack allows.
    return {
      ok: false,
      reason: `not readable as JSON: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Keys stay in the order written: the order of an app's groups is the order in which they are updated. */
function checksumOf(value: unknown): string {
  return `sha256:${createHash("sha256").update(JSON.stringify(value)).digest("hex")}`;
}

function quote(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 80);
}
