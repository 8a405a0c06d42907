import * as z from "zod";
import { describeFound } from "../config/finding.ts";
import { sideQuery, type SideNames } from "../config/side-query.ts";
import type { SignalSource } from "../config/signal-settings.ts";
import type { Comparison, Counts } from "../core/verdict/counts.ts";
import { askForCounts } from "./ask-for-counts.ts";
import { codeOf } from "./post-json.ts";
import { readComparison } from "./read-comparison.ts";
import { readSecret } from "./read-secret.ts";

/** Prometheus, "HTTP API", "Instant queries" and "Expression query result formats". */
const sample = z.tuple([z.number(), z.string()]);
const answerSchema = z.object({
  status: z.literal("success"),
  warnings: z.array(z.string()).optional(),
  data: z.discriminatedUnion("resultType", [
    z.object({ resultType: z.literal("scalar"), result: sample }),
    z.object({ resultType: z.literal("vector"), result: z.array(z.object({ value: sample })) }),
  ]),
});

/**
 * Four queries at once, each evaluated at `now` (ms since the epoch), however long Prometheus lets it wait. The counts, or
 * why there are none; rejects when no answer came.
 */
export async function prometheusCounts(
  source: Extract<SignalSource["from"], { kind: "prometheus" }>,
  sides: { readonly test: SideNames; readonly rest: SideNames },
  now: number,
  signal: AbortSignal,
): Promise<Comparison | string> {
  const url = queryUrl(source.url);
  const authorization = await readAuthorization(source.authorizationFile);
  if (typeof authorization === "string") return authorization;
  const fields = { "content-type": "application/x-www-form-urlencoded", ...authorization };
  const ask = async (side: keyof Comparison, kind: keyof Counts): Promise<Value> => {
    const query = sideQuery(source[kind], sides[side]);
    // By POST, as many servers make a query longer than a URL may be.
    const body = new URLSearchParams({ query, time: String(now / 1000) }).toString();
    const answer = await askForCounts(url, fields, body, signal);
    const value = typeof answer === "string" ? { why: answer } : valueOf(answer.json);
    return value.why === undefined ? value : { why: `${side}.${kind}: ${value.why}` };
  };
  const values = await Promise.all([
    ask("test", "total"),
    ask("test", "bad"),
    ask("rest", "total"),
    ask("rest", "bad"),
  ]);
  const [testTotal, testBad, restTotal, restBad] = values;
  return (
    values.find(({ why }) => why !== undefined)?.why ??
    readComparison({
      test: { total: testTotal.told, bad: testBad.told },
      rest: { total: restTotal.told, bad: restBad.told },
    })
  );
}

/** What a query is answered by; or why by nothing. */
type Value =
  | { readonly told: number | string; readonly why?: undefined }
  | { readonly told?: undefined; readonly why: string };

function valueOf(answer: unknown): Value {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) {
    return { why: `found ${describeFound(answer)}, expected an instant query's vector or scalar` };
  }
  const { warnings = [], data } = parsed.data;
  // Of several stores behind one address some did not answer: the sum lacks them, and would leap when they do again.
  if (warnings.length > 0) return { why: `the answer may not be complete: ${warnings[0]}` };
  if (data.resultType === "scalar") return { told: numberOf(data.result[1]) };
  const [first, second] = data.result;
  if (first === undefined) {
    return { why: "found no sample, expected one; where none means zero, add `or vector(0)`" };
  }
  if (second !== undefined) return { why: `found ${data.result.length} samples, expected one: sum(…)` };
  return { told: numberOf(first.value[1]) };
}

/** "NaN", "+Inf" and what else is no number stay the text that they are. */
function numberOf(text: string): number | string {
  return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

/** Below a path, as behind a proxy; a query of the address stays. */
function queryUrl(base: string): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/api/v1/query`;
  return url.href;
}

async function readAuthorization(
  file: string | undefined,
): Promise<Readonly<Record<string, string>> | string> {
  if (file === undefined) return {};
  try {
    const authorization = await readSecret(file);
    return /^[ -~]+$/.test(authorization)
      ? { authorization }
      : "authorizationFile: not the one line, like Bearer TOKEN, that it has to be";
  } catch (error) {
    return `authorizationFile: ${codeOf(error)}`;
  }
}
