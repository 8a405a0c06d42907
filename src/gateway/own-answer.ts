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

/** What an answer of the gateway itself says. */
interface OwnAnswer extends Problem {
  readonly requestId: string;
  /** The group concerned, when naming it helps (a tester whose group is down). */
  readonly group?: string | undefined;
}

interface AnswerFrame extends AnswerWishes {
  readonly httpDate: string;
  readonly close: boolean;
}

/** What kind of answer the client wants. */
export interface AnswerWishes {
  readonly html: boolean;
  /** A response to HEAD has no body (RFC 9110, 9.3.2). */
  readonly head: boolean;
}

/** What kind of answer the client wants: its head is parsed again, as other heads were since. */
export function answerWishes(head: RequestHead, bytes: Buffer | undefined, start: number): AnswerWishes {
  if (bytes === undefined) return { html: false, head: false };
  if (head.parse(bytes, start, bytes.length) <= 0) return { html: false, head: asksForHead(bytes, start) };
  const accept = head.fields.get("accept") ?? "";
  const html = accept.indexOf("text/html");
  const json = accept.indexOf("json");
  return { html: html >= 0 && (json < 0 || html < json), head: head.method === "HEAD" };
}

/** Of a head that was refused: its method may have been read all the same. */
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

export function ownAnswerParts(
  answer: OwnAnswer,
  frame: AnswerWishes & { readonly httpDate: string },
): OwnAnswerParts {
  const isProblem = answer.code !== "";
  const body = !isProblem ? "" : frame.html ? htmlBody(answer, reasonOf(answer)) : jsonBody(answer);
  const lines =
    (isProblem ? `Content-Type: ${frame.html ? "text/html" : "application/json"}; charset=utf-8\r\n` : "") +
    `Content-Length: ${body.length}\r\n` +
    `Cache-Control: no-store\r\n` +
    `Date: ${frame.httpDate}\r\n` +
    `X-Request-Id: ${answer.requestId}\r\n` +
    (isProblem ? `X-Halftone-Error: ${answer.code}\r\n` : "") +
    (answer.group === undefined ? "" : `X-Halftone-Group: ${answer.group}\r\n`) +
    (answer.fields ?? "");
  return { status: answer.status, lines, body: frame.head ? "" : body };
}

/** The whole response of HTTP/1 as latin1 text. */
export function ownAnswer(answer: OwnAnswer, frame: AnswerFrame): string {
  const { lines, body } = ownAnswerParts(answer, frame);
  const close = frame.close ? "Connection: close\r\n" : "";
  return `HTTP/1.1 ${answer.status} ${reasonOf(answer)}\r\n${lines}${close}\r\n${body}`;
}

function reasonOf(answer: OwnAnswer): string {
  return STATUS_CODES[answer.status] ?? "Error";
}

// Both bodies are made of our own ASCII texts, a checked group name and our own ids: their length is their byte length.
function jsonBody(answer: OwnAnswer): string {
  const { code: error, status, message, group, requestId } = answer;
  return `${JSON.stringify({ error, status, message, group, requestId })}\n`;
}

function htmlBody(answer: OwnAnswer, reason: string): string {
  const group = answer.group === undefined ? "" : `<p>Group: <b>${answer.group}</b></p>`;
  return (
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${answer.status} ${reason}</title>` +
    `<style>body{font:16px/1.5 system-ui,sans-serif;margin:12vh auto;max-width:34em;padding:0 1em;color:#222;background:#fff}` +
    `@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}}h1{font-weight:600}small{opacity:.6}</style>` +
    `<h1>${answer.status} ${reason}</h1><p>${answer.message}</p>${group}` +
    `<p><small>${answer.code} &middot; request ${answer.requestId}</small></p></html>\n`
  );
}
