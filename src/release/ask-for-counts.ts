import { post } from "./post.ts";

const MOST_READ = 64 * 1024;
/** Of an answer that is of no use, so much is told. */
const MOST_SHOWN = 200;

/** The JSON of an answer with status 200, or why there is none. Rejects when no answer came. */
export async function askForCounts(
  url: string,
  fields: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<{ readonly json: unknown } | string> {
  const answer = await post(url, fields, body, MOST_READ, signal);
  const text = answer.body.toString();
  const start = text.trim().slice(0, MOST_SHOWN);
  if (answer.status !== 200)
    return start === "" ? `status ${answer.status}` : `status ${answer.status}: ${start}`;
  if (answer.end === "tooLong") return `the answer is longer than ${MOST_READ / 1024} KiB`;
  if (answer.end === "cutOff") return "the answer broke off";
  try {
    return { json: JSON.parse(text) };
  } catch {
    return start === "" ? "the answer is empty" : `the answer is no JSON: ${start}`;
  }
}
