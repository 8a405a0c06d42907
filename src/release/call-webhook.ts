import { codeOf, postJson, type PostAnswer } from "./post-json.ts";
import { readSecret } from "./read-secret.ts";
import type { Part, PartOutcome } from "./run-command.ts";
import type { Time } from "./time.ts";
import { signatureField } from "./webhook-signature.ts";

/** Before the second try, and before the third. */
const PAUSES: readonly number[] = [1000, 5000];
/** Of an answer that is no success, so much is told. */
const MOST_SHOWN = 500;

export interface WebhookCall {
  readonly url: string;
  /** Absent: nothing is signed. */
  readonly secretFile?: string;
  /** The same for every try, so that a receiver can tell a repetition from another run. */
  readonly key: string;
  readonly body: string;
}

/** Posts until there is an answer that settles it. Ended when the work is: a 2xx says that it is done. */
export function callWebhook(call: WebhookCall, time: Time): Part {
  const abort = new AbortController();
  let why = "";
  return {
    ended: tryAll(call, time, abort.signal).then((outcome) =>
      abort.signal.aborted && !outcome.done ? { done: false, how: why } : outcome,
    ),
    stop(reason) {
      if (abort.signal.aborted) return;
      why = reason;
      abort.abort();
    },
  };
}

async function tryAll(call: WebhookCall, time: Time, signal: AbortSignal): Promise<PartOutcome> {
  let secret: string | undefined;
  try {
    secret = call.secretFile === undefined ? undefined : await readSecret(call.secretFile);
  } catch (error) {
    return { done: false, how: `secretFile: ${codeOf(error)}` };
  }
  for (let tries = 1; ; tries++) {
    const answer = await tryOnce(call, secret, time, signal);
    if (typeof answer !== "string" && answer.status >= 200 && answer.status < 300) {
      return { done: true, how: `status ${answer.status}${tries === 1 ? "" : ` at try ${tries}`}` };
    }
    const how = typeof answer === "string" ? answer : statusText(answer);
    const pause = PAUSES[tries - 1];
    const isFinal = typeof answer !== "string" && answer.status !== 429 && answer.status < 500;
    if (isFinal || pause === undefined || signal.aborted) {
      return { done: false, how: tries === 1 ? how : `${how} (try ${tries})` };
    }
    await wait(pause, time, signal);
  }
}

/** An answer, or why there was none. */
async function tryOnce(
  { url, key, body }: WebhookCall,
  secret: string | undefined,
  time: Time,
  signal: AbortSignal,
): Promise<PostAnswer | string> {
  const fields = {
    "idempotency-key": fieldValue(key),
    ...signatureField(secret, body, time.now()),
  };
  try {
    return await postJson(url, fields, body, signal);
  } catch (error) {
    return codeOf(error);
  }
}

function wait(milliseconds: number, time: Time, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      resolve();
    };
    const cancel = time.after(milliseconds, () => {
      signal.removeEventListener("abort", end);
      resolve();
    });
    signal.addEventListener("abort", end, { once: true });
  });
}

function statusText({ status, body }: PostAnswer): string {
  const start = body.trim().slice(0, MOST_SHOWN);
  return start === "" ? `status ${status}` : `status ${status}: ${start}`;
}

/** Paths of unix sockets may hold anything; a field's value may not. */
function fieldValue(text: string): string {
  return text.replace(/[^!-~]/gu, (character) => encodeURIComponent(character));
}
