import { mkdtempSync, rmSync } from "node:fs";
import { createServer, connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { AppDocument } from "../../src/config/app-document.ts";
import type {
  AccessLogSettings,
  GatewayLimits,
  GatewaySettings,
  GatewayTimeouts,
  ListenAddress,
  TracesSettings,
} from "../../src/config/gateway-settings.ts";
import { Gateway, type GatewayEvents } from "../../src/gateway/gateway.ts";
import type { ServerStatus } from "../../src/gateway/server-status.ts";
import { openAccessLog } from "../../src/telemetry/access-log.ts";
import { openTracer } from "../../src/telemetry/open-tracer.ts";

/** Longest wait for a condition; reaching it is a failure. */
const PATIENCE = 20_000;

/** A message as it came over the wire, cut out by a parser that is not the gateway's. */
export interface Message {
  readonly startLine: string;
  readonly status: number;
  /** Field lines as sent. */
  readonly lines: readonly string[];
  readonly body: string;
  /** The body with its chunk framing, as sent. */
  readonly rawBody: string;
  field(name: string): string | undefined;
}

/** One end of a raw connection: keeps every byte that came, and waits for conditions. */
export class Peer {
  readonly socket: Socket;
  received = "";
  /** The other side sent FIN. */
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | undefined;
  private readonly wakers = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    const wake = (): void => {
      for (const waker of this.wakers) waker();
    };
    socket.on("data", (chunk: Buffer) => {
      this.received += chunk.toString("latin1");
      wake();
    });
    socket.on("end", () => {
      this.ended = true;
      wake();
    });
    socket.on("error", (error) => {
      this.error = error;
    });
    socket.on("close", () => {
      this.closed = true;
      wake();
    });
  }

  /** The other side reset the connection instead of ending it. */
  get wasReset(): boolean {
    return this.error?.code === "ECONNRESET";
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Waits for a condition on this peer, looked at whenever something happens to it. */
  async until(condition: (peer: Peer) => boolean, what: string): Promise<void> {
    if (condition(this)) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.wakers.delete(waker);
        const state = `ended ${this.ended}, closed ${this.closed}, ${this.error?.code ?? "no error"}`;
        reject(
          new Error(
            `waited in vain for ${what}; ${state}; received: ${JSON.stringify(this.received.slice(-2000))}`,
          ),
        );
      }, PATIENCE);
      const waker = (): void => {
        if (!condition(this)) return;
        this.wakers.delete(waker);
        clearTimeout(timer);
        resolve();
      };
      this.wakers.add(waker);
    });
  }

  async text(wanted: string): Promise<void> {
    await this.until((peer) => peer.received.includes(wanted), JSON.stringify(wanted));
  }

  /** The connection is over, by FIN or reset. */
  async gone(): Promise<void> {
    await this.until((peer) => peer.ended || peer.closed, "the end of the connection");
  }

  /** Takes the next whole message out of `received`. `bodiless`: the answer to HEAD. */
  async message(bodiless: boolean = false): Promise<Message> {
    let found: { message: Message; length: number } | undefined;
    await this.until((peer) => {
      found = cutMessage(peer.received, bodiless, peer.ended || peer.closed);
      return found !== undefined;
    }, "a whole message");
    this.received = this.received.slice(found!.length);
    return found!.message;
  }
}

function cutMessage(
  text: string,
  bodiless: boolean,
  ended: boolean,
): { message: Message; length: number } | undefined {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [startLine = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const field = (name: string): string | undefined => {
    const prefix = `${name.toLowerCase()}:`;
    return lines
      .find((line) => line.toLowerCase().startsWith(prefix))
      ?.slice(prefix.length)
      .trim();
  };
  const isResponse = startLine.startsWith("HTTP/");
  const status = isResponse ? Number(startLine.split(" ")[1]) : 0;
  const start = headEnd + 4;
  const none = bodiless || (isResponse && (status < 200 || status === 204 || status === 304));
  let end = start;
  let body = "";
  if (none) end = start;
  else if (field("transfer-encoding") === "chunked") {
    let position = start;
    for (;;) {
      const lineEnd = text.indexOf("\r\n", position);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(text.slice(position, lineEnd), 16);
      if (size === 0) {
        const trailersEnd = text.startsWith("\r\n", lineEnd + 2)
          ? lineEnd
          : text.indexOf("\r\n\r\n", lineEnd);
        if (trailersEnd < 0 || text.length < trailersEnd + 4) return undefined;
        end = trailersEnd + 4;
        break;
      }
      if (text.length < lineEnd + 2 + size + 2) return undefined;
      body += text.slice(lineEnd + 2, lineEnd + 2 + size);
      position = lineEnd + 2 + size + 2;
    }
  } else if (field("content-length") !== undefined) {
    end = start + Number(field("content-length"));
    if (text.length < end) return undefined;
    body = text.slice(start, end);
  } else if (isResponse) {
    if (!ended) return undefined;
    end = text.length;
    body = text.slice(start);
  }
  return { message: { startLine, status, lines, body, rawBody: text.slice(start, end), field }, length: end };
}

/** What a scripted server does with one connection; `index` counts its connections from 0. */
export type Script = (peer: Peer, index: number) => Promise<void> | void;

/** A server whose every byte is scripted. */
export interface Upstream {
  /** "127.0.4.1:12345" */
  readonly address: string;
  readonly peers: Peer[];
  /** Every whole request that a script took with `serve`. */
  readonly requests: Message[];
  close(): Promise<void>;
}

let lastHost = 0;

export async function upstream(script: Script): Promise<Upstream> {
  const host = `127.0.4.${(lastHost++ % 250) + 1}`;
  const peers: Peer[] = [];
  const requests: Message[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const peer = new Peer(socket);
    requestsOf.set(peer, requests);
    const index = peers.push(peer) - 1;
    // A script whose peer goes away while it waits is over; what it waited for is asserted by the test.
    void Promise.resolve(script(peer, index)).catch(() => {});
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const peer of peers) peer.socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  onTestFinished(close);
  return { address: `${host}:${port}`, peers, requests, close };
}

const requestsOf = new WeakMap<Peer, Message[]>();

/** An address where nobody listens. */
export async function deadAddress(): Promise<string> {
  const server = await upstream(() => {});
  await server.close();
  return server.address;
}

/** Takes one request off the connection and notes it with its server. */
export async function take(peer: Peer): Promise<Message> {
  const request = await peer.message();
  requestsOf.get(peer)?.push(request);
  return request;
}

/** Answers every request of a connection with this text. */
export function serve(answer: string | ((request: Message) => string)): Script {
  return async (peer) => {
    for (;;) {
      const request = await take(peer);
      peer.send(typeof answer === "string" ? answer : answer(request));
    }
  };
}

export function ok(body: string = "ok", fields: string = ""): string {
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}

export interface GatewayUnderTest {
  readonly gateway: Gateway;
  /** Those it began with. */
  readonly settings: GatewaySettings;
  readonly host: string;
  readonly port: number;
  /** A raw connection to it, from this address. */
  readonly client: (localAddress?: string) => Promise<Peer>;
  /** One request on a connection of its own, and its answer. */
  readonly ask: (request: string, localAddress?: string) => Promise<Message>;
  readonly server: (address: string) => ServerStatus;
}

export interface GatewayWish {
  readonly timeouts?: Partial<GatewayTimeouts>;
  readonly limits?: Partial<GatewayLimits>;
  readonly trustedProxies?: readonly string[];
  readonly forwarded?: boolean;
  readonly allowServers?: readonly string[];
  readonly reserved?: readonly ListenAddress[];
  /** Peers that send a PROXY header. */
  readonly proxyProtocol?: readonly string[];
  readonly apps?: readonly AppDocument[];
  readonly events?: GatewayEvents;
  /** Listens on a unix socket in a folder of its own: its buffers are small and do not grow. */
  readonly unix?: boolean;
  /** The listener takes HTTP/2 too. */
  readonly http2?: boolean;
  readonly accessLog?: AccessLogSettings;
  readonly traces?: TracesSettings;
}

export const TIMEOUTS: GatewayTimeouts = {
  header: 30_000,
  connect: 5000,
  response: 30_000,
  idle: 30_000,
  request: null,
  drain: 5000,
};
export const LIMITS: GatewayLimits = {
  head: 16 * 1024,
  headers: 100,
  body: null,
  bodyRate: 0,
  connections: 1000,
  requests: 1000,
};

const TCP_ADDRESS: ListenAddress = { kind: "tcp", host: "127.0.4.254", port: 0 };

function unixAddress(): ListenAddress & { kind: "unix" } {
  const folder = mkdtempSync(join(tmpdir(), "halftone-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return { kind: "unix", path: join(folder, "gateway.sock") };
}

export async function startGateway(wish: GatewayWish = {}): Promise<GatewayUnderTest> {
  const listen = wish.unix === true ? unixAddress() : TCP_ADDRESS;
  const settings: GatewaySettings = {
    listen: [
      {
        address: listen,
        ...(wish.http2 !== undefined && { http2: wish.http2 }),
        ...(wish.proxyProtocol !== undefined && { proxyProtocol: wish.proxyProtocol }),
      },
    ],
    via: "halftone-test",
    forwarded: wish.forwarded ?? false,
    trustedProxies: wish.trustedProxies ?? [],
    allowServers: wish.allowServers ?? [],
    ...(wish.reserved !== undefined && { reserved: wish.reserved }),
    timeouts: { ...TIMEOUTS, ...wish.timeouts },
    limits: { ...LIMITS, ...wish.limits },
    ...(wish.accessLog !== undefined && { accessLog: wish.accessLog }),
    ...(wish.traces !== undefined && { traces: wish.traces }),
  };
  const gateway = new Gateway(settings, { openAccessLog, openTracer, ...wish.events });
  gateway.replaceApps((wish.apps ?? []).map((document) => ({ name: document.name, revision: 1, document })));
  const [bound] = await gateway.listen();
  onTestFinished(() => gateway.destroy());
  const { host, port } = bound?.kind === "tcp" ? bound : { host: "", port: 0 };
  const client = async (localAddress: string = "127.0.0.1"): Promise<Peer> => {
    const to = listen.kind === "unix" ? { path: listen.path } : { host, port, localAddress };
    const socket = connect({ ...to, allowHalfOpen: true });
    onTestFinished(() => {
      socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new Peer(socket);
  };
  return {
    gateway,
    settings,
    host,
    port,
    client,
    ask: async (request, localAddress) => {
      const peer = await client(localAddress);
      peer.send(request);
      const answer = await peer.message(request.startsWith("HEAD "));
      peer.socket.destroy();
      return answer;
    },
    server: (address) => {
      const found = gateway.servers().find((status) => status.server === address);
      if (found === undefined) throw new Error(`no server ${address}`);
      return found;
    },
  };
}

/** An app of one group. */
export function app(servers: readonly string[], more: Partial<AppDocument> = {}): AppDocument {
  return { name: "shop", groups: { g1: { servers } }, ...more };
}

/** An app whose second group is under test. */
export function split(
  rest: readonly string[],
  test: readonly string[],
  more: Partial<AppDocument> = {},
): AppDocument {
  return { name: "shop", groups: { blue: { servers: rest }, green: { servers: test } }, deploy: 2, ...more };
}

export function get(path: string = "/", fields: string = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: shop.test\r\n${fields}\r\n`;
}

export function post(body: string, fields: string = "", method: string = "POST"): string {
  return `${method} / HTTP/1.1\r\nHost: shop.test\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Waits for a condition nothing announces. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const until = performance.now() + PATIENCE;
  while (!condition()) {
    if (performance.now() > until) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The gateway runs in this process: after two turns of the loop it has read what was sent before. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
