import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { DemoServer } from "./demo-server.ts";
import type { Fault } from "./scenarios.ts";

interface HookBody {
  readonly hook: "update" | "restore";
  readonly server: string;
  readonly version: string;
}

/** What an operator's deploy job does, as a webhook: replaces one server while nobody is sent there. */
export class UpdateHook {
  /** By version. */
  readonly faults: Map<string, Fault> = new Map();
  private readonly servers: readonly DemoServer[];
  private readonly http: Server;

  constructor(servers: readonly DemoServer[]) {
    this.servers = servers;
    this.http = createServer((request, response) => {
      text(request)
        .then((body) => this.carryOut(JSON.parse(body) as HookBody))
        .then(
          () => response.end("done\n"),
          (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
        );
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.http.once("error", reject);
      this.http.listen(0, "127.0.0.1", resolve);
    });
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  private async carryOut({ hook, server: address, version }: HookBody): Promise<void> {
    const server = this.servers.find((one) => one.address === address);
    if (server === undefined) throw new Error(`no server has the address ${address}`);
    if (hook === "update") server.before = server.version;
    const wanted = hook === "update" ? version : server.before;
    const fault = this.faults.get(wanted) ?? {};
    const first = this.servers.find(({ group }) => group === server.group);
    await server.run(wanted, fault.oneServer === true && server !== first ? {} : fault);
  }
}
