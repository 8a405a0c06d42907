import { randomUUID } from "node:crypto";
import { parseAppDocument } from "./config/app-document.ts";
import { formatProblems } from "./config/format-problems.ts";
import { parseHalftoneConfig } from "./config/halftone-config.ts";
import type { Parsed } from "./config/problem.ts";
import { Gateway } from "./gateway/gateway.ts";
import { listenText } from "./gateway/listener.ts";
import type { ServerStatus } from "./gateway/server-status.ts";

export interface EmbeddedGatewayOptions {
  /** Address or addresses, like "127.0.0.1:8080" (port 0: any) or "unix:/run/app.sock". */
  readonly listen: string | readonly string[];
  /** Apps to begin with, in any form that `halftone.yaml` takes. Default: none. */
  readonly apps?: readonly unknown[];
  /** As under `gateway:` in `halftone.yaml`. */
  /** Default: another one for each gateway. */
  readonly via?: string;
  readonly forwarded?: boolean;
  readonly trustedProxies?: readonly string[];
  readonly allowServers?: readonly string[];
  readonly timeouts?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string | number>>;
}

/** The data plane inside a program of one's own: one process, documents put in by calls. */
export interface EmbeddedGateway {
  /** Opens every listener, or none (rejects, naming the address). Resolves to the addresses, ports filled in. */
  listen(): Promise<readonly string[]>;
  /** Puts a document in force, for the next request on. Throws a TypeError that lists every problem of it. */
  put(document: unknown): void;
  delete(name: string): void;
  /** What is known of the servers of one app, or of all. */
  servers(app?: string): readonly ServerStatus[];
  /** Lets requests under way end within `timeouts.drain`; resolves to the number of connections that were cut. */
  close(): Promise<number>;
}

/** Throws a TypeError that lists every problem of the options. */
export function createGateway(options: EmbeddedGatewayOptions): EmbeddedGateway {
  const { apps = [], ...gateway } = options;
  // Several may stand one behind the other in one program: each has a name of its own.
  const via = `halftone-${randomUUID().slice(0, 8)}`;
  const config = checked(
    parseHalftoneConfig(JSON.stringify({ gateway: { via, ...gateway } }), process.cwd()),
  );
  const plane = new Gateway(config.gateway);
  let revision = 0;
  const embedded: EmbeddedGateway = {
    async listen() {
      return (await plane.listen()).map(listenText);
    },
    put(document) {
      const parsed = checked(parseAppDocument(document, { allowServers: config.gateway.allowServers }));
      plane.putApp({ name: parsed.name, revision: ++revision, document: parsed });
    },
    delete: (name) => plane.deleteApp(name),
    servers: (app) => plane.servers(app),
    close: () => plane.drain(),
  };
  for (const app of apps) embedded.put(app);
  return embedded;
}

function checked<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new TypeError(formatProblems(parsed.problems).join("\n"));
  return parsed.value;
}
