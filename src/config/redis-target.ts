/** How a Redis is reached: one server, the primary that sentinels name, or a cluster. */
export interface RedisTarget {
  readonly kind: "server" | "sentinel" | "cluster";
  /** Of the server, the sentinels, or some nodes of the cluster. */
  readonly nodes: readonly RedisNode[];
  /** What the sentinels call the primary. Only for "sentinel". */
  readonly primary?: string;
  readonly database: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly layout: "default" | "original";
}

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

export const REDIS_EXPECTED: string =
  '"redis://[USER:PASSWORD@]HOST[:PORT][/DB][?layout=original]", "redis+sentinel://HOST[:PORT],…/PRIMARY[/DB]" or ' +
  '"redis+cluster://HOST[:PORT],…"; "rediss…" for TLS';

const URL_PARTS =
  /^(redis|rediss)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#]*)@)?([^@/?#]+)((?:\/[^/?#]+){0,2})\/?(?:\?([^#]*))?$/;
const NODE = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/;
const DEFAULT_PORTS = { server: 6379, cluster: 6379, sentinel: 26_379 } as const;

/**
 * A URL as the IANA registrations of `redis` and `rediss` have it, with the scheme extended for sentinels and clusters;
 * undefined for anything else. User and password are percent-decoded.
 */
export function parseRedisUrl(text: string): RedisTarget | undefined {
  const parts = URL_PARTS.exec(text);
  if (parts === null) return undefined;
  const [, scheme, how, credentials, hosts = "", path = "", query] = parts;
  const kind = how === "sentinel" || how === "cluster" ? how : "server";
  const nodes = hosts.split(",").map((node) => parseNode(node, DEFAULT_PORTS[kind]));
  if (nodes.includes(undefined) || (kind === "server" && nodes.length !== 1)) return undefined;
  const segments = path.split("/").slice(1);
  const primary = kind === "sentinel" ? segments.shift() : undefined;
  if (kind === "sentinel" && primary === undefined) return undefined;
  const [database = "0", surplus] = segments;
  if (surplus !== undefined || !/^\d{1,5}$/.test(database)) return undefined;
  if (kind === "cluster" && database !== "0") return undefined;
  const layout = parseLayout(query);
  const login = parseCredentials(credentials);
  const primaryName = primary === undefined ? undefined : decoded(primary);
  if (layout === undefined || login === undefined || (primary !== undefined && primaryName === undefined)) {
    return undefined;
  }
  // The original's gateways know no cluster.
  if (kind === "cluster" && layout === "original") return undefined;
  return {
    kind,
    nodes: nodes as RedisNode[],
    ...(primaryName !== undefined && { primary: primaryName }),
    database: Number(database),
    tls: scheme === "rediss",
    ...login,
    layout,
  };
}

/** For people and logs: without user and password. */
export function redisText({ kind, nodes, primary, database, layout }: RedisTarget): string {
  const hosts = nodes.map(nodeText).join(",");
  const how = kind === "server" ? "" : `${kind} `;
  const rest = kind === "cluster" ? "" : `${primary === undefined ? "" : `/${primary}`}/${database}`;
  return `redis ${how}${hosts}${rest}${layout === "original" ? ", original layout" : ""}`;
}

export function nodeText({ host, port }: RedisNode): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseNode(text: string, defaultPort: number): RedisNode | undefined {
  const parts = NODE.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3] ?? defaultPort);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

function parseLayout(query: string | undefined): RedisTarget["layout"] | undefined {
  if (query === undefined || query === "") return "default";
  const pairs = [...new URLSearchParams(query)];
  const [name, value] = pairs[0] ?? [];
  if (pairs.length !== 1 || name !== "layout") return undefined;
  return value === "original" || value === "default" ? value : undefined;
}

function parseCredentials(text: string | undefined): Pick<RedisTarget, "username" | "password"> | undefined {
  if (text === undefined || text === "") return {};
  const colon = text.indexOf(":");
  const username = decoded(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? undefined : decoded(text.slice(colon + 1));
  if (username === undefined || (colon >= 0 && password === undefined)) return undefined;
  return { ...(username !== "" && { username }), ...(password !== undefined && { password }) };
}

/** Undefined: it is wrongly percent-encoded. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
