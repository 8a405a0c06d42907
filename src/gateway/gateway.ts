import type { Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import type { AppNews } from "./group-totals.ts";
import { addressSet } from "../config/address-set.ts";
import type { GatewaySettings, ListenAddress, ListenSettings } from "../config/gateway-settings.ts";
import { adoptDeath, adoptLife, recordCheck } from "../core/health.ts";
import type { TallyReport } from "../core/verdict/tally.ts";
import { RequestHead } from "../http1/request-head.ts";
import { ResponseHead } from "../http1/response-head.ts";
import type { AccessLog, OpenAccessLog } from "./access-log.ts";
import { AddressGuard } from "./address-guard.ts";
import { Admission } from "./admission.ts";
import { AppTable, type RevisedDocument } from "./app-table.ts";
import { ClientConnection } from "./client-connection.ts";
import { peerOf, proxiedPeer, type ClientPeer } from "./client-peer.ts";
import { Clock } from "./clock.ts";
import { newCounters, type GatewayCounters } from "./gateway-counters.ts";
import { risingOf, type ProcessReport } from "./process-report.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { Http2Connection } from "./http2-connection.ts";
import { Http2Preface } from "./http2-preface.ts";
import { Listener, listenText } from "./listener.ts";
import { ProxiedSocket } from "./proxied-socket.ts";
import { turnAway } from "./turned-away.ts";
import { descriptorRoom, type DescriptorRoom } from "./descriptors.ts";
import { RequestIds } from "./request-ids.ts";
import type { OpenTracer, Tracer } from "./request-trace.ts";
import type { HealthFinding, ServerStatus } from "./server-status.ts";
import { TlsAcceptor } from "./tls-acceptor.ts";
import { TlsHandshake } from "./tls-handshake.ts";
import { NO_TLS, type TlsMaterial } from "./tls-material.ts";
import { securePeer } from "./tls-peer.ts";
import { ServerTlsTable } from "./tls-servers.ts";
import type { UpstreamServer } from "./upstream-server.ts";

export interface GatewayEvents {
  /** This process found a server dead or alive again; others want to know. */
  onFinding?: (finding: HealthFinding) => void;
  onError?: (error: Error) => void;
  /** Opens the access log of the settings. Absent: none is written, whatever they say. */
  openAccessLog?: OpenAccessLog;
  /** Likewise for traces. */
  openTracer?: OpenTracer;
}

/** The data plane of one process: listeners, connections, apps. It decides nothing about what is deployed. */
export class Gateway {
  private readonly context: GatewayContext;
  private readonly events: GatewayEvents;
  private readonly clock: Clock = new Clock();
  private readonly connections = new Set<OpenConnection>();
  private tls: TlsMaterial;
  private listeners: Listener[] = [];
  private accepting = true;
  /** What the system's limit on open files leaves room for. */
  private readonly room: DescriptorRoom = descriptorRoom();
  private onIdle: (() => void) | undefined;

  /** `tls`: needed by settings that speak of TLS. It is looked at by `listen`. */
  constructor(settings: GatewaySettings, events: GatewayEvents = {}, tls: TlsMaterial = NO_TLS) {
    this.events = events;
    this.tls = tls;
    const healthEpoch = { value: 0 };
    this.context = {
      clock: this.clock,
      settings,
      trustedProxies: addressSet(settings.trustedProxies),
      serverTls: new ServerTlsTable({}, NO_TLS),
      guard: new AddressGuard([], settings.allowServers),
      accessLog: undefined,
      tracer: undefined,
      apps: new AppTable(healthEpoch),
      counters: newCounters(),
      requestIds: new RequestIds(),
      admission: new Admission(settings.limits),
      responseHead: new ResponseHead(settings.limits),
      draining: false,
      onServerDied: (server, error) => this.onServerDied(server, error),
      onServerRevived: (server) => this.onServerRevived(server),
      onServerRefused: ({ app, server }, why) =>
        this.events.onError?.(new Error(`app ${app}: server ${server.id} is not connected to: ${why}`)),
    };
  }

  get counters(): GatewayCounters {
    return this.context.counters;
  }

  /** Where it listens; ports that were 0 are filled in. */
  get bound(): readonly ListenAddress[] {
    return this.listeners.map((listener) => listener.bound);
  }

  /**
   * Opens every listener, or none: throws an Error that names the address that cannot be had, or the file that cannot
   * be used.
   */
  async listen(tls: TlsMaterial = this.tls): Promise<readonly ListenAddress[]> {
    const { settings } = this.context;
    const serverTls = new ServerTlsTable(settings.serverTls, tls);
    const acceptors = acceptorsOf(settings, tls);
    const accessLog = await this.openAccessLog(settings);
    try {
      this.listeners = await this.open(settings.listen, acceptors);
    } catch (error) {
      await accessLog?.close();
      throw error;
    }
    this.context.accessLog = accessLog;
    this.context.tracer = await this.openTracer(settings);
    this.tls = tls;
    this.context.serverTls = serverTls;
    this.context.guard = this.guardFor(settings);
    return this.bound;
  }

  /**
   * Puts new settings in force for what comes from now on. New addresses are opened first: if one cannot be had it
   * throws, and everything stays as it was. Connections that stand keep the TLS they have.
   */
  async reconfigure(settings: GatewaySettings, tls: TlsMaterial = this.tls): Promise<void> {
    const serverTls = new ServerTlsTable(settings.serverTls, tls);
    const acceptors = acceptorsOf(settings, tls);
    const trustedProxies = addressSet(settings.trustedProxies);
    const kept = keptListeners(this.listeners, settings.listen);
    // Also where nothing of it has changed: whoever moves the file away asks for another one by a reload.
    const accessLog = await this.openAccessLog(settings);
    let opened: Listener[];
    try {
      opened = await this.open(
        settings.listen.filter((wanted) => !kept.has(wanted)),
        acceptors,
      );
    } catch (error) {
      await accessLog?.close();
      throw error;
    }
    const still = new Set(kept.values());
    for (const listener of this.listeners) if (!still.has(listener)) listener.close();
    for (const [wanted, listener] of kept) {
      listener.settings = wanted;
      listener.acceptor = acceptors.get(wanted);
    }
    this.listeners = settings.listen.map((wanted) => kept.get(wanted) ?? opened.shift()!);
    this.tls = tls;
    const { context } = this;
    context.guard = this.guardFor(settings);
    context.serverTls = serverTls;
    context.trustedProxies = trustedProxies;
    if (
      settings.limits.head !== context.settings.limits.head ||
      settings.limits.headers !== context.settings.limits.headers
    ) {
      context.admission.head = new RequestHead(settings.limits);
      context.responseHead = new ResponseHead(settings.limits);
    }
    const tracesChanged = !isDeepStrictEqual(context.settings.traces, settings.traces);
    context.settings = settings;
    if (tracesChanged) await this.swapTracer(await this.openTracer(settings));
    await this.swapAccessLog(accessLog);
  }

  /** Puts new files in force for connections to come; throws what cannot be used, and keeps the old ones. */
  async renewTls(tls: TlsMaterial): Promise<void> {
    await this.reconfigure(this.context.settings, tls);
  }

  /** Puts all of these apps in force and forgets every other one. */
  replaceApps(documents: readonly RevisedDocument[]): void {
    this.context.apps.replaceAll(documents);
  }

  putApp(document: RevisedDocument): void {
    this.context.apps.put(document);
  }

  deleteApp(name: string): void {
    this.context.apps.delete(name);
  }

  /** Takes over what another process of this gateway found. */
  adopt(finding: HealthFinding): void {
    const server = this.context.apps.servers(finding.app)?.get(finding.server);
    if (server === undefined) return;
    switch (finding.kind) {
      case "dead":
        adoptDeath(server.health, this.clock.fromEpoch(finding.deadUntil), finding.streak);
        server.lastError = finding.error;
        server.closeIdle();
        break;
      case "alive":
        adoptLife(server.health, this.clock.now);
        break;
      case "check":
        recordCheck(server.health, finding.healthy, this.clock.now);
        if (!finding.healthy) server.lastError = finding.error;
        break;
    }
  }

  /** Of every app for which anything happened since the last time. */
  takeNews(): Map<string, AppNews> {
    return this.context.apps.takeNews();
  }

  /** What this process tells of itself. */
  report(): ProcessReport {
    const { counters, clock } = this.context;
    const { connections, inFlight } = counters;
    return { rising: risingOf(counters), connections, inFlight, load: clock.loop.report() };
  }

  /** What was counted for verdicts since the last time, by app. */
  takeTallies(): Map<string, TallyReport> {
    return this.context.apps.takeTallies(Date.now());
  }

  servers(app?: string): ServerStatus[] {
    const { apps } = this.context;
    const one = app === undefined ? undefined : apps.servers(app);
    const chosen = app === undefined ? [...apps.allServers()] : one === undefined ? [] : [one];
    return chosen.flatMap((servers) => [...servers.all()].map((server) => this.statusOf(server)));
  }

  /**
   * Stops accepting, lets requests under way end and closes idle connections; after `timeouts.drain` what is left is
   * cut. Resolves with the number of connections that had to be cut.
   */
  async drain(): Promise<number> {
    this.accepting = false;
    this.context.draining = true;
    for (const listener of this.listeners) listener.close();
    for (const connection of this.connections) connection.drain();
    if (this.connections.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.context.settings.timeouts.drain);
        this.onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const cut = this.connections.size;
    this.destroy();
    await this.swapAccessLog(undefined);
    await this.swapTracer(undefined);
    return cut;
  }

  /** Cuts everything at once. */
  destroy(): void {
    this.accepting = false;
    for (const listener of this.listeners) listener.close();
    for (const connection of this.connections) connection.destroy();
    this.context.apps.replaceAll([]);
    this.clock.stop();
  }

  private async open(wanted: readonly ListenSettings[], acceptors: Acceptors): Promise<Listener[]> {
    const opened: Listener[] = [];
    try {
      for (const settings of wanted) {
        const listener = await Listener.open(
          settings,
          (socket, by) => this.onConnection(socket, by),
          (error) => this.events.onError?.(new Error(`${listenText(settings.address)}: ${error.message}`)),
        );
        listener.acceptor = acceptors.get(settings);
        opened.push(listener);
      }
    } catch (error) {
      for (const listener of opened) listener.close();
      throw error;
    }
    return opened;
  }

  private openAccessLog({ accessLog }: GatewaySettings): Promise<AccessLog> | undefined {
    if (accessLog === undefined) return undefined;
    return this.events.openAccessLog?.(accessLog, (problem) => this.events.onError?.(new Error(problem)));
  }

  private async swapAccessLog(next: AccessLog | undefined): Promise<void> {
    const { context } = this;
    const before = context.accessLog;
    context.accessLog = next;
    context.counters.logDropped += (await before?.close()) ?? 0;
  }

  private openTracer({ traces }: GatewaySettings): Promise<Tracer> | undefined {
    if (traces === undefined) return undefined;
    const { counters } = this.context;
    return this.events.openTracer?.(traces, {
      exported: (spans) => (counters.spansExported += spans),
      dropped: (spans) => (counters.spansDropped += spans),
      trouble: (problem) => this.events.onError?.(new Error(`traces cannot be sent to ${problem}`)),
    });
  }

  private async swapTracer(next: Tracer | undefined): Promise<void> {
    const before = this.context.tracer;
    this.context.tracer = next;
    await before?.close();
  }

  private guardFor({ reserved = [], allowServers }: GatewaySettings): AddressGuard {
    return new AddressGuard([...this.bound, ...reserved], allowServers);
  }

  private onConnection(socket: Socket, listener: Listener): void {
    const { counters, settings } = this.context;
    if (!this.accepting) {
      socket.destroy();
      return;
    }
    if (counters.connections >= Math.min(settings.limits.connections, this.room.connections)) {
      // An answer in plain text says nothing within a handshake.
      turnAway(this.context, socket, listener.acceptor === undefined ? this.room.turnedAway : 0);
      return;
    }
    counters.connections++;
    const peer = peerOf(socket);
    if (!listener.expectsProxyHeader(peer.address)) {
      this.welcome(socket, peer, listener);
      return;
    }
    const proxied = new ProxiedSocket(this.context, socket, {
      passed: (connection) => {
        this.connections.delete(proxied);
        this.welcome(socket, proxiedPeer(peer, connection), listener);
      },
      closed: () => this.forget(proxied),
    });
    this.connections.add(proxied);
  }

  /** A connection of which nothing has been read, or whose rest was put back. */
  private welcome(socket: Socket, peer: ClientPeer, { acceptor, settings: { tls, http2 } }: Listener): void {
    if (acceptor !== undefined && tls !== undefined) {
      const handshake = new TlsHandshake(this.context, acceptor, socket, {
        secured: (secured) => {
          this.connections.delete(handshake);
          this.serve(secured, securePeer(peer, secured, tls), secured.alpnProtocol === "h2");
        },
        failed: () => this.forget(handshake),
      });
      this.connections.add(handshake);
      return;
    }
    if (http2 !== true) {
      this.serve(socket, peer, false);
      socket.resume();
      return;
    }
    const preface = new Http2Preface(this.context, socket, {
      known: (isHttp2) => {
        this.connections.delete(preface);
        this.serve(socket, peer, isHttp2);
      },
      closed: () => this.forget(preface),
    });
    this.connections.add(preface);
    socket.resume();
  }

  private serve(socket: Socket, peer: ClientPeer, http2: boolean): void {
    const Connection = http2 ? Http2Connection : ClientConnection;
    const connection = new Connection(this.context, socket, peer, (closed) => this.forget(closed));
    this.connections.add(connection);
    if (this.context.draining) connection.drain();
  }

  private forget(connection: OpenConnection): void {
    this.context.counters.connections--;
    this.connections.delete(connection);
    if (this.connections.size === 0) this.onIdle?.();
  }

  private onServerDied(server: UpstreamServer, error: string): void {
    server.meter.died();
    server.closeIdle();
    this.events.onFinding?.({
      kind: "dead",
      app: server.app,
      server: server.server.id,
      deadUntil: this.clock.toEpoch(server.health.deadUntil),
      streak: server.health.streak,
      error,
    });
  }

  private onServerRevived(server: UpstreamServer): void {
    this.events.onFinding?.({ kind: "alive", app: server.app, server: server.server.id });
  }

  private statusOf(server: UpstreamServer): ServerStatus {
    const { deadUntil } = server.health;
    return {
      app: server.app,
      group: server.group,
      server: server.server.id,
      weight: server.server.weight,
      inFlight: server.inFlight,
      requests: server.requests,
      failures: server.failures,
      deadUntil: deadUntil === 0 ? null : this.clock.toEpoch(deadUntil),
      lastError: server.lastError ?? null,
      healthy: !server.health.unhealthy,
    };
  }
}

/** What stands between a client and the gateway, in whatever state. */
interface OpenConnection {
  drain(): void;
  destroy(): void;
}

type Acceptors = ReadonlyMap<ListenSettings, TlsAcceptor>;

/** Protocols that are offered to clients, best first (RFC 7301). */
const ALPN: readonly string[] = ["h2", "http/1.1"];
const ALPN_WITHOUT_HTTP2: readonly string[] = ["http/1.1"];

/** All made before anything is changed: one that cannot be made throws. */
function acceptorsOf(settings: GatewaySettings, material: TlsMaterial): Acceptors {
  const acceptors = new Map<ListenSettings, TlsAcceptor>();
  for (const listen of settings.listen) {
    if (listen.tls === undefined) continue;
    const alpn = listen.http2 === false ? ALPN_WITHOUT_HTTP2 : ALPN;
    acceptors.set(listen, new TlsAcceptor(listen.tls, material, alpn));
  }
  return acceptors;
}

/**
 * Which listener goes on as which of the wanted ones: by address, and by order where several have the same, as those
 * have whose port the system chooses.
 */
function keptListeners(
  listeners: readonly Listener[],
  wanted: readonly ListenSettings[],
): Map<ListenSettings, Listener> {
  const free = [...listeners];
  const kept = new Map<ListenSettings, Listener>();
  for (const settings of wanted) {
    const text = listenText(settings.address);
    const index = free.findIndex((listener) => listenText(listener.settings.address) === text);
    if (index >= 0) kept.set(settings, free.splice(index, 1)[0]!);
  }
  return kept;
}
