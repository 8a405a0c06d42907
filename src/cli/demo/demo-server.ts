import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Fault } from "./scenarios.ts";

/** Long enough that a switch always finds requests under way, in ms. */
const WORK = 5;

/** A small real server that can be updated in place: stopped, and started on the same address with another version. */
export class DemoServer {
  readonly group: string;
  version: string;
  /** What it ran before the last update: a rollback goes back to that. */
  before: string;
  private readonly host: string;
  private port = 0;
  private server: Server | undefined;
  private fault: Fault = {};
  /** Errors that are due. */
  private due = 0;

  constructor(group: string, host: string, version: string) {
    this.group = group;
    this.host = host;
    this.version = version;
    this.before = version;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  async start(): Promise<void> {
    const { version, group, fault } = this;
    const server = createServer((request, response) => {
      request.resume();
      const isCheck = request.url === "/healthz";
      const isSlow = !isCheck && Math.random() < (fault.slow ?? 0);
      setTimeout(
        () => {
          if (!isCheck && this.fails()) response.statusCode = 500;
          response.setHeader("x-version", version);
          // As a server that stops should: else a busy connection would keep it up for ever.
          if (!server.listening) response.setHeader("connection", "close");
          response.end(`${group} ${version}\n`);
        },
        WORK + (isSlow ? (fault.slowBy ?? 0) : 0),
      );
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

  /** Evenly: by chance one server might get all errors of a version that is bad on all. */
  private fails(): boolean {
    this.due += this.fault.errors ?? 0;
    if (this.due < 1) return false;
    this.due -= 1;
    return true;
  }

  async run(version: string, fault: Fault): Promise<void> {
    await this.stop();
    this.version = version;
    this.fault = fault;
    this.due = 0;
    await this.start();
  }
}
