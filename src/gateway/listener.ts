import { unlink } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { addressSet } from "../config/address-set.ts";
import type { ListenAddress, ListenSettings } from "../config/gateway-settings.ts";
import type { AddressSet } from "../core/app.ts";
import type { TlsAcceptor } from "./tls-acceptor.ts";

/** Connections the kernel may hold for us; Linux cuts it to net.core.somaxconn (4096 by default). */
const BACKLOG = 4096;

/** One listening socket. */
export class Listener {
  /** The TLS that `settings` ask for; undefined: none. New files bring a new one. */
  acceptor: TlsAcceptor | undefined;
  private readonly server: Server;
  private current: ListenSettings;
  private senders: AddressSet;
  /** Of a TCP socket; it stays known when the socket is closed. */
  private address: AddressInfo | undefined;

  private constructor(settings: ListenSettings, server: Server) {
    this.current = settings;
    this.senders = addressSet(settings.proxyProtocol ?? []);
    this.server = server;
  }

  /** In force for connections to come; a reload may replace all of it but the address. */
  get settings(): ListenSettings {
    return this.current;
  }

  set settings(settings: ListenSettings) {
    this.current = settings;
    this.senders = addressSet(settings.proxyProtocol ?? []);
  }

  /** Connections of this peer begin with a PROXY header. */
  expectsProxyHeader(address: string): boolean {
    return this.senders.size > 0 && this.senders.match(address) !== undefined;
  }

  /** Throws an Error that names the address when it cannot be had. */
  static async open(
    settings: ListenSettings,
    onConnection: (socket: Socket, listener: Listener) => void,
    onError: (error: Error) => void,
  ): Promise<Listener> {
    const { address } = settings;
    // Half-open connections are allowed: a client may send FIN and still wait for its answer.
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const listener = new Listener(settings, server);
    server.on("connection", (socket) => onConnection(socket, listener));
    try {
      await listen(server, address).catch(async (error: NodeJS.ErrnoException) => {
        if (address.kind !== "unix" || error.code !== "EADDRINUSE" || (await answers(address.path)))
          throw error;
        // A socket file nobody listens on: what a killed process left behind.
        await unlink(address.path);
        await listen(server, address);
      });
    } catch (error) {
      throw new Error(`cannot listen on ${listenText(address)}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    if (address.kind === "tcp") listener.address = server.address() as AddressInfo;
    server.on("error", onError);
    return listener;
  }

  /** Where it really listens: port 0 became a port. */
  get bound(): ListenAddress {
    if (this.settings.address.kind === "unix") return this.settings.address;
    const { address: host, port } = this.address!;
    return { kind: "tcp", host, port };
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

function listen(server: Server, address: ListenAddress): Promise<void> {
  const where = address.kind === "tcp" ? { host: address.host, port: address.port } : { path: address.path };
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...where, backlog: BACKLOG }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}
