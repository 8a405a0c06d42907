import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { VERSION } from "../version.ts";

export interface Posted {
  readonly status: number;
  /** At most so many bytes as were to be read. */
  readonly body: Buffer;
  /** Whether that is all of it: else it was longer, or broke off. */
  readonly end: "whole" | "tooLong" | "cutOff";
}

/**
 * Posts, and follows no redirect: what is posted is meant for one receiver, and may be signed. Rejects when no answer came.
 * `most`: bytes of its body that are read. `signal` ends it; there is no other time limit.
 */
export function post(
  url: string,
  fields: Readonly<Record<string, string>>,
  body: string,
  most: number,
  signal: AbortSignal,
): Promise<Posted> {
  const request = url.startsWith("https:") ? requestSecure : requestPlain;
  const headers = {
    "content-length": Buffer.byteLength(body),
    "user-agent": `halftone/${VERSION}`,
    ...fields,
  };
  return new Promise((resolve, reject) => {
    // A connection of its own: a kept one may be closed by the other side just then, which looks like a failure.
    const call = request(url, { method: "POST", headers, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let read = 0;
      const settle = (end: Posted["end"]): void => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).subarray(0, most), end });
        call.destroy();
      };
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        read += chunk.length;
        if (read > most) settle("tooLong");
      });
      response.on("error", () => settle("cutOff"));
      response.on("close", () => settle(response.complete ? "whole" : "cutOff"));
    });
    call.on("error", reject);
    call.end(body);
  });
}
