import type { SignalSource } from "../config/signal-settings.ts";
import type { Comparison } from "../core/verdict/counts.ts";
import { askForCounts } from "./ask-for-counts.ts";
import type { OutsideRequest } from "./outside-source.ts";
import { codeOf } from "./post-json.ts";
import { readComparison } from "./read-comparison.ts";
import { readSecret } from "./read-secret.ts";
import { signatureField } from "./webhook-signature.ts";

/** The counts, or why there are none; rejects when no answer came. `now`: ms since the epoch. */
export async function webhookCounts(
  source: Extract<SignalSource["from"], { kind: "webhook" }>,
  { app, release, test, rest }: OutsideRequest,
  now: number,
  signal: AbortSignal,
): Promise<Comparison | string> {
  let secret: string | undefined;
  try {
    secret = source.secretFile === undefined ? undefined : await readSecret(source.secretFile);
  } catch (error) {
    return `secretFile: ${codeOf(error)}`;
  }
  const body = JSON.stringify({
    app,
    release,
    test: { groups: test.groups, servers: test.servers },
    rest: { groups: rest.groups, servers: rest.servers },
  });
  const fields = { "content-type": "application/json", ...signatureField(secret, body, now) };
  const answer = await askForCounts(source.url, fields, body, signal);
  return typeof answer === "string" ? answer : readComparison(answer.json);
}
