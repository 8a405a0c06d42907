import { requestHeadText, type Forwarding } from "../../src/gateway/request-emitter.ts";
import { interimHeadText, responseHeadText } from "../../src/gateway/response-emitter.ts";
import type { BodyKind } from "../../src/http1/body-kind.ts";
import { ChunkedDecoder } from "../../src/http1/chunked-decoder.ts";
import type { HeadLimits } from "../../src/http1/limits.ts";
import { RequestHead } from "../../src/http1/request-head.ts";
import { ResponseHead } from "../../src/http1/response-head.ts";

/** How a response goes to its client, as far as it matters here. */
export interface Frame {
  readonly bodyKind: BodyKind;
  readonly http10: boolean;
  readonly close: boolean;
}

/**
 * What is fuzzed: the only place here that knows how parsers and emitters are called. Another subject, with a planted
 * fault, shows that the fault would be found.
 */
export interface Subject {
  requestHead(limits: HeadLimits): RequestHead;
  responseHead(limits: HeadLimits): ResponseHead;
  chunkedDecoder(limits: HeadLimits, ofResponse: boolean): ChunkedDecoder;
  /** The head for the server; `trusted`: the client is a trusted proxy. */
  requestText(head: RequestHead, trusted: boolean): string;
  responseText(head: ResponseHead, frame: Frame): string;
  interimText(head: ResponseHead): string;
}

/** The protocol that both ends of this head may turn to; "" for none. */
export function upgradeOf(head: RequestHead | ResponseHead): string {
  return head.upgrade;
}

const UNTRUSTED: Forwarding = {
  peer: "192.0.2.1",
  trusted: false,
  proto: "http",
  requestId: "id-1",
  via: "halftone",
  forwarded: false,
  upgrade: "",
};
const TRUSTED: Forwarding = { ...UNTRUSTED, trusted: true };
const httpDate = "Wed, 25 Nov 2026 10:00:00 GMT";

export const HALFTONE: Subject = {
  requestHead: (limits) => new RequestHead(limits),
  responseHead: (limits) => new ResponseHead(limits),
  chunkedDecoder: (limits, ofResponse) => new ChunkedDecoder(limits, ofResponse),
  requestText: (head, trusted) =>
    requestHeadText(head, { ...(trusted ? TRUSTED : UNTRUSTED), upgrade: head.upgrade }),
  responseText: (head, frame) =>
    responseHeadText(head, { ...frame, httpDate, group: "", trailers: false, via: "halftone" }),
  interimText: interimHeadText,
};

/** Without our own lines of Via: every hop adds one. */
export function unsigned(text: string): string {
  return text.replaceAll(/Via: 1\.[01] halftone\r\n/g, "");
}

/** Small, so that inputs reach them. */
export const TIGHT: HeadLimits = { head: 700, headers: 14 };
/** For what was emitted: fields were added. */
export const WIDE: HeadLimits = { head: 16 * 1024, headers: 100 };
