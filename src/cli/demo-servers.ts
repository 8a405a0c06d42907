import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A small real server that can be updated in place: stopped, and started on the same address with another version. */
export class DemoServer {
  readonly group: string;
  version: string;
  private readonly host: string;
  private port = 0;
  private server: Server | undefined;

  constructor(group: string, host: string, version: string) {
    this.group = group;
    this.host = host;
    this.version = version;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  async start(): Promise<void> {
    const { version, group } = this;
    const server = createServer((request, response) => {
      request.resume();
      // Long enough that a switch always finds requests under way.
      setTimeout(() => {
        response.setHeader("x-version", version);
        // As a server that stops should: else a busy connection would keep it up for ever.
        if (!server.listening) response.setHeader("connection", "close");
        response.end(`${group} ${version}\n`);
      }, 5);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, this.host, resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Takes no new connection, lets requests under way end. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  }

  async update(version: string): Promise<void> {
    await this.stop();
    this.version = version;
    await this.start();
  }
}
