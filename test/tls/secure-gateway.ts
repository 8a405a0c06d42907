import { randomBytes } from "node:crypto";
import { connect as connectPlain, type AddressInfo, type Socket } from "node:net";
import { connect, createServer, type ConnectionOptions, type TlsOptions, type TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";
import type { AppDocument } from "../../src/config/app-document.ts";
import type { GatewaySettings, GatewayTimeouts } from "../../src/config/gateway-settings.ts";
import type { ListenTls, ServerTls } from "../../src/config/tls-settings.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { ServerStatus } from "../../src/gateway/server-status.ts";
import { readTlsFiles, tlsProblemText, type TlsMaterial } from "../../src/gateway/tls-material.ts";
import type { MadeCertificate } from "./certificates.ts";
import { LIMITS, Peer, TIMEOUTS, type Message } from "../gateway/harness.ts";

/** A peer over TLS. */
export class SecurePeer extends Peer {
  declare readonly socket: TLSSocket;
  /** The newest session, to be resumed. */
  session: Buffer | undefined;

  constructor(socket: TLSSocket) {
    super(socket);
    socket.on("session", (session) => {
      this.session = session;
    });
  }

  /** Common name of the other side's certificate. */
  get shown(): string {
    return String(this.socket.getPeerCertificate().subject.CN);
  }
}

export interface SecureWish {
  readonly listen?: Partial<ListenTls> & Pick<ListenTls, "certificates">;
  readonly serverTls?: Readonly<Record<string, ServerTls>>;
  readonly apps?: readonly AppDocument[];
  readonly timeouts?: Partial<GatewayTimeouts>;
  readonly trustedProxies?: readonly string[];
  readonly ticketSecret?: string;
}

export interface SecureGateway {
  readonly gateway: Gateway;
  readonly settings: GatewaySettings;
  readonly port: number;
  /** Reads the files again and puts them in force. */
  renew(settings?: GatewaySettings): Promise<void>;
  /** Shakes hands; rejects with the error of a handshake that fails. */
  client(options?: ConnectionOptions): Promise<SecurePeer>;
  /** A connection below TLS. */
  plain(): Promise<Peer>;
  ask(request: string, options?: ConnectionOptions): Promise<Message>;
  server(address: string): ServerStatus;
}

const HOST = "127.0.4.252";

/** A gateway that takes TLS if `listen` is given, else plain HTTP. */
export async function startSecureGateway(wish: SecureWish): Promise<SecureGateway> {
  const { ticketSecret = randomBytes(48).toString("base64") } = wish;
  const settings: GatewaySettings = {
    listen: [
      {
        address: { kind: "tcp", host: HOST, port: 0 },
        ...(wish.listen !== undefined && { tls: { minVersion: "1.2", ...wish.listen } }),
      },
    ],
    ...(wish.serverTls !== undefined && { serverTls: wish.serverTls }),
    via: "halftone-test",
    forwarded: false,
    trustedProxies: wish.trustedProxies ?? [],
    allowServers: [],
    timeouts: { ...TIMEOUTS, ...wish.timeouts },
    limits: LIMITS,
  };
  const read = async (of: GatewaySettings): Promise<TlsMaterial> => {
    const { files, problems } = await readTlsFiles(of);
    if (problems.length > 0) throw new Error(problems.map(tlsProblemText).join("\n"));
    return { files, ticketSecret };
  };
  const gateway = new Gateway(settings, {}, await read(settings));
  gateway.replaceApps((wish.apps ?? []).map((document) => ({ name: document.name, revision: 1, document })));
  const [bound] = await gateway.listen();
  onTestFinished(() => gateway.destroy());
  const port = bound?.kind === "tcp" ? bound.port : 0;
  const client = async (options: ConnectionOptions = {}): Promise<SecurePeer> => {
    const socket = connect({ host: HOST, port, ...options });
    const peer = new SecurePeer(socket);
    onTestFinished(() => void socket.destroy());
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("closed within the handshake")));
    });
    return peer;
  };
  return {
    gateway,
    settings,
    port,
    renew: async (next = settings) => gateway.reconfigure(next, await read(next)),
    client,
    plain: async () => {
      const socket: Socket = connectPlain({ host: HOST, port, allowHalfOpen: true });
      onTestFinished(() => void socket.destroy());
      await new Promise<void>((resolve, reject) => {
        socket.once("connect", resolve);
        socket.once("error", reject);
      });
      return new Peer(socket);
    },
    ask: async (request, options) => {
      const peer = await client(options);
      peer.send(request);
      const answer = await peer.message();
      peer.socket.destroy();
      return answer;
    },
    server: (address) => gateway.servers().find((status) => status.server === address)!,
  };
}

/** A server that speaks TLS, every byte of it scripted. */
export interface SecureUpstream {
  readonly address: string;
  readonly port: number;
  readonly peers: SecurePeer[];
  /** The names that were asked for, one a connection; false: none. */
  readonly asked: (string | false)[];
  /** Whether the session was resumed, one a connection. */
  readonly resumed: boolean[];
  readonly connections: () => number;
}

let lastHost = 0;

export async function secureUpstream(
  { certificate, ...options }: TlsOptions & { readonly certificate: MadeCertificate },
  script: (peer: SecurePeer) => Promise<void>,
  /** Or the path of a unix socket. */
  host: string = `127.0.5.${(lastHost++ % 250) + 1}`,
): Promise<SecureUpstream> {
  const peers: SecurePeer[] = [];
  const asked: (string | false)[] = [];
  const resumed: boolean[] = [];
  const raw = new Set<Socket>();
  let connections = 0;
  const { pem: cert, keyPem: key } = certificate;
  const server = createServer({ allowHalfOpen: true, ...options, cert, key }, (socket) => {
    asked.push(socket.servername ?? false);
    resumed.push(socket.isSessionReused());
    const peer = new SecurePeer(socket);
    peers.push(peer);
    void script(peer).catch(() => {});
  });
  server.on("connection", (socket: Socket) => {
    connections++;
    raw.add(socket);
    socket.on("error", () => {});
  });
  server.on("tlsClientError", () => {});
  const isUnix = host.startsWith("/");
  await new Promise<void>((resolve) => {
    if (isUnix) server.listen(host, resolve);
    else server.listen(0, host, resolve);
  });
  onTestFinished(async () => {
    for (const socket of raw) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const port = isUnix ? 0 : (server.address() as AddressInfo).port;
  return {
    address: isUnix ? `unix:${host}` : `${host}:${port}`,
    port,
    peers,
    asked,
    resumed,
    connections: () => connections,
  };
}

/** A large message: looked at once it is there, as looking at all of it with every byte takes forever. */
export async function large(peer: SecurePeer, atLeast: number): Promise<Message> {
  await peer.until(({ received }) => received.length >= atLeast, `${atLeast} bytes`);
  return peer.message();
}

/** Answers every request of a connection with this text. */
export function serveSecurely(
  answer: string | ((request: Message) => string),
): (peer: SecurePeer) => Promise<void> {
  return async (peer) => {
    for (;;) {
      const request = await peer.message();
      peer.send(typeof answer === "string" ? answer : answer(request));
    }
  };
}
