import { STATUS_CODES } from "node:http";
import { CR, LF, equalsExactly } from "../http1/byte-class.ts";
import { ALLOWED_METHODS } from "../http1/method.ts";
import type { Refusal } from "../http1/refusal.ts";
import type { RequestHead } from "../http1/request-head.ts";

/** Why the gateway answers by itself. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Further lines of the answer's head, each with its CRLF. */
  readonly fields?: string;
}

const ALLOW = `Allow: ${ALLOWED_METHODS}\r\n`;

/** No problem: an OPTIONS request that is not to be passed on any further (RFC 9110, 7.6.2). It has no code. */
export const lastForward: Problem = { status: 200, code: "", message: "", fields: ALLOW };

export function problemOf(refusal: Refusal): Problem {
  const { status, code, detail: message } = refusal;
  return status === 405 ? { status, code, message, fields: ALLOW } : { status, code, message };
}

/** What kind of answer the client wants. */
export interface AnswerWishes {
  readonly html: boolean;
  /** A response to HEAD has no body (RFC 9110, 9.3.2). */
  readonly head: boolean;
}

/** Whose answer it is, and how it is to look. */
interface AnswerFrame extends AnswerWishes {
  readonly requestId: string;
  /** The group concerned, when naming it helps (a tester whose group is down). */
  readonly group: string | undefined;
  readonly httpDate: string;
}

/** What kind of answer the client of the head that was parsed last wants. */
export function wishesOf(head: RequestHead): AnswerWishes {
  const accept = head.fields.get("accept") ?? "";
  const html = accept.indexOf("text/html");
  const json = accept.indexOf("json");
  return { html: html >= 0 && (json < 0 || html < json), head: head.method === "HEAD" };
}

/** The same of an earlier head, which is parsed again. `bytes`: what there is of it; undefined: nothing. */
export function answerWishes(head: RequestHead, bytes: Buffer | undefined, start: number): AnswerWishes {
  if (bytes === undefined) return { html: false, head: false };
  if (head.parse(bytes, start, bytes.length) <= 0) return { html: false, head: asksForHead(bytes, start) };
  return wishesOf(head);
}

/** Of a head that was refused, or has come in part: its method may have been read all the same. */
function asksForHead(bytes: Buffer, start: number): boolean {
  let i = start;
  while (bytes[i] === CR || bytes[i] === LF) i++;
  return equalsExactly(bytes, i, Math.min(i + 5, bytes.length), "HEAD ");
}

/** An answer of the gateway itself, for any version of HTTP. */
export interface OwnAnswerParts {
  readonly status: number;
  /** The fields as lines, each with its CRLF. */
  readonly lines: string;
  /** Empty for an answer to HEAD. */
  readonly body: string;
}

export function ownAnswerParts(problem: Problem, frame: AnswerFrame): OwnAnswerParts {
  const { status, code } = problem;
  const isProblem = code !== "";
  const body = !isProblem ? "" : frame.html ? htmlBody(problem, frame) : jsonBody(problem, frame);
  const lines =
    (isProblem ? `Content-Type: ${frame.html ? "text/html" : "application/json"}; charset=utf-8\r\n` : "") +
    `Content-Length: ${body.length}\r\n` +
    `Cache-Control: no-store\r\n` +
    `Date: ${frame.httpDate}\r\n` +
    `X-Request-Id: ${frame.requestId}\r\n` +
    (isProblem ? `X-Halftone-Error: ${code}\r\n` : "") +
    (frame.group === undefined ? "" : `X-Halftone-Group: ${frame.group}\r\n`) +
    (problem.fields ?? "");
  return { status, lines, body: frame.head ? "" : body };
}

/** The whole response of HTTP/1 as latin1 text. */
export function ownAnswer(problem: Problem, frame: AnswerFrame, close: boolean): string {
  const { lines, body } = ownAnswerParts(problem, frame);
  const connection = close ? "Connection: close\r\n" : "";
  return `HTTP/1.1 ${problem.status} ${reasonOf(problem)}\r\n${lines}${connection}\r\n${body}`;
}

function reasonOf(problem: Problem): string {
  return STATUS_CODES[problem.status] ?? "Error";
}

// Both bodies are made of our own ASCII texts, a checked group name and our own ids: their length is their byte length.
function jsonBody({ code: error, status, message }: Problem, { group, requestId }: AnswerFrame): string {
  return `${JSON.stringify({ error, status, message, group, requestId })}\n`;
}

function htmlBody(problem: Problem, { group, requestId }: AnswerFrame): string {
  const { status, code, message } = problem;
  const reason = reasonOf(problem);
  const groupLine = group === undefined ? "" : `<p>Group: <b>${group}</b></p>`;
  return (
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${status} ${reason}</title>` +
    `<style>body{font:16px/1.5 system-ui,sans-serif;margin:12vh auto;max-width:34em;padding:0 1em;color:#222;background:#fff}` +
    `@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}}h1{font-weight:600}small{opacity:.6}</style>` +
    `<h1>${status} ${reason}</h1><p>${message}</p>${groupLine}` +
    `<p><small>${code} &middot; request ${requestId}</small></p></html>\n`
  );
}
