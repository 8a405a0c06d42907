import type { CertificateAttribute } from "../core/client.ts";
import { forbiddenServers, inconsistenciesOf } from "./app-consistency.ts";
import { appSchema } from "./app-schema.ts";
import { type Finding, formatPath, problemsOf } from "./finding.ts";
import { isOriginalForm, readOriginal } from "./read-original.ts";
import { isPlainObject, plainCopy, type PlainObject } from "./plain-data.ts";
import type { Parsed } from "./problem.ts";
import { findingsOf } from "./schema-findings.ts";

/**
 * An app as its owner writes it, checked: what the directory stores and the API answers. What was left out stays left
 * out (the defaults named here are filled in by `compileApp`), numbers written as text are numbers, hosts are lower-case.
 */
export interface AppDocument {
  readonly name: string;
  /** Which requests belong to the app. Default: any host, path "/". */
  readonly routes?: readonly RouteDocument[];
  /** Port of servers written without one. Default 80. */
  readonly port?: number;
  /**
   * Speak TLS to the servers: true verifies them by the system's authorities, a name is one of `serverTls` in
   * halftone.yaml. Default false.
   */
  readonly tls?: boolean | string;
  /** By name, in the order in which they are updated; at least one. */
  readonly groups: Readonly<Record<string, GroupDocument>>;
  /** Whose requests go to the group under test. Default: nobody's. */
  readonly testers?: readonly TesterDocument[];
  /** What tells one client from another; the first that a request carries counts. Default: the address. */
  readonly stickiness?: readonly StickinessDocument[];
  /** 0: nothing is being updated; k: the k-th group is under test. Default 0. */
  readonly deploy?: number;
  /** False keeps testers too away from the group under test. Default true. */
  readonly testing?: boolean;
  /** Percentage of the other clients sent to the group under test: 0 to 100, at most two decimals. Default 0. */
  readonly share?: number;
  /** Names of groups that live but take nobody: they run another version than the public is on. Default: none. */
  readonly standby?: readonly string[];
  /** Percentage of its weight, 1 to 100, that a group has while its caches warm up, by its name. Default: all of it. */
  readonly ramp?: Readonly<Record<string, number>>;
  /**
   * Servers that get no request, by their addresses with port: a release puts those here that it found broken. Default: none.
   * Every group needs another one.
   */
  readonly quarantine?: readonly string[];
  /** What a release has counted for its verdict, from its begin to its end. Default: nothing is counted. */
  readonly tally?: TallyDocument;
  /** Names the draw of clients for `share`: another one draws others first. A release puts its id here. Default "". */
  readonly draw?: string;
  /** Default "roundRobin". */
  readonly balance?: "roundRobin" | "leastConnections" | "hash";
  readonly health?: HealthDocument;
  readonly retry?: RetryDocument;
  /** How releases go; `compilePlan` fills in the defaults. */
  readonly release?: ReleaseDocument;
  /** Every connection to a server begins with a PROXY header of this version, and carries one request. Default: none. */
  readonly proxyProtocol?: "v1" | "v2";
  /** Testers may be served by the other groups when the group under test has no live server. Default false. */
  readonly testersFallBack?: boolean;
  /** The public may be sent to the group under test when nothing else lives. Default false. */
  readonly emergencySpill?: boolean;
  /** Protocols a connection may be upgraded to. Default ["websocket"]. */
  readonly upgrades?: readonly string[];
  /** Tell every client, not only testers, which group answered. Default false. */
  readonly expose?: boolean;
}

export interface RouteDocument {
  /** "shop.example.com", "*.example.com" (any host below), "*" (any host). Default "*". */
  readonly host?: string;
  /** Path prefix, matched at segment borders. Default "/". */
  readonly path?: string;
}

export interface GroupDocument {
  /** Weight of each of the servers that has none of its own. Default 1. */
  readonly weight?: number;
  /** At least one. */
  readonly servers: readonly ServerDocument[];
}

/** "10.0.4.175", "10.0.4.175:81", "[fd00::1]:81", "app.internal", "unix:/run/app.sock", or the same with more said. */
export type ServerDocument =
  | string
  | {
      readonly address: string;
      /** Default: the one in the address, else the app's. */
      readonly port?: number;
      /** Whole number, 0 to 1 000 000; 0 is never chosen. Default: the group's. */
      readonly weight?: number;
    };

/** An address, a CIDR range, or the exact value of a header, a cookie or an attribute of the client's certificate. */
export type TesterDocument =
  | string
  | { readonly header: string; readonly equals: string }
  | { readonly cookie: string; readonly equals: string }
  | { readonly certificate: CertificateAttribute; readonly equals: string };

export type StickinessDocument = "address" | { readonly cookie: string } | { readonly header: string };

export interface HealthDocument {
  /** Failures within the die time that make a server dead. Default 1. */
  readonly maxFails?: number;
  /** Duration a dead server is left out at first; doubles with each failure in a row. Default "10s". */
  readonly dieTime?: string;
  /** Duration over which a server that comes back gets more and more of its requests. Default "0ms": all at once. */
  readonly slowStart?: string;
  /** Upper bound of the doubled die time, a duration. Default "300s". */
  readonly maxDieTime?: string;
  /** Active checks. Default: none. */
  readonly check?: CheckDocument;
}

export interface CheckDocument {
  readonly path: string;
  /** Duration between two checks of a server. Default "2s". */
  readonly interval?: string;
  /** Status code, or list of them, of a healthy server. Default 200. */
  readonly expect?: number | readonly number[];
  /** Duration after which a check has failed. Default: the interval. */
  readonly timeout?: string;
  /** Good checks in a row that bring a server back. Default 2. */
  readonly healthy?: number;
  /** Failed checks in a row that take a server out. Default 3. */
  readonly unhealthy?: number;
}

export interface RetryDocument {
  /** Servers one request may be sent to, the first included. Default 2. */
  readonly tries?: number;
  /** Retries allowed, as a percentage of recent requests. Default 20. */
  readonly budget?: number;
  /** Status codes that count as a failed try besides the failures of the connection itself. Default: none. */
  readonly on?: readonly number[];
}

export interface ReleaseDocument {
  /** In this order: testers, shares that rise to 100, a hold. Default: `DEFAULT_STEPS` of `core/release-plan.ts`. */
  readonly steps?: readonly StepDocument[];
  /** Checks in a row that every updated server passes before anyone is sent there. Default 3. */
  readonly checks?: number;
  /** Duration that requests under way have to end in; after that a person decides. Default "30s". */
  readonly drain?: string;
  /** Duration over which the weight of a group that joins others rises. Default "30s". */
  readonly slowStart?: string;
  /** Percentage of the app's whole weight that has to live in the groups that carry everybody. Default 40. */
  readonly minCapacity?: number;
  /** Requests a second that one server is known to carry: no step leaves more to each that serves. Default: not asked. */
  readonly serverCapacity?: number;
  /** By what the new version is judged, and how surely. */
  readonly verdict?: VerdictDocument;
  /** Hook of halftone.yaml that updates a group. Default: a person does it. */
  readonly update?: string;
  /** Hook of halftone.yaml that brings the old version back to a group. Default: a person does it. */
  readonly restore?: string;
}

/** By what a release judges the version. What is left out has the defaults of `core/verdict/verdict-settings.ts`. */
export interface VerdictDocument {
  /** "errors", "latency", names of `signals` in halftone.yaml; empty: nothing is judged. Default ["errors", "latency"]. */
  readonly signals?: readonly string[];
  /** So many times as bad is still a trifle; 1 or more. Default 1.2 for errors, 1.1 for latency. */
  readonly worseThan?: number;
  /** So many times as bad has to be ruled out; more than `worseThan`. Default 2. */
  readonly notWorseThan?: number;
  /** Chance that a version like the old one is called worse, more than 0 to 0.5. Default 0.01. */
  readonly alpha?: number;
  /** Chance that a version is called not worse that is, more than 0 to 0.5. Default 0.05. */
  readonly beta?: number;
  /** Percentage of errors that is accepted whatever the others have. Default 0.1. */
  readonly acceptable?: number;
  /** Duration at the begin of each step that does not count, while caches warm up. Default "10s". */
  readonly warmUp?: string;
  /** Duration of a window. Default "10s". */
  readonly window?: string;
}

/** Written by releases. */
export interface TallyDocument {
  /** Duration of a window. */
  readonly window: string;
  /** Latencies in ms above which an answer is slow; absent until that is settled. */
  readonly slower?: readonly number[];
}

/** "wait" is for a person who says `continue`; everything else is a duration. */
export type StepDocument =
  | { readonly testers: string }
  | { readonly share: number; readonly for: string }
  | { readonly share: number; readonly until: "continue" }
  | { readonly share: number; readonly until: "verdict"; readonly atMost: string }
  | { readonly hold: string };

/**
 * Checks a document in any of its three forms: canonical, the original raw one (it has `image`) and the original
 * converted one (it has `group`, and no name). All problems are reported together.
 *
 * `options.name`: the name the URL or file gives; it fills in a missing one, and a different one is refused.
 * `options.allowServers`: the gateway's setting; without it nobody can say which addresses of servers are forbidden, and
 * none is refused here.
 */
export function parseAppDocument(
  input: unknown,
  options?: { readonly name?: string; readonly allowServers?: readonly string[] | undefined },
): Parsed<AppDocument> {
  const unfit: Finding[] = [];
  const copy = plainCopy(input, unfit);
  if (unfit.length > 0) return { ok: false, problems: problemsOf(unfit, input) };
  if (!isPlainObject(copy)) {
    return { ok: false, problems: problemsOf([{ path: [], expected: "an app document" }], input) };
  }
  const nameKey = "image" in copy ? "image" : "name";
  const written =
    nameKey in copy || options?.name === undefined ? copy : { [nameKey]: options.name, ...copy };
  const original = isOriginalForm(written) ? readOriginal(written) : undefined;
  const canonical = original?.canonical ?? written;
  const checked = appSchema.safeParse(canonical);
  const inconsistent = [
    ...inconsistenciesOf(canonical, original?.pathOf),
    ...(options?.allowServers === undefined ? [] : forbiddenServers(canonical, options.allowServers)),
    ...foreignName(canonical, options?.name),
  ];
  const invalid = checked.success ? [] : findingsOf(checked.error.issues);
  const findings = [...unlessAlsoIn(inconsistent, invalid), ...inconsistent].map(({ path, expected }) => ({
    path: original?.pathOf(path) ?? path,
    expected,
  }));
  findings.unshift(...(original?.findings ?? []));
  if (!checked.success || findings.length > 0) return { ok: false, problems: problemsOf(findings, written) };
  return { ok: true, value: checked.data };
}

function foreignName(document: PlainObject, name: string | undefined): Finding[] {
  if (name === undefined || document["name"] === name) return [];
  return [{ path: ["name"], expected: `${JSON.stringify(name)}, the name it is addressed by` }];
}

/** The findings on fields about which the others say nothing: what fields owe each other says more than the field alone. */
function unlessAlsoIn(others: readonly Finding[], findings: readonly Finding[]): Finding[] {
  const said = new Set(others.map(({ path }) => formatPath(path)));
  return findings.filter(({ path }) => !said.has(formatPath(path)));
}
