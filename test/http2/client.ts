import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from "node:http2";
import { connect as netConnect } from "node:net";
import { onTestFinished } from "vitest";

/** An answer as a client of HTTP/2 got it. */
export interface Answer {
  readonly status: number;
  readonly fields: IncomingHttpHeaders;
  readonly body: string;
  /** Interim answers but 100, in order. */
  readonly interim: readonly IncomingHttpHeaders[];
  readonly trailers: IncomingHttpHeaders | undefined;
  /** Code by which the stream ended; 0 for a whole answer. */
  readonly code: number;
}

/** A session of node:http2 to the gateway. */
export function connectHttp2(to: { host: string; port: number }): Http2Client {
  const session = connect("http://shop.test", {
    createConnection: () => netConnect({ host: to.host, port: to.port, localAddress: "127.0.0.1" }),
  });
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  return new Http2Client(session);
}

export class Http2Client {
  readonly session: ClientHttp2Session;
  closed = false;

  constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on("close", () => {
      this.closed = true;
    });
  }

  open(fields: Record<string, string | string[]>, body: boolean = false): ClientHttp2Stream {
    const stream = this.session.request({ ":authority": "shop.test", ...fields }, { endStream: !body });
    stream.on("error", () => {});
    return stream;
  }

  async ask(
    path: string,
    fields: Record<string, string | string[]> = {},
    body?: string | Buffer,
  ): Promise<Answer> {
    const stream = this.open({ ":path": path, ...fields }, body !== undefined);
    const answer = answerOf(stream);
    if (body !== undefined) stream.end(body);
    return await answer;
  }
}

/** Reads an answer to its end, whatever end that is. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const interim: IncomingHttpHeaders[] = [];
  const chunks: Buffer[] = [];
  let fields: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders | undefined;
  stream.on("headers", (head: IncomingHttpHeaders) => {
    if (Number(head[":status"]) !== 100) interim.push(head);
  });
  stream.on("response", (head) => {
    fields = head;
  });
  stream.on("trailers", (tail: IncomingHttpHeaders) => {
    trailers = tail;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => stream.on("close", resolve));
  return {
    status: Number(fields[":status"] ?? 0),
    fields,
    body: Buffer.concat(chunks).toString("latin1"),
    interim,
    trailers,
    code: stream.rstCode ?? 0,
  };
}
