import { routeKey } from "../core/route-table.ts";
import { routeSchema, serverSchema } from "./app-schema.ts";
import { addressSet } from "./address-set.ts";
import { parseDuration } from "./duration.ts";
import { forbiddenAddress } from "./forbidden-address.ts";
import { type Finding, formatPath, type Path } from "./finding.ts";
import { isPlainObject, type PlainObject } from "./plain-data.ts";
import { planFindings } from "./release-schema.ts";
import { numberOfText } from "./schema-fields.ts";
import { DEFAULT_PORT, parseServerAddress, serverOf } from "./server-address.ts";

/**
 * What the fields of a canonical document owe each other. It looks at the unchecked input and passes over every field
 * that is wrong by itself, so that both kinds of problems are reported together.
 *
 * `writtenPath`: where a field stands in what was written, for the text of a finding that names another field.
 */
export function inconsistenciesOf(
  input: PlainObject,
  writtenPath: (path: Path) => Path = (path) => path,
): Finding[] {
  const groups = isPlainObject(input["groups"]) ? input["groups"] : {};
  return [
    ...equalRoutes(input["routes"], writtenPath),
    ...equalServers(groups, numberOr(input["port"], DEFAULT_PORT), writtenPath),
    ...weightlessGroups(groups),
    ...namelessTlsServers(input["tls"], groups),
    ...proxyHeaderBesideTls(input),
    ...deployBeyondGroups(input["deploy"], Object.keys(groups).length),
    ...groupsOutOfService(input, Object.keys(groups)),
    ...quarantinedGroups(input, groups),
    ...dieTimeAboveBound(input["health"]),
    ...planOutOfOrder(input["release"]),
  ];
}

/** The header would have to go before the handshake, on a connection that TLS cannot be given afterwards. */
function proxyHeaderBesideTls(input: PlainObject): Finding[] {
  const both = input["proxyProtocol"] !== undefined && input["tls"] !== undefined && input["tls"] !== false;
  return both
    ? [{ path: ["proxyProtocol"], expected: "no proxyProtocol beside tls, as in this version" }]
    : [];
}

/** Servers whose address, as it stands there, is one that nobody connects to; a name's is known later. */
export function forbiddenServers(input: PlainObject, allowServers: readonly string[]): Finding[] {
  const allowed = addressSet(allowServers);
  const groups = isPlainObject(input["groups"]) ? input["groups"] : {};
  return Object.entries(groups).flatMap(([name, group]) =>
    serversOf(group).flatMap((server, index): Finding[] => {
      const written = isPlainObject(server) ? server["address"] : server;
      const address = typeof written === "string" ? parseServerAddress(written) : undefined;
      const forbidden = address?.kind === "ip" ? forbiddenAddress(address.host, allowed) : undefined;
      const path = ["groups", name, "servers", index, ...(isPlainObject(server) ? ["address"] : [])];
      return forbidden === undefined
        ? []
        : [{ path, expected: `the address of a server, not ${forbidden} (see gateway.allowServers)` }];
    }),
  );
}

function equalRoutes(routes: unknown, writtenPath: (path: Path) => Path): Finding[] {
  const expected = (path: Path): string => `a route that does not repeat ${formatPath(writtenPath(path))}`;
  return repetitions(listOrEmpty(routes), expected, (route, index) => {
    const parsed = routeSchema.safeParse(route);
    if (!parsed.success) return undefined;
    const { host = "*", path = "/" } = parsed.data;
    return { key: routeKey({ host, path }), path: ["routes", index] };
  });
}

function equalServers(groups: PlainObject, port: number, writtenPath: (path: Path) => Path): Finding[] {
  const expected = (path: Path): string => `a server that does not repeat ${formatPath(writtenPath(path))}`;
  const entries = Object.entries(groups).flatMap(([name, group]) =>
    serversOf(group).map((server, index) => ({ server, path: ["groups", name, "servers", index] })),
  );
  return repetitions(entries, expected, ({ server, path }) => {
    const parsed = serverSchema.safeParse(server);
    const known = parsed.success ? serverOf(parsed.data, { port, weight: 1 }) : undefined;
    return known && { key: known.id, path };
  });
}

/** Their certificates could be verified by no name; a name of `serverTls` may bring one. */
function namelessTlsServers(tls: unknown, groups: PlainObject): Finding[] {
  if (tls !== true) return [];
  const expected = "a server with a host name or address, as `tls: true` verifies its certificate's name";
  return Object.entries(groups).flatMap(([name, group]) =>
    serversOf(group).flatMap((server, index) => {
      const address = isPlainObject(server) ? server["address"] : server;
      const isUnix = typeof address === "string" && address.startsWith("unix:");
      return isUnix ? [{ path: ["groups", name, "servers", index], expected }] : [];
    }),
  );
}

function weightlessGroups(groups: PlainObject): Finding[] {
  return Object.entries(groups).flatMap(([name, group]) => {
    const servers = serversOf(group);
    const weight = isPlainObject(group) ? group["weight"] : undefined;
    const weights = servers.map((server) => (isPlainObject(server) ? (server["weight"] ?? weight) : weight));
    const isWeightless = servers.length > 0 && weights.every((each) => numberOfText(each) === 0);
    return isWeightless ? [{ path: ["groups", name], expected: "a server with a weight above 0" }] : [];
  });
}

function deployBeyondGroups(written: unknown, count: number): Finding[] {
  const deploy = numberOfText(written);
  if (written === undefined || count === 0) return [];
  const most = count === 1 ? 0 : count;
  if (typeof deploy === "number" && Number.isInteger(deploy) && deploy >= 0 && deploy <= most) return [];
  const expected =
    count === 1
      ? "0, as an update needs a second group"
      : `a whole number from 0 to ${count}, the number of groups`;
  return [{ path: ["deploy"], expected }];
}

/** `standby` and `ramp` name groups; somebody has to be left for the public. */
function groupsOutOfService({ standby, ramp, deploy }: PlainObject, names: readonly string[]): Finding[] {
  const known = new Set(names);
  const expected = `one of the groups, ${names.join(", ")}`;
  const waiting = listOrEmpty(standby);
  const findings: Finding[] = [];
  for (const [index, name] of waiting.entries()) {
    if (typeof name === "string" && !known.has(name)) findings.push({ path: ["standby", index], expected });
  }
  for (const name of isPlainObject(ramp) ? Object.keys(ramp) : []) {
    if (!known.has(name)) findings.push({ path: ["ramp", name], expected });
  }
  const tested = names[Number(numberOfText(deploy ?? 0)) - 1];
  if (tested !== undefined && waiting.includes(tested)) {
    findings.push({ path: ["standby"], expected: `groups other than ${tested}, which is under test` });
  }
  const serving = names.filter((name) => name !== tested && !waiting.includes(name));
  if (names.length > 0 && waiting.length > 0 && serving.length === 0) {
    findings.push({ path: ["standby"], expected: "fewer groups: somebody has to serve the public" });
  }
  return findings;
}

/** A group whose servers are all in quarantine could serve nobody, and a name that no server has would be overlooked. */
function quarantinedGroups(input: PlainObject, groups: PlainObject): Finding[] {
  const quarantine = listOrEmpty(input["quarantine"]);
  if (quarantine.length === 0) return [];
  const port = numberOr(input["port"], DEFAULT_PORT);
  const known = new Set<string>();
  const findings: Finding[] = [];
  for (const [name, group] of Object.entries(groups)) {
    const weight = isPlainObject(group) ? numberOr(group["weight"], 1) : 1;
    const servers = serversOf(group).flatMap((server) => {
      const parsed = serverSchema.safeParse(server);
      return parsed.success ? (serverOf(parsed.data, { port, weight }) ?? []) : [];
    });
    for (const { id } of servers) known.add(id);
    const serves = servers.some((server) => server.weight > 0 && !quarantine.includes(server.id));
    if (servers.length > 0 && !serves) {
      const expected = `fewer servers: one of ${name} with a weight above 0 has to be left`;
      findings.push({ path: ["quarantine"], expected });
    }
  }
  for (const [index, id] of quarantine.entries()) {
    if (typeof id !== "string" || known.has(id)) continue;
    findings.push({
      path: ["quarantine", index],
      expected: `a server of the groups, ${[...known].join(", ")}`,
    });
  }
  return findings;
}

function dieTimeAboveBound(health: unknown): Finding[] {
  if (!isPlainObject(health)) return [];
  const { dieTime = "10s", maxDieTime = "300s" } = health;
  if (typeof dieTime !== "string" || typeof maxDieTime !== "string") return [];
  const [first, most] = [parseDuration(dieTime), parseDuration(maxDieTime)];
  if (first === undefined || most === undefined || first <= most) return [];
  return [{ path: ["health", "maxDieTime"], expected: `a duration of at least the die time, ${dieTime}` }];
}

function planOutOfOrder(release: unknown): readonly Finding[] {
  if (!isPlainObject(release)) return [];
  return planFindings(release["steps"], ["release", "steps"], release["verdict"]);
}

/** Entries with the key of an earlier one; those without a key are passed over. */
function repetitions<Entry>(
  entries: readonly Entry[],
  expected: (earlier: Path) => string,
  keyOf: (entry: Entry, index: number) => { readonly key: string; readonly path: Path } | undefined,
): Finding[] {
  const first = new Map<string, Path>();
  const findings: Finding[] = [];
  for (const [index, entry] of entries.entries()) {
    const keyed = keyOf(entry, index);
    if (keyed === undefined) continue;
    const earlier = first.get(keyed.key);
    if (earlier === undefined) first.set(keyed.key, keyed.path);
    else findings.push({ path: keyed.path, expected: `${expected(earlier)} (${keyed.key})` });
  }
  return findings;
}

function serversOf(group: unknown): readonly unknown[] {
  return isPlainObject(group) ? listOrEmpty(group["servers"]) : [];
}

function listOrEmpty(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function numberOr(value: unknown, fallback: number): number {
  const number = numberOfText(value);
  return typeof number === "number" ? number : fallback;
}
