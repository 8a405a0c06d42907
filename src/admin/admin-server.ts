import { createAdaptorServer } from "@hono/node-server";
import { getPath } from "hono/utils/url";
import { setMaxListeners } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ListenAddress } from "../config/gateway-settings.ts";
import { resetConnection } from "../gateway/reset-connection.ts";
import { refusal } from "./api-problem.ts";
import { adminHostsText, type AdminHosts, isAdminHost } from "./admin-host.ts";
import type { Connection } from "./connection.ts";

// Its own cap and timers, apart from the data plane's: a flood there must not lock the operator out.
const MOST_CONNECTIONS = 256;
const HEAD_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
const CLOSE_TIMEOUT = 2_000;

/** What load balancers and Prometheus ask, by names of their own; it tells nothing that a page elsewhere could use. */
const UNDER_ANY_HOST = new Set(["/healthz", "/readyz", "/metrics"]);

export interface AdminServer {
  /** Where it really listens: "http://127.0.0.1:9090", "unix:/run/halftone.sock". */
  readonly url: string;
  /** The same, its port filled in. */
  readonly bound: ListenAddress;
  /** Lets requests under way end, for at most two seconds; answers that last end now. */
  close(): Promise<void>;
}

export interface AdminServerOptions {
  readonly listen: ListenAddress;
  /** Further hosts by which it is called: `admin.hosts`. */
  readonly hosts: readonly string[];
  readonly api: { fetch(request: Request, connection: Connection): Response | Promise<Response> };
}

/** Serves the API on its own listener. Throws an Error that names the address when it cannot be had. */
export async function startAdminServer({ listen, hosts, api }: AdminServerOptions): Promise<AdminServer> {
  let known: AdminHosts = { listen: [listen], hosts };
  const closing = new AbortController();
  // Each answer that lasts listens.
  setMaxListeners(0, closing.signal);
  const server = createAdaptorServer({
    overrideGlobalObjects: false,
    // For the checks of load balancers that send HTTP/1.0 without Host.
    hostname: "localhost",
    fetch(request, { incoming }) {
      const host = request.headers.get("host") ?? "";
      if (isAdminHost(host, known) || UNDER_ANY_HOST.has(getPath(request))) {
        const cut = (): void => resetConnection(incoming.socket);
        return api.fetch(request, { incoming, closing: closing.signal, cut });
      }
      const found = host === "" ? "no Host" : `Host ${host}`;
      return refusal("wrong-host", `found ${found}, expected ${adminHostsText(known)}; nothing was changed`);
    },
  }) as Server;
  server.maxConnections = MOST_CONNECTIONS;
  server.headersTimeout = HEAD_TIMEOUT;
  server.requestTimeout = REQUEST_TIMEOUT;
  await listening(server, listen);
  const bound = boundOf(server, listen);
  known = { listen: [listen, bound], hosts };
  const close = (): Promise<void> => {
    closing.abort();
    return closed(server);
  };
  return { url: urlOf(server, listen), bound, close };
}

function listening(server: Server, listen: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const where = listen.kind === "unix" ? `unix:${listen.path}` : `${listen.host}:${listen.port}`;
      reject(new Error(`the admin API cannot listen on ${where}: ${error.message}`, { cause: error }));
    });
    server.listen(
      listen.kind === "unix" ? { path: listen.path } : { host: listen.host, port: listen.port },
      resolve,
    );
  });
}

/** With an address that can be connected to: nobody can open 0.0.0.0 everywhere. */
function urlOf(server: Server, listen: ListenAddress): string {
  if (listen.kind === "unix") return `unix:${listen.path}`;
  const { address, port } = server.address() as AddressInfo;
  if (address === "0.0.0.0") return `http://127.0.0.1:${port}`;
  if (address === "::") return `http://[::1]:${port}`;
  return address.includes(":") ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}

function boundOf(server: Server, listen: ListenAddress): ListenAddress {
  if (listen.kind === "unix") return listen;
  const { address, port } = server.address() as AddressInfo;
  return { kind: "tcp", host: address, port };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
