import { request } from "node:http";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { App, Target } from "../core/app.ts";
import { proxyHeader } from "../http1/proxy-header.ts";
import { REFUSED, type AddressGuard } from "./address-guard.ts";
import { connectOptions } from "./connect-options.ts";
import { tlsFailureText } from "./tls-failure.ts";
import { verifiedConnection, type ServerTlsTable } from "./tls-servers.ts";

const CHECK_FIELDS = { "user-agent": "halftone-check" };

/** What a server is asked, by GET, and how it is spoken to. */
export interface ServerCheck {
  readonly path: string;
  /** Milliseconds after which it has failed. */
  readonly timeout: number;
  /** Status codes of a healthy server; undefined: any below 500. */
  readonly expect: readonly number[] | undefined;
  /** As in `App`. */
  readonly tls: App["tls"];
  readonly proxyProtocol: App["proxyProtocol"];
}

/** One check of one server. Resolves to what is wrong, or to undefined. */
export function checkServer(
  target: Target,
  { path, timeout, expect, tls, proxyProtocol }: ServerCheck,
  guard: AddressGuard,
  serverTls: ServerTlsTable,
): Promise<string | undefined> {
  const profile = serverTls.find(tls);
  if (tls !== false && profile === undefined) {
    return Promise.resolve(`check ${path}: serverTls has no ${JSON.stringify(tls)}`);
  }
  const refusal = guard.refusal(target);
  if (refusal !== undefined) return Promise.resolve(`check ${path}: not connected to: ${refusal}`);
  const host = target.kind === "unix" ? "localhost" : target.host;
  const port = target.kind === "unix" ? 80 : target.port;
  const createConnection = (): Socket => {
    const to = connectOptions(target, guard) as NetConnectOpts;
    if (profile !== undefined) return connectTls({ ...to, ...verifiedConnection(profile, target) });
    const socket = connect(to);
    // A check is nobody's connection: LOCAL, UNKNOWN.
    if (proxyProtocol !== undefined) socket.write(proxyHeader(proxyProtocol, undefined));
    return socket;
  };
  return new Promise((resolve) => {
    const call = request({ host, port, createConnection, path, headers: CHECK_FIELDS }, (response) => {
      const status = response.statusCode ?? 0;
      const good = expect === undefined ? status < 500 : expect.includes(status);
      settle(good ? undefined : `check ${path}: status ${status}, expected ${expectedText(expect)}`);
    });
    const timer = setTimeout(() => settle(`check ${path}: no answer within ${timeout} ms`), timeout);
    call.on("error", (error: NodeJS.ErrnoException) =>
      settle(`check ${path}: ${failureText(error, profile !== undefined)}`),
    );
    call.end();

    function settle(error: string | undefined): void {
      clearTimeout(timer);
      // The head says it all; a body, however long, is not taken.
      call.destroy();
      resolve(error);
    }
  });
}

function expectedText(expect: readonly number[] | undefined): string {
  return expect === undefined ? "one below 500" : expect.join(" or ");
}

function failureText(error: NodeJS.ErrnoException, secure: boolean): string {
  if (error.code === REFUSED) return `not connected to: ${error.message}`;
  return secure ? tlsFailureText(error) : (error.code ?? error.message);
}
