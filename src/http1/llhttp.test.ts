import { createServer } from "node:http";
import type { Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ChunkedDecoder } from "./chunked-decoder.ts";
import { DEFAULT_HEAD_LIMITS } from "./limits.ts";
import { RequestHead } from "./request-head.ts";

/**
 * Node's own parser as the second opinion: whatever we accept, it must accept, and see the same method, the
 * same target and the same body in it. The other way round we may be stricter.
 *
 * Not generated, as the difference is known and harmless: registered methods llhttp has not heard of, versions
 * 1.2 to 1.9 (llhttp takes 1.0 and 1.1 only, RFC 9110 2.5 takes them all), Expect (node:http answers it itself).
 */
interface Message {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

let server: Server;

beforeAll(async () => {
  server = createServer({ keepAlive: false }, (request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("error", () => undefined);
    request.on("end", () => {
      const body = Buffer.concat(pieces).toString("latin1");
      response.writeHead(200, { connection: "close" });
      response.end(JSON.stringify({ method: request.method, target: request.url, body }));
    });
  });
  server.on("clientError", (_error, socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** The first message of `text` as node:http sees it. */
function byNode(text: string): Promise<Message | "refused"> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.setEncoding("utf8");
    socket.on("data", (piece: string) => (answer += piece));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      const json = answer.startsWith("HTTP/1.1 200 ") ? /\{.*\}/s.exec(answer)?.[0] : undefined;
      resolve(json === undefined ? "refused" : (JSON.parse(json) as Message));
    });
    socket.end(text, "latin1");
  });
}

/** The first message of `text` as we see it, and the bytes it takes. */
function byUs(text: string): (Message & { readonly length: number }) | "refused" | "incomplete" {
  const bytes = Buffer.from(text, "latin1");
  const head = new RequestHead(DEFAULT_HEAD_LIMITS);
  const after = head.parse(bytes, 0, bytes.length);
  if (after <= 0) return after === 0 ? "incomplete" : "refused";
  const { method, contentLength } = head;
  const target = bytes.latin1Slice(head.targetStart, head.targetEnd);
  if (!head.chunked) {
    const end = after + Math.max(0, contentLength);
    if (end > bytes.length) return "incomplete";
    return { method, target, body: bytes.latin1Slice(after, end), length: end };
  }
  const decoder = new ChunkedDecoder();
  let body = "";
  const end = decoder.feed(bytes, after, bytes.length, {
    onChunkData(from, start, end) {
      body += from.latin1Slice(start, end);
    },
  });
  if (end < 0) return "refused";
  return decoder.done ? { method, target, body, length: end } : "incomplete";
}

const starts = [
  "GET / HTTP/1.1",
  "POST /a?b=c HTTP/1.1",
  "PUT /x HTTP/1.0",
  "OPTIONS * HTTP/1.1",
  "DELETE / HTTP/1.1",
];
const lines = [
  "Content-Length: 5",
  "Content-Length: 05",
  "Content-Length: 5, 5",
  "Content-Length: 5 ",
  "Content-Length:",
  "Content-Length : 5",
  "Content_Length: 5",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: Chunked ",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: xchunked",
  "Connection: close",
  "Connection: keep-alive, X-A",
  "X-A: b",
  "X-A:",
];
const bodies = [
  "",
  "hello",
  "5\r\nhello\r\n0\r\n\r\n",
  "5;a=b\r\nhello\r\n0\r\nT: v\r\n\r\n",
  "0005\r\nhello\r\n0\r\n\r\n",
  '5;a="b;c"\r\nhello\r\n00\r\n\r\n',
  "5\r\nhello\r\n1\r\n0\r\n0\r\n\r\n",
];
const spice = fc.constantFrom(
  "",
  "\r",
  "\n",
  "\r\n",
  "\0",
  " ",
  "\t",
  ":",
  ",",
  ";",
  "=",
  "0",
  "5",
  "\x80",
  "\x7f",
  "\x0b",
  "-",
  "+",
);

const request = fc
  .tuple(
    fc.constantFrom(...starts),
    fc.array(fc.constantFrom(...lines), { maxLength: 3 }),
    fc.constantFrom(...bodies),
    fc.array(fc.tuple(fc.nat(), fc.nat(2), spice), { maxLength: 2 }),
  )
  .map(([start, fields, body, changes]) => {
    let text = `${[start, "Host: a", ...fields].join("\r\n")}\r\n\r\n${body}`;
    for (const [at, drop, put] of changes) {
      const where = at % (text.length + 1);
      text = text.slice(0, where) + put + text.slice(where + drop);
    }
    return text;
  })
  .filter((text) => !/^\S+ \S+ HTTP\/1\.[2-9]/.test(text.trimStart()));

describe("against llhttp", () => {
  it.each(bodies)("both read the body %j", async (body) => {
    const framing = /^[05]+[;\r]/.test(body)
      ? "Transfer-Encoding: chunked"
      : `Content-Length: ${body.length}`;
    const text = `POST /a HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`;
    const ours = byUs(text);
    expect(ours).toMatchObject({ method: "POST", target: "/a", length: text.length });
    expect(ours).toMatchObject((await byNode(text)) as Message);
  });

  it("accepts nothing it refuses, and sees the same in what both accept", async () => {
    let agreed = 0;
    await fc.assert(
      fc.asyncProperty(request, async (text) => {
        const ours = byUs(text);
        if (ours === "refused") return;
        if (ours === "incomplete") {
          expect(await byNode(text)).toBe("refused");
          return;
        }
        // Only the message itself: node:http judges what follows it before it answers.
        const { length, ...message } = ours;
        expect(await byNode(text.slice(0, length))).toEqual(message);
        agreed++;
      }),
      { numRuns: 1500 },
    );
    expect(agreed).toBeGreaterThan(100);
  });
});
