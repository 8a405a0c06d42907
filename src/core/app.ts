import type { CertificateAttribute } from "./client.ts";
import type { TallySettings } from "./verdict/tally.ts";

/**
 * An app as the request path sees it: one immutable snapshot, everything parsed, every default filled in.
 * A change makes a new one; a request finishes on the one it started with.
 */
export interface App {
  readonly name: string;
  /** Version of the stored document this was compiled from; grows by one with each change. */
  readonly revision: number;
  /** Names the draw of clients for `share`: another release draws other clients first. "" when none runs. */
  readonly draw: string;
  /** Requests for these hosts and paths belong to this app. Never empty. */
  readonly routes: readonly Route[];
  /** How servers are spoken to: false plainly, true by TLS with the system's authorities, a name as settings say. */
  readonly tls: boolean | string;
  /** Updated in turn; at least one. */
  readonly groups: readonly Group[];
  /** 0: nothing is being updated; k: the k-th group (from 1) is under test. */
  readonly deploy: number;
  /** False keeps testers too away from the group under test (while it is drained and updated). */
  readonly testing: boolean;
  /** Percentage of the clients that are not testers sent to the group under test, 0 to 100, two decimals. */
  readonly share: number;
  readonly testers: Testers;
  /** The first of these that a request carries is its client key. */
  readonly stickiness: readonly ClientKeySource[];
  readonly balance: BalanceMethod;
  readonly health: HealthPolicy;
  /** Undefined: servers are judged by traffic alone. */
  readonly check: CheckPolicy | undefined;
  readonly retry: RetryPolicy;
  /** Version of the PROXY header with which connections to servers begin; undefined: they begin with HTTP. */
  readonly proxyProtocol: "v1" | "v2" | undefined;
  /** Testers may be served by the others when the group under test has no live server. */
  readonly testersFallBack: boolean;
  /** The public may be sent to the group under test when nothing else lives. */
  readonly emergencySpill: boolean;
  /** Protocols, in lower case, that a connection may turn into when its client and server agree on it. */
  readonly upgrades: readonly string[];
  /** Tell every client, not only testers, which group answered. */
  readonly expose: boolean;
  /** How requests are counted for a verdict; undefined: they are not, as no release runs. */
  readonly tally: TallySettings | undefined;
}

export interface Route {
  /** Lower-case host without port; "*" for any host; "*.example.com" for any host below. */
  readonly host: string;
  /** Path prefix, matched at segment borders; starts with "/". */
  readonly path: string;
}

export interface Group {
  readonly name: string;
  /** It lives but takes nobody: it runs another version than the public is on. */
  readonly standby: boolean;
  readonly servers: readonly Server[];
}

export interface Server {
  /** Canonical address: "10.0.4.175:80", "[fd00::1]:80", "app.internal:80" or "unix:/run/app.sock". */
  readonly id: string;
  readonly target: Target;
  /** Whole number, at least 0; 0 is never chosen: a server in quarantine has that. */
  readonly weight: number;
}

export type Target =
  | { readonly kind: "ip"; readonly host: string; readonly port: number }
  | { readonly kind: "name"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** Whose requests go to the group under test. */
export interface Testers {
  readonly addresses: AddressSet;
  readonly rules: readonly TesterRule[];
}

/** Addresses and CIDR ranges of both families; IPv4-mapped IPv6 addresses equal their IPv4. */
export interface AddressSet {
  readonly size: number;
  /** The entry (as written in the document) that covers the address, or undefined. */
  match(address: string): string | undefined;
}

export type TesterRule =
  | { readonly kind: "header"; readonly name: string; readonly equals: string }
  | { readonly kind: "cookie"; readonly name: string; readonly equals: string }
  | { readonly kind: "certificate"; readonly name: CertificateAttribute; readonly equals: string };

export type ClientKeySource =
  | { readonly kind: "cookie"; readonly name: string }
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "address" };

export type BalanceMethod = "roundRobin" | "leastConnections" | "hash";

export interface HealthPolicy {
  /** Failures within the die time that make a server dead. */
  readonly maxFails: number;
  /** First die time in ms; doubles with each failure in a row. */
  readonly dieTime: number;
  /** Upper bound of the doubled die time in ms. */
  readonly maxDieTime: number;
  /** How long the part of the requests rises that a server gets after it came back, in ms; 0: all of it at once. */
  readonly slowStart: number;
}

/** A request sent to every server at an interval, to find out what traffic has not. */
export interface CheckPolicy {
  readonly path: string;
  /** Milliseconds from the end of one check to the next. */
  readonly interval: number;
  /** Milliseconds after which an unanswered check has failed. */
  readonly timeout: number;
  /** Status codes of a healthy server. */
  readonly expect: readonly number[];
  /** Good checks in a row that bring a server back. */
  readonly healthy: number;
  /** Failed checks in a row that take a server out. */
  readonly unhealthy: number;
}

export interface RetryPolicy {
  /** Servers one request may be sent to, the first included. */
  readonly tries: number;
  /** Retries allowed as a percentage of recent requests. */
  readonly budget: number;
  /** Retries a second that are always allowed. */
  readonly budgetFloor: number;
  /** Response status codes that count as a failed try besides the failures of the connection itself. */
  readonly on: readonly number[];
}
