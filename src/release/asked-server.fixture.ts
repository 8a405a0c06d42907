import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface AskedServer {
  /** "127.0.0.1:PORT" */
  readonly host: string;
  readonly asked: readonly Asked[];
  /** Resolves when it was asked so often. */
  wasAsked(times: number): Promise<void>;
  close(): void;
}

/** A server on loopback that answers every request, once it has come whole, by `answer`. */
export async function askedServer(
  answer: (asked: Asked, response: ServerResponse) => void,
): Promise<AskedServer> {
  const asked: Asked[] = [];
  const watchers: (() => void)[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      const one = { method, path, headers, body };
      asked.push(one);
      answer(one, response);
      for (const watcher of watchers.splice(0)) watcher();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async wasAsked(times) {
      while (asked.length < times) {
        await new Promise<void>((resolve) => watchers.push(resolve));
      }
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
