import { STATUS_CODES } from "node:http";

/** What an answer of the gateway itself says. */
export interface OwnAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  /** The group concerned, when naming it helps (a tester whose group is down). */
  readonly group?: string | undefined;
}

export interface AnswerFrame {
  readonly httpDate: string;
  readonly html: boolean;
  /** A response to HEAD has no body (RFC 9110, 9.3.2). */
  readonly head: boolean;
  readonly close: boolean;
  readonly extraFields?: string;
}

/** The whole response as latin1 text. */
export function ownAnswer(answer: OwnAnswer, frame: AnswerFrame): string {
  const reason = STATUS_CODES[answer.status] ?? "Error";
  const body = frame.html ? htmlBody(answer, reason) : jsonBody(answer);
  return (
    `HTTP/1.1 ${answer.status} ${reason}\r\n` +
    `Content-Type: ${frame.html ? "text/html" : "application/json"}; charset=utf-8\r\n` +
    `Content-Length: ${body.length}\r\n` +
    `Cache-Control: no-store\r\n` +
    `Date: ${frame.httpDate}\r\n` +
    `X-Request-Id: ${answer.requestId}\r\n` +
    `X-Halftone-Error: ${answer.code}\r\n` +
    (answer.group === undefined ? "" : `X-Halftone-Group: ${answer.group}\r\n`) +
    (frame.extraFields ?? "") +
    (frame.close ? "Connection: close\r\n" : "") +
    `\r\n${frame.head ? "" : body}`
  );
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
