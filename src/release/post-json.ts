import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { VERSION } from "../version.ts";
import { harmlessText } from "./harmless-text.ts";

/** Of an answer's body so much is read and shown. */
const MOST_READ = 2000;

export interface PostAnswer {
  readonly status: number;
  /** The start of it. */
  readonly body: string;
}

/**
 * Posts, and follows no redirect: what is posted is signed for one receiver. Rejects when no answer came. `signal` ends
 * it; there is no other time limit.
 */
export function postJson(
  url: string,
  fields: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<PostAnswer> {
  const post = url.startsWith("https:") ? requestSecure : requestPlain;
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "user-agent": `halftone/${VERSION}`,
    ...fields,
  };
  return new Promise((resolve, reject) => {
    // A connection of its own: a kept one may be closed by the other side just then, which looks like a failure.
    const call = post(url, { method: "POST", headers, agent: false, signal }, (response) => {
      let read = Buffer.alloc(0);
      const settle = (): void => {
        resolve({
          status: response.statusCode ?? 0,
          body: harmlessText(read.toString().slice(0, MOST_READ)),
        });
        call.destroy();
      };
      response.on("data", (chunk: Buffer) => {
        read = Buffer.concat([read, chunk]);
        if (read.length >= MOST_READ) settle();
      });
      // The status says it all, also where the body breaks off.
      response.on("error", settle);
      response.on("close", settle);
    });
    call.on("error", reject);
    call.end(body);
  });
}

/** What went wrong, in short: the code of a system's error, else its message. */
export function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
