import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { Scene } from "./scene.ts";

/** Longest silence of a connection before a request counts as failed, in ms. */
const SILENCE = 10_000;

export interface Ask {
  readonly port: number;
  /** Default "/". */
  readonly path?: string;
  /** Default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Local address the connection comes from. */
  readonly from?: string;
  readonly body?: string | Buffer;
  /** Default: a connection of its own. */
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly text: string;
  /** The `Served-By` field of our backends. */
  readonly servedBy: string;
}

/** The connection failed, or the answer was cut. */
export class AskFailed extends Error {
  override readonly name = "AskFailed";
  /** The system's code, like "ECONNREFUSED". */
  readonly code: string | undefined;
  /** The other side had used this connection: a request on it is lost, not merely refused. */
  readonly standing: boolean;

  constructor(cause: NodeJS.ErrnoException, standing: boolean) {
    super(cause.message, { cause });
    this.code = cause.code;
    this.standing = standing;
  }
}

/** One request, the whole answer. Rejects with `AskFailed`. */
export function ask(what: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port, path = "/", method = "GET", headers, from, body, agent } = what;
    const outgoing = request({
      host: "127.0.0.1",
      port,
      path,
      method,
      agent: agent ?? false,
      timeout: SILENCE,
      ...(headers === undefined ? {} : { headers: headers as Record<string, string | string[]> }),
      ...(from === undefined ? {} : { localAddress: from }),
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`silence for ${SILENCE} ms`)));
    outgoing.on("error", (error) => reject(new AskFailed(error, outgoing.reusedSocket)));
    outgoing.on("response", (response) => {
      readAnswer(response).then(resolve, (error: Error) => reject(new AskFailed(error, true)));
    });
    outgoing.end(body);
  });
}

/** Reads an answer to its end. */
export async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return {
    status: response.statusCode!,
    headers: response.headers,
    trailers: response.trailers,
    body,
    text: body.toString("utf8"),
    servedBy: String(response.headers["served-by"] ?? ""),
  };
}

/** A client that keeps its one connection. */
export function keepAlive(scene: Scene, maxSockets: number = 1): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets });
  scene.defer(() => agent.destroy());
  return agent;
}

/** How many requests each server answered, as a plain record for comparison. */
export function countBy<T>(items: readonly T[], key: (item: T) => string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}
