import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { ListenAddress } from "../config/gateway-settings.ts";

/** One listening socket. */
export class Listener {
  readonly address: ListenAddress;
  private readonly server: Server;

  private constructor(address: ListenAddress, server: Server) {
    this.address = address;
    this.server = server;
  }

  /** Throws an Error that names the address when it cannot be had. */
  static async open(
    address: ListenAddress,
    onConnection: (socket: Socket) => void,
    onError: (error: Error) => void,
  ): Promise<Listener> {
    // Half-open connections are allowed: a client may send FIN and still wait for its answer.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        const options =
          address.kind === "tcp"
            ? { host: address.host, port: address.port, backlog: 4096 }
            : { path: address.path, backlog: 4096 };
        server.listen(options, () => {
          server.off("error", reject);
          resolve();
        });
      });
    } catch (error) {
      throw new Error(`cannot listen on ${listenText(address)}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    server.on("error", onError);
    return new Listener(address, server);
  }

  /** Where it really listens: port 0 became a port. */
  get bound(): ListenAddress {
    if (this.address.kind === "unix") return this.address;
    const { address, port } = this.server.address() as AddressInfo;
    return { kind: "tcp", host: address, port };
  }

  close(): void {
    this.server.close();
  }
}

/** As people write it: "127.0.0.1:8080", "[::1]:8080", "unix:/run/halftone.sock". */
export function listenText(address: ListenAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
