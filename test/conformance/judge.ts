import type { Expected } from "./case.ts";
import { readResponse, valuesOf, type StrictMessage } from "./strict-message.ts";

/** What is wrong with a message; undefined when it is as expected. */
export function mismatch(message: StrictMessage, expected: Expected | string): string | undefined {
  if (typeof expected === "string") {
    const found = `${message.status} ${valuesOf(message, "x-halftone-error").join()}`;
    return found === expected ? undefined : `${found} instead of ${expected}`;
  }
  const { start, status, code, fields = {}, body, trailers } = expected;
  if (start !== undefined && message.startLine !== `${start} HTTP/1.1`) return message.startLine;
  if (status !== undefined && message.status !== status) return `status ${message.status}`;
  const own = valuesOf(message, "x-halftone-error")[0];
  if (own !== code) return `an answer of the ${own === undefined ? "server" : `gateway: ${own}`}`;
  for (const [name, wanted] of Object.entries(fields)) {
    const found = JSON.stringify(valuesOf(message, name));
    if (found !== JSON.stringify(typeof wanted === "string" ? [wanted] : wanted)) return `${name}: ${found}`;
  }
  if (body !== undefined && message.body !== body)
    return `body ${JSON.stringify(message.body.slice(0, 200))}`;
  if (trailers === undefined) return undefined;
  const found = JSON.stringify(Object.fromEntries(message.trailers));
  return found === JSON.stringify(trailers) ? undefined : `trailers ${found}`;
}

/** Everything a client received, and how it ended. */
export interface Transcript {
  readonly text: string;
  readonly ended: boolean;
  readonly reset: boolean;
}

export interface AnswersExpected {
  readonly client: readonly (string | Expected)[];
  readonly http10?: boolean;
}

/** Throws an Error that says what a client got wrongly. False: it has not got all yet. */
export function judgeAnswers({ text, ended, reset }: Transcript, wanted: AnswersExpected): boolean {
  let at = 0;
  for (const [index, expected] of wanted.client.entries()) {
    const bodiless = typeof expected === "object" && expected.bodiless === true;
    const about = { ended: ended && !reset, bodiless, http10: wanted.http10 === true };
    const read = readResponse(text.slice(at), about);
    if (expected === "cut" || expected === "reset") {
      if (read !== undefined)
        throw new Error(`answer ${index + 1} is whole: ${JSON.stringify(text.slice(at))}`);
      if (ended && expected === "reset" && !reset) throw new Error("ended by FIN, not by a reset");
      return ended;
    }
    if (read === undefined) {
      if (ended) throw new Error(`answer ${index + 1} is missing; got ${JSON.stringify(text.slice(at))}`);
      return false;
    }
    const wrong = mismatch(read.message, expected);
    if (wrong !== undefined) throw new Error(`answer ${index + 1}: ${wrong} in ${JSON.stringify(text)}`);
    at += read.end;
  }
  if (at < text.length) throw new Error(`more than was due: ${JSON.stringify(text.slice(at))}`);
  return true;
}
