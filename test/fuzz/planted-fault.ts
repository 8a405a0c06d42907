import { ChunkedDecoder, type ChunkSink } from "../../src/http1/chunked-decoder.ts";
import { RequestHead } from "../../src/http1/request-head.ts";
import { ResponseHead } from "../../src/http1/response-head.ts";
import { HALFTONE, type Subject } from "./subject.ts";

/** A laxity as other parsers had it, planted to see the fuzzer find it. */
export interface PlantedFault {
  readonly name: string;
  readonly input: "request" | "response" | "body";
  readonly subject: Subject;
}

/** What a lax parser would read a refused text as; the text itself when it would refuse it too. */
type Leniency = (text: string) => string;

/** What is refused is read again as the lenient parser would take it: at the same offset, from a copy. */
function lenient(leniency: Leniency): Subject {
  const again = (bytes: Buffer, start: number, end: number): Buffer | undefined => {
    const text = bytes.latin1Slice(start, end);
    const read = leniency(text);
    return read === text ? undefined : Buffer.from(bytes.latin1Slice(0, start) + read, "latin1");
  };
  class LaxRequestHead extends RequestHead {
    override parse(bytes: Buffer, start: number, end: number): number {
      const after = super.parse(bytes, start, end);
      const copy = after < 0 ? again(bytes, start, end) : undefined;
      const taken = copy === undefined ? after : super.parse(copy, start, copy.length);
      return taken <= 0 ? taken : Math.min(taken, end);
    }
  }
  class LaxResponseHead extends ResponseHead {
    override parse(bytes: Buffer, start: number, end: number): number {
      const after = super.parse(bytes, start, end);
      const copy = after < 0 ? again(bytes, start, end) : undefined;
      const taken = copy === undefined ? after : super.parse(copy, start, copy.length);
      return taken <= 0 ? taken : Math.min(taken, end);
    }
  }
  class LaxDecoder extends ChunkedDecoder {
    override feed(bytes: Buffer, start: number, end: number, sink: ChunkSink): number {
      const text = bytes.latin1Slice(start, end);
      const copy = Buffer.from(bytes.latin1Slice(0, start) + leniency(text), "latin1");
      const after = super.feed(copy, start, copy.length, sink);
      return after < 0 ? after : Math.min(after, end);
    }
  }
  return {
    ...HALFTONE,
    requestHead: (limits) => new LaxRequestHead(limits),
    responseHead: (limits) => new LaxResponseHead(limits),
    chunkedDecoder: (limits, ofResponse) => new LaxDecoder(limits, ofResponse),
  };
}

/** One that reads on after the end of its input. */
class OverreadingHead extends RequestHead {
  override parse(bytes: Buffer, start: number, end: number): number {
    return super.parse(bytes, start, Math.min(end + 2, bytes.length));
  }
}

/** One whose verdict hangs on how the bytes arrive: a head is only judged from its second half on. */
class ImpatientHead extends RequestHead {
  private seen = 0;

  override parse(bytes: Buffer, start: number, end: number): number {
    const after = super.parse(bytes, start, end);
    const isFirst = this.seen !== end - start;
    this.seen = end - start;
    return after === -1 && isFirst && (end - start) % 7 === 0 ? this.wait() : after;
  }

  private wait(): number {
    this.refusal = undefined;
    return 0;
  }
}

class ThrowingHead extends RequestHead {
  override parse(bytes: Buffer, start: number, end: number): number {
    const after = super.parse(bytes, start, end);
    if (after > 0) decodeURIComponent(this.target);
    return after;
  }
}

const emission = (change: (text: string) => string): Subject => ({
  ...HALFTONE,
  requestText: (head, trusted) => change(HALFTONE.requestText(head, trusted)),
  responseText: (head, frame) => change(HALFTONE.responseText(head, frame)),
});

const INPUTS = ["request", "response"] as const;
const inHeads = (name: string, leniency: Leniency): readonly PlantedFault[] =>
  INPUTS.map((input) => ({ name, input, subject: lenient(leniency) }));
const inBodies = (name: string, leniency: Leniency): PlantedFault => ({
  name,
  input: "body",
  subject: lenient(leniency),
});
const inRequests = (name: string, subject: Subject): PlantedFault => ({ name, input: "request", subject });

export const PLANTED_FAULTS: readonly PlantedFault[] = [
  ...inHeads("a line that ends with LF alone", (text) => text.replaceAll(/(?<!\r)\n/g, "\r\n")),
  ...inHeads("Content-Length: +5", (text) => text.replace(/^(content-length: *)\+/im, "$1")),
  inRequests(
    "a space before the colon",
    lenient((text) => text.replaceAll(/^([\w-]+)[ \t]+:/gm, "$1:")),
  ),
  ...inHeads("a space in a name", (text) => text.replaceAll(/^([\w-]+)[ \t]+([\w-]+):/gm, "$1$2:")),
  ...inHeads("the same Content-Length twice", (text) =>
    text.replace(/^(content-length: *\d+\r\n)([^]*)^\1/im, "$1$2"),
  ),
  ...inHeads("Content-Length beside Transfer-Encoding", (text) =>
    /^transfer-encoding: *chunked\r$/im.test(text) ? text.replaceAll(/^content-length:.*\r\n/gim, "") : text,
  ),
  ...inHeads("a CR alone", (text) => text.replaceAll(/\r(?!\n)/g, " ")),
  ...inHeads("a NUL in a value", (text) => text.replaceAll("\0", "")),
  ...inHeads("a folded line", (text) => text.replaceAll(/\r\n[ \t]+/g, " ")),
  ...inHeads("chunked that is not the last coding", (text) =>
    text.replace(/^(transfer-encoding:).*chunked.*$/im, "$1 chunked\r"),
  ),
  ...inHeads("a length beyond 2^53", (text) => text.replace(/^(content-length: *)\d{17,}/im, "$15")),
  ...inHeads("an empty field name", (text) => text.replaceAll(/^:/gm, "X:")),
  inBodies("a chunk size with 0x", (text) => text.replaceAll(/^0x/gim, "")),
  inBodies("white space after a chunk size", (text) => text.replaceAll(/^([\da-f]+)[ \t]+/gim, "$1")),
  inBodies("a chunk size line that ends with LF alone", (text) =>
    text.replaceAll(/^([\da-f]+)\n/gim, "$1\r\n"),
  ),
  inBodies("any two bytes after the data of a chunk", (text) =>
    text.replaceAll(/XX(?=[\da-f]+\r\n)/gi, "\r\n"),
  ),
  inBodies("a chunk size that overflows", (text) => text.replaceAll(/^1(?:0){12,16}(?=\d\r\n)/gm, "")),
  inRequests("bytes after the end are read", {
    ...HALFTONE,
    requestHead: (limits) => new OverreadingHead(limits),
  }),
  inRequests("the verdict hangs on the split", {
    ...HALFTONE,
    requestHead: (limits) => new ImpatientHead(limits),
  }),
  inRequests("an exception", { ...HALFTONE, requestHead: (limits) => new ThrowingHead(limits) }),
  inRequests(
    "a hop-by-hop field passed on",
    emission((text) => text.replace("\r\n\r\n", "\r\nTE: trailers\r\n\r\n")),
  ),
  inRequests(
    "two Host fields",
    emission((text) => text.replace(/\r\nHost:.*/, "$&$&")),
  ),
  inRequests(
    "a field lost",
    emission((text) => text.replace(/\r\nX-A:.*/i, "")),
  ),
  inRequests(
    "a second message",
    emission((text) => `${text}GET / HTTP/1.1\r\nHost: a\r\n\r\n`),
  ),
  ...INPUTS.map((input) => ({
    name: "the framing field is lost",
    input,
    subject: emission((text) => text.replace(/Content-Length:.*\r\n/, "")),
  })),
];
