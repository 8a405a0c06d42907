import type { Context } from "hono";
import type { z } from "zod";
import type { Parsed } from "../config/problem.ts";
import { readDocumentText } from "../config/document-text.ts";
import { problemsOf } from "../config/finding.ts";
import { findingsOf } from "../config/schema-findings.ts";
import { refusal } from "./api-problem.ts";
import type { AdminEnv } from "./operation.ts";

const BODY_LIMIT = 1024 * 1024;

export const JSON_TYPES: readonly string[] = ["application/json"];
export const DOCUMENT_TYPES: readonly string[] = ["application/json", "application/yaml", "text/yaml"];

export type Body<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly answer: Response };

/** The body as a value not yet checked, or the answer that refuses it (413, 415, 400). */
export async function readBody(c: Context<AdminEnv>, types: readonly string[]): Promise<Body<unknown>> {
  const written = c.req.header("content-type");
  const type = written?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (!types.includes(type)) {
    const detail = `found Content-Type ${written ?? "missing"}, expected ${types.join(" or ")}`;
    return {
      ok: false,
      answer: refusal("unsupported-media-type", detail, { headers: { Accept: types.join(", ") } }),
    };
  }
  const bytes = await readLimited(c.req.raw.body);
  if (bytes === undefined) {
    const detail = `found more than ${BODY_LIMIT} bytes, expected at most that (1 MiB)`;
    return { ok: false, answer: refusal("body-too-large", detail, { headers: { Connection: "close" } }) };
  }
  const parsed = parseText(bytes, type === "application/json");
  if (parsed.ok) return parsed;
  const detail = "the body cannot be parsed; nothing was changed";
  return { ok: false, answer: refusal("bad-request", detail, { problems: parsed.problems }) };
}

function parseText(bytes: Uint8Array, isJson: boolean): Parsed<unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return {
      ok: false,
      problems: [{ path: "", found: "bytes that are not UTF-8", expected: "text in UTF-8" }],
    };
  }
  if (isJson) {
    try {
      JSON.parse(text);
    } catch (error) {
      return { ok: false, problems: [{ path: "", found: (error as Error).message, expected: "JSON" }] };
    }
  }
  // JSON too: it is YAML, and JSON.parse would silently keep the last of two equal keys.
  return readDocumentText(text);
}

/** The JSON body, checked; what is wrong with it is answered 422 with every problem. */
export async function readChecked<T>(c: Context<AdminEnv>, schema: z.ZodType<T>): Promise<Body<T>> {
  const body = await readBody(c, JSON_TYPES);
  if (!body.ok) return body;
  const checked = schema.safeParse(body.value);
  if (checked.success) return { ok: true, value: checked.data };
  const problems = problemsOf(findingsOf(checked.error.issues), body.value);
  return {
    ok: false,
    answer: refusal("invalid-document", "the body is not valid; nothing was changed", { problems }),
  };
}

/** The same of a request that may come without a body: then it is read as `{}`. */
export async function readOptional<T>(c: Context<AdminEnv>, schema: z.ZodType<T>): Promise<Body<T>> {
  const { raw } = c.req;
  const isEmpty =
    raw.headers.get("transfer-encoding") === null && Number(raw.headers.get("content-length")) === 0;
  return isEmpty ? { ok: true, value: schema.parse({}) } : await readChecked(c, schema);
}

/** A body that grows past the limit is not read on. */
async function readLimited(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array | undefined> {
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > BODY_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
