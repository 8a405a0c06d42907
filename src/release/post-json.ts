import { harmlessText } from "./harmless-text.ts";
import { post } from "./post.ts";

/** Of an answer's body so much is read and shown. */
const MOST_READ = 2000;

export interface PostAnswer {
  readonly status: number;
  /** The start of it. The status says it all, also where the body breaks off. */
  readonly body: string;
}

/** Posts JSON. Rejects when no answer came. `signal` ends it; there is no other time limit. */
export async function postJson(
  url: string,
  fields: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<PostAnswer> {
  const json = { "content-type": "application/json", ...fields };
  const answer = await post(url, json, body, MOST_READ, signal);
  return { status: answer.status, body: harmlessText(answer.body.toString()) };
}

/** What went wrong, in short: the code of a system's error, else its message. */
export function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
