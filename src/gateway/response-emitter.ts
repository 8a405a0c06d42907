import { Field } from "../http1/field-table.ts";
import { BodyKind, type ResponseHead } from "../http1/response-head.ts";
import { CONNECTION_FIELDS, keepAllBut, keptLines } from "./request-emitter.ts";

/** How a response goes to its client. */
export interface ResponseFrame {
  readonly bodyKind: BodyKind;
  /** The client speaks HTTP/1.0: it knows neither chunks nor persistence by default. */
  readonly http10: boolean;
  readonly close: boolean;
  /** Trailers go to the client too. */
  readonly trailers: boolean;
  /** Name by which the gateway signs Via. */
  readonly via: string;
  readonly httpDate: string;
  /** Group that answered, for those who are told; "" for the others. */
  readonly group: string;
}

// X-Halftone-* are the gateway's to say: a server's own word for them is not passed on.
const NEVER = [...CONNECTION_FIELDS, Field.X_HALFTONE_GROUP, Field.X_HALFTONE_ERROR];
const KEEP = keepAllBut(...NEVER);
const KEEP_WITHOUT_TRAILER = keepAllBut(...NEVER, Field.TRAILER);

/** Which fields of a server's response go to the client, whatever version of HTTP it speaks. */
export function passedOn(trailers: boolean): Uint8Array {
  return trailers ? KEEP : KEEP_WITHOUT_TRAILER;
}

/** The final head for the client, framing fields and Connection written anew. */
export function responseHeadText(head: ResponseHead, frame: ResponseFrame): string {
  const bytes = head.fields.bytes;
  let text = `HTTP/1.1 ${head.status} ${bytes.latin1Slice(head.reasonStart, head.reasonEnd)}\r\n`;
  text += keptLines(head.fields, passedOn(frame.trailers));
  text += `Via: 1.${head.minor} ${frame.via}\r\n`;
  if (frame.group !== "") text += `X-Halftone-Group: ${frame.group}\r\n`;
  if (!head.hasDate) text += `Date: ${frame.httpDate}\r\n`;
  if (frame.bodyKind === BodyKind.CHUNKED || frame.bodyKind === BodyKind.UNTIL_CLOSE) {
    if (!frame.http10) text += "Transfer-Encoding: chunked\r\n";
  } else if (head.contentLength >= 0 && head.status !== 204) {
    // Without a body too: the answer to HEAD and a 304 may tell the length a GET would have (RFC 9110, 8.6).
    text += `Content-Length: ${head.contentLength}\r\n`;
  }
  if (frame.close) text += "Connection: close\r\n";
  else if (frame.http10) text += "Connection: keep-alive\r\n";
  return `${text}\r\n`;
}

/** A 1xx head; 101 keeps the upgrade it agrees to. */
export function interimHeadText(head: ResponseHead): string {
  const reason = head.fields.bytes.latin1Slice(head.reasonStart, head.reasonEnd);
  const upgrade = head.status === 101 ? `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n` : "";
  return `HTTP/1.1 ${head.status} ${reason}\r\n${keptLines(head.fields, passedOn(false))}${upgrade}\r\n`;
}
