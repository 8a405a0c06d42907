import type { ListenTls, ServerTls } from "./tls-settings.ts";

/** Settings of the data plane. Durations in ms, sizes in bytes. */
export interface GatewaySettings {
  readonly listen: readonly ListenSettings[];
  /** Ways to speak TLS to servers, by the names app documents use. Absent: none. */
  readonly serverTls?: Readonly<Record<string, ServerTls>>;
  /** Name by which the gateway signs Via and knows a request it has seen before; the same in all its processes. */
  readonly via: string;
  /** Servers are sent Forwarded (RFC 7239) too, beside X-Forwarded-*. */
  readonly forwarded: boolean;
  /** Peers (addresses, CIDR) whose X-Forwarded-* fields are believed. */
  readonly trustedProxies: readonly string[];
  /** Servers (addresses, CIDR) that may stand at link-local and other addresses where none is expected. */
  readonly allowServers: readonly string[];
  /** Other listeners of this gateway, its admin API's: servers are refused there as at those of `listen`. Absent: none. */
  readonly reserved?: readonly ListenAddress[];
  readonly timeouts: GatewayTimeouts;
  readonly limits: GatewayLimits;
  /** Absent: none is written. */
  readonly accessLog?: AccessLogSettings;
  /** Absent: nobody collects traces, and what clients send of them is passed on as it is. */
  readonly traces?: TracesSettings;
}

/** Who collects traces, by OTLP over HTTP. */
export interface TracesSettings {
  readonly endpoint: string;
  /** Part of the requests, 0 to 1, that are traced, of those whose client does not say. */
  readonly sample: number;
  /** Fields that are sent along. */
  readonly headers: Readonly<Record<string, string>>;
  /** `service.name` of the spans. */
  readonly service: string;
}

/** A line for each request, or for some of them. */
export interface AccessLogSettings {
  /** Absolute path; null: standard output. */
  readonly to: string | null;
  /** errors: answers 5xx and those that broke off; sampled: a part of all others too. */
  readonly mode: "errors" | "sampled" | "all";
  /** That part, 0 to 1. */
  readonly sample: number;
  /** The query is told with the path. */
  readonly query: boolean;
}

/** One address and how it is spoken to. */
export interface ListenSettings {
  readonly address: ListenAddress;
  /** Absent: plain HTTP. */
  readonly tls?: ListenTls;
  /**
   * HTTP/2 beside HTTP/1.1: offered by ALPN with TLS (absent: yes), else known by the first bytes of a connection
   * (absent: no).
   */
  readonly http2?: boolean;
  /** Peers (addresses, CIDR) whose connections begin with a PROXY header, which must then be there. Absent: nobody. */
  readonly proxyProtocol?: readonly string[];
}

/** TCP when `host` and `port` are given, else a unix socket. */
export type ListenAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface GatewayTimeouts {
  /** A request head must be complete this long after its first byte. */
  readonly header: number;
  /** A connection to a server must stand after this. */
  readonly connect: number;
  /** Silence a server may keep: until the response head, then between two reads of it. */
  readonly response: number;
  /** Silence on a client connection: between requests, or while a body is awaited or taken. */
  readonly idle: number;
  /** From a request's head to the last byte of its answer; null: no limit. Not for tunnels. */
  readonly request: number | null;
  /** Time for requests in flight at shutdown, then they are cut. */
  readonly drain: number;
}

export interface GatewayLimits {
  /** Bytes of a head (request or response), start line included. */
  readonly head: number;
  /** Field lines of a head. */
  readonly headers: number;
  /** Bytes of a request body; null: no limit. */
  readonly body: number | null;
  /** Bytes a second that a request body must bring while it is awaited, averaged over `timeouts.idle`; 0: any. */
  readonly bodyRate: number;
  /** Client connections per worker; further ones are answered 503 and closed at once. */
  readonly connections: number;
  /** Requests under way per worker, tunnels included; further ones are answered 503 at once. */
  readonly requests: number;
}
