import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { freePort } from "./free-port.ts";
import type { Scene } from "./scene.ts";

/** What a backend took in. */
export interface Taken {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** The client's `id` field, to find one request again. */
  readonly id: string | undefined;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, backend: Backend) => unknown;

/**
 * A real node:http server in the test's own process. Unless a handler says otherwise it answers with its name as body
 * and as `Served-By`.
 */
export class Backend {
  readonly name: string;
  readonly address: string;
  readonly taken: Taken[] = [];
  /** Answers every request from now on; undefined: the default answer. */
  handler: Handler | undefined;
  server: Server;
  #port: number;
  readonly #sockets = new Set<Socket>();

  constructor(address: string, port: number, handler?: Handler) {
    this.name = address;
    this.address = address;
    this.#port = port;
    this.handler = handler;
    this.server = this.#create();
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that stand now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** On the port it had before, if it had one. */
  async start(): Promise<void> {
    this.server = this.#create();
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.#port, this.address, resolve);
    });
    this.#port = (this.server.address() as AddressInfo).port;
  }

  /** Hard: every connection is cut in the middle of whatever it does. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  #create(): Server {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.taken.push(take(request));
      response.setHeader("served-by", this.name);
      if (this.handler !== undefined) this.handler(request, response, this);
      else {
        request.resume();
        response.end(this.name);
      }
    });
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    return server;
  }
}

/** One backend per address, all on the same port, as servers of an app usually are. */
export async function startBackends(
  scene: Scene,
  addresses: readonly string[],
  handler?: Handler,
): Promise<readonly Backend[]> {
  const port = await freePort(...addresses);
  const backends = addresses.map((address) => new Backend(address, port, handler));
  for (const backend of backends) {
    await backend.start();
    scene.defer(() => backend.stop());
  }
  return backends;
}

/** One backend. */
export async function startBackend(scene: Scene, address: string, handler?: Handler): Promise<Backend> {
  const [backend] = await startBackends(scene, [address], handler);
  return backend!;
}

function take(request: IncomingMessage): Taken {
  const { method = "", url = "", headers, rawHeaders } = request;
  return { method, url, headers, rawHeaders, id: headers["id"] as string | undefined };
}
