import { ChunkedDecoder } from "../../src/http1/chunked-decoder.ts";
import type { HeadLimits } from "../../src/http1/limits.ts";
import { RequestHead } from "../../src/http1/request-head.ts";
import { ResponseHead } from "../../src/http1/response-head.ts";

/** Inputs of one shape in any size, chosen to make a careless parser go over the same bytes again and again. */
export interface Family {
  readonly name: string;
  readonly kind: "request" | "response" | "body";
  make(size: number): string;
}

const request = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const ofRequest = (name: string, make: (size: number) => string): Family => ({ name, kind: "request", make });
const ofBody = (name: string, make: (size: number) => string): Family => ({ name, kind: "body", make });

export const FAMILIES: readonly Family[] = [
  ofRequest("a long target", (size) => `GET /${"a".repeat(size)} HTTP/1.1\r\nHost: a\r\n\r\n`),
  ofRequest(
    "a target of dots and slashes",
    (size) => `GET /${"a/../".repeat(size / 5)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  ),
  ofRequest(
    "a target of percent signs",
    (size) => `GET /${"%2f".repeat(size / 3)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  ),
  ofRequest("a long host", (size) => `GET / HTTP/1.1\r\nHost: ${"a".repeat(size)}\r\n\r\n`),
  ofRequest("many fields", (size) => request("a: b\r\n".repeat(size / 6))),
  ofRequest("a long name", (size) => request(`${"a".repeat(size)}: b\r\n`)),
  ofRequest("a long name with _", (size) => request(`${"a_".repeat(size / 2)}: b\r\n`)),
  ofRequest("a long value", (size) => request(`a: ${"b".repeat(size)}\r\n`)),
  ofRequest("white space before a value", (size) => request(`a:${" ".repeat(size)}b\r\n`)),
  ofRequest("white space after a value", (size) => request(`a: b${" ".repeat(size)}\r\n`)),
  ofRequest("white space within a value", (size) => request(`a: b${" ".repeat(size)}c\r\n`)),
  ofRequest("many Connection options", (size) => request(`Connection: ${"a,".repeat(size / 2)}\r\n`)),
  ofRequest("64 Connection options, many fields", (size) =>
    request(`Connection: ${"b,".repeat(64)}\r\n${"a: b\r\n".repeat(size / 6)}`),
  ),
  ofRequest("commas in Connection", (size) => request(`Connection: ${",".repeat(size)}\r\n`)),
  ofRequest("many transfer codings", (size) => request(`Transfer-Encoding: ${"a,".repeat(size / 2)}\r\n`)),
  ofRequest("a coding and white space", (size) =>
    request(`Transfer-Encoding: a${" ".repeat(size)}b, chunked\r\n`),
  ),
  ofRequest("many TE", (size) => request(`TE: ${"trailers ".repeat(size / 9)}\r\n`)),
  ofRequest("white space in TE", (size) => request(`TE: ${", ".repeat(size / 2)}x\r\n`)),
  ofRequest("a tail of white space in TE", (size) => request(`TE: a,${" ".repeat(size)}x\r\n`)),
  ofRequest("digits of a length", (size) => request(`Content-Length: ${"0".repeat(size)}\r\n`)),
  { name: "a long reason", kind: "response", make: (size) => `HTTP/1.1 200 ${"a".repeat(size)}\r\n\r\n` },
  {
    name: "many fields",
    kind: "response",
    make: (size) => `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(size / 6)}\r\n`,
  },
  {
    name: "white space before a colon",
    kind: "response",
    make: (size) => `HTTP/1.1 200 OK\r\na${" ".repeat(size)}: b\r\n\r\n`,
  },
  ofBody("many chunks", (size) => `${"1\r\na\r\n".repeat(size / 6)}0\r\n\r\n`),
  ofBody("one chunk", (size) => `${size.toString(16)}\r\n${"a".repeat(size)}\r\n0\r\n\r\n`),
  ofBody("extensions", (size) => `1${";a".repeat(size / 2)}\r\na\r\n0\r\n\r\n`),
  ofBody("many trailers", (size) => `0\r\n${"a: b\r\n".repeat(size / 6)}\r\n`),
  ofBody("a long trailer", (size) => `0\r\na: ${"b".repeat(size)}\r\n\r\n`),
];

/** So large that no limit cuts the work short. */
const NO_LIMITS: HeadLimits = { head: 1 << 20, headers: 1 << 16 };
const NO_SINK = { onChunkData(): void {} };

/** A parse of inputs of that family's kind, to be done as often as wanted. */
export function parserFor(family: Family): (bytes: Buffer) => void {
  if (family.kind === "body") {
    const decoder = new ChunkedDecoder(NO_LIMITS, true);
    return (bytes) => {
      decoder.reset();
      decoder.feed(bytes, 0, bytes.length, NO_SINK);
    };
  }
  const head = family.kind === "request" ? new RequestHead(NO_LIMITS) : new ResponseHead(NO_LIMITS);
  return (bytes) => {
    if (head.parse(bytes, 0, bytes.length) > 0 && head instanceof RequestHead) void head.target;
  };
}

/** How many bytes of the input a parse looks at, the same byte again counted again. */
export function bytesRead(
  family: Family,
  size: number,
  parse: (bytes: Buffer) => void = parserFor(family),
): number {
  let read = 0;
  const watched = new Proxy(Buffer.from(family.make(size), "latin1"), {
    get(bytes, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) {
        read++;
        return bytes[Number(key)];
      }
      if (key === "latin1Slice") {
        return (start: number, end: number) => {
          read += end - start;
          return bytes.latin1Slice(start, end);
        };
      }
      const value: unknown = Reflect.get(bytes, key, bytes);
      return typeof value === "function" ? (value.bind(bytes) as unknown) : value;
    },
  });
  parse(watched);
  return read;
}

/** Microseconds of one parse, the best of some: for a run by hand, as a machine has other things to do. */
export function microseconds(family: Family, size: number): number {
  const bytes = Buffer.from(family.make(size), "latin1");
  const parse = parserFor(family);
  const times = Math.ceil((1 << 20) / size);
  let best = Infinity;
  for (let round = 0; round < 20; round++) {
    const began = process.hrtime.bigint();
    for (let i = 0; i < times; i++) parse(bytes);
    best = Math.min(best, Number(process.hrtime.bigint() - began) / 1000 / times);
  }
  return best;
}
