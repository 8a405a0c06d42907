import { randomBytes, randomUUID } from "node:crypto";
import { parseAppDocument } from "./config/app-document.ts";
import { formatProblems } from "./config/format-problems.ts";
import { parseHalftoneConfig } from "./config/halftone-config.ts";
import type { WrittenListenTls, WrittenServerTls } from "./config/tls-schema.ts";
import type { Parsed } from "./config/problem.ts";
import { Gateway } from "./gateway/gateway.ts";
import { listenText } from "./gateway/listener.ts";
import type { ServerStatus } from "./gateway/server-status.ts";
import { checkTls } from "./gateway/tls-check.ts";
import { readTlsFiles, tlsProblemText, type TlsMaterial } from "./gateway/tls-material.ts";

export interface EmbeddedGatewayOptions {
  /**
   * Address or addresses, like "127.0.0.1:8080" (port 0: any) or "unix:/run/app.sock"; with TLS as
   * `{address, tls: {certificates: [{cert, key}]}}`. Paths are relative to the working directory.
   */
  readonly listen: EmbeddedListen | readonly EmbeddedListen[];
  /** As in `halftone.yaml`: ways to speak TLS to servers, by name. */
  readonly serverTls?: Readonly<Record<string, WrittenServerTls>>;
  /** Apps to begin with, in any form that `halftone.yaml` takes. Default: none. */
  readonly apps?: readonly unknown[];
  /** As under `gateway:` in `halftone.yaml`, like all that follow. Default: another one for each gateway. */
  readonly via?: string;
  readonly forwarded?: boolean;
  readonly trustedProxies?: readonly string[];
  readonly allowServers?: readonly string[];
  readonly timeouts?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string | number>>;
}

export type EmbeddedListen = string | { readonly address: string; readonly tls?: WrittenListenTls };

/** The data plane inside a program of one's own: one process, documents put in by calls. */
export interface EmbeddedGateway {
  /**
   * Opens every listener, or none (rejects, naming the address, or the file of TLS that cannot be used). Resolves to
   * the addresses, ports filled in.
   */
  listen(): Promise<readonly string[]>;
  /**
   * Reads the files of TLS again and puts them in force for connections to come. Rejects, naming each file that cannot be
   * used, and keeps the old ones.
   */
  renewTls(): Promise<void>;
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
  const { apps = [], serverTls, ...gateway } = options;
  // Several may stand one behind the other in one program: each has a name of its own.
  const via = `halftone-${randomUUID().slice(0, 8)}`;
  const config = checked(
    parseHalftoneConfig(JSON.stringify({ gateway: { via, ...gateway }, serverTls }), process.cwd()),
  );
  const plane = new Gateway(config.gateway);
  const ticketSecret = randomBytes(48).toString("base64");
  let revision = 0;
  const material = async (): Promise<TlsMaterial> => {
    const { files, problems } = await readTlsFiles(config.gateway);
    const all = [...problems, ...checkTls(config.gateway, files, Date.now())];
    if (all.length > 0) throw new Error(all.map(tlsProblemText).join("\n"));
    return { files, ticketSecret };
  };
  const embedded: EmbeddedGateway = {
    async listen() {
      return (await plane.listen(await material())).map(listenText);
    },
    renewTls: async () => plane.renewTls(await material()),
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
