import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { type Backend, startBackend } from "../../e2e/harness/backend.ts";
import type { Scene } from "../../e2e/harness/scene.ts";
import { PatternCheck, patternOf } from "./pattern.ts";

const MIB = 1024 * 1024;
/** What `/file` holds: more than any buffer on the way. */
export const FILE: Buffer = patternOf(300_000);
const ETAG = '"file-1"';

/**
 * A node:http server with what clients want to try. `/echo` tells what was sent, `/file` is static content with ranges,
 * `/chunked` has no length, `/gzip` is compressed, `/pattern?size=` and `/sink` are for large bodies, `/mirror` answers
 * each piece as it comes.
 */
export async function startOrigin(scene: Scene, address: string): Promise<Backend> {
  return await startBackend(scene, address, (request, response) => {
    // A body that its client or the gateway cuts short is nothing to answer.
    serve(request, response).catch(() => response.destroy());
  });
}

/** Answers as a small site does; also for origins that add paths of their own. */
export async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url!, "http://origin");
  switch (pathname) {
    case "/file":
      serveFile(request, response);
      return;
    case "/chunked":
      for (let n = 0; n < 10; n++) response.write(FILE.subarray(n * 30_000, (n + 1) * 30_000));
      response.end();
      return;
    case "/gzip":
      serveCompressed(request, response);
      return;
    case "/pattern":
      await sendPattern(response, Number(searchParams.get("size")));
      return;
    case "/sink":
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(await check(request)));
      return;
    case "/mirror":
      response.flushHeaders();
      request.pipe(response);
      return;
    default:
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(await echo(request)));
  }
}

/** What `/echo` answers. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly version: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function echo(request: IncomingMessage): Promise<Echo> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return {
    method: request.method!,
    url: request.url!,
    version: request.httpVersion,
    headers: request.headers as Record<string, string>,
    body: Buffer.concat(chunks).toString("latin1"),
  };
}

/** What `/sink` answers. */
export interface Sunk {
  readonly length: number;
  readonly whole: boolean;
  readonly framing: string;
}

async function check(request: IncomingMessage): Promise<Sunk> {
  const bytes = new PatternCheck();
  for await (const chunk of request) bytes.take(chunk as Buffer);
  const framing = request.headers["transfer-encoding"] ?? request.headers["content-length"] ?? "none";
  return { ...bytes.outcome, framing };
}

function serveFile(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("etag", ETAG);
  response.setHeader("accept-ranges", "bytes");
  if (request.headers["if-none-match"] === ETAG) {
    response.writeHead(304).end();
    return;
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const first = Number(range?.[1] ?? 0);
  const last = range?.[2] ? Number(range[2]) : FILE.length - 1;
  if (range !== null) response.setHeader("content-range", `bytes ${first}-${last}/${FILE.length}`);
  response.setHeader("content-length", last + 1 - first);
  response.writeHead(range === null ? 200 : 206);
  response.end(request.method === "HEAD" ? undefined : FILE.subarray(first, last + 1));
}

function serveCompressed(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("vary", "accept-encoding");
  if (!/\bgzip\b/.test(String(request.headers["accept-encoding"]))) {
    response.end(FILE);
    return;
  }
  response.setHeader("content-encoding", "gzip");
  response.end(gzipSync(FILE));
}

async function sendPattern(response: ServerResponse, size: number): Promise<void> {
  response.setHeader("content-length", size);
  response.setHeader("content-type", "application/octet-stream");
  const gone = once(response, "close");
  // Not a multiple of the period: each piece begins where the one before ended.
  const pieces = patternOf(MIB + 65_521);
  for (let sent = 0; sent < size && !response.destroyed; sent += MIB) {
    const at = sent % 65_521;
    const part = pieces.subarray(at, at + Math.min(MIB, size - sent));
    if (!response.write(part)) await Promise.race([once(response, "drain"), gone]);
  }
  response.end();
}
