import type { App, Group } from "../core/app.ts";
import type { CertificateAttribute } from "../core/client.ts";
import { select, type Client, type PoolName, type Rule } from "../core/select.ts";

/** A request somebody asks about. */
export interface ExplainedClient {
  /** Canonical address. */
  readonly ip: string;
  /** Of fields of the same name (case does not matter) the first counts, as on the request path. */
  readonly headers: Readonly<Record<string, string>>;
  /** Values of the attributes of its verified certificate, as testers' rules name them. */
  readonly certificate?: ClientCertificateFacts;
}

export type ClientCertificateFacts = Readonly<Partial<Record<CertificateAttribute, readonly string[]>>>;

/** Where a request would go by the document in force, and the rule that decided. */
export interface Explanation {
  readonly app: string;
  readonly revision: number;
  readonly ip: string;
  /** 0: nothing is being updated; k: the k-th group is under test. */
  readonly deploy: number;
  readonly share: number;
  /** The groups whose servers make up the pool. */
  readonly groups: readonly string[];
  readonly pool: readonly PoolServer[];
  readonly rule: Rule;
  /** The same in plain words. */
  readonly sentence: string;
}

export interface PoolServer {
  readonly server: string;
  readonly group: string;
  readonly weight: number;
}

/**
 * Asks the very function the request path asks. It knows nothing of dead servers: what is said is whose turn it is,
 * not who happens to be alive.
 */
export function explain(app: App, client: ExplainedClient): Explanation {
  const { pool, rule } = select(app, asClient(client));
  const groups = groupsOf(app, pool);
  return {
    app: app.name,
    revision: app.revision,
    ip: client.ip,
    deploy: app.deploy,
    share: app.share,
    groups: groups.map(({ name }) => name),
    pool: groups.flatMap((group) =>
      group.servers.map(({ id, weight }) => ({ server: id, group: group.name, weight })),
    ),
    rule,
    sentence: sentence(app, client.ip, rule, groups),
  };
}

function groupsOf(app: App, pool: PoolName): readonly Group[] {
  return app.groups.filter(({ standby }, index) => {
    const tested = index + 1 === app.deploy;
    return pool === "test" ? tested : !standby && !tested;
  });
}

function sentence(app: App, ip: string, rule: Rule, groups: readonly Group[]): string {
  const names = listed(groups.map(({ name }) => name));
  const [serves, those] = groups.length === 1 ? ["serves", "the group"] : ["serve", "the groups"];
  if (rule.kind === "everybody") {
    return `nothing is being updated (deploy is 0); so ${names} ${serves} it, like everybody`;
  }
  const isTest = rule.kind !== "public";
  return `${reason(app, ip, rule)}; so ${names} (${those} ${isTest ? "" : "not "}under test) ${serves} it`;
}

function reason(app: App, ip: string, rule: Exclude<Rule, { kind: "everybody" }>): string {
  if (rule.kind === "tester") {
    const by =
      rule.by === "address"
        ? `the entry ${rule.entry}`
        : rule.by === "certificate"
          ? `the ${rule.name} of its certificate`
          : `its ${rule.by} ${rule.name}`;
    return `${ip} is a tester by ${by}`;
  }
  if (rule.kind === "public" && rule.closed) {
    const closed = app.groups[app.deploy - 1]?.name ?? "";
    return `${closed} takes nobody now, testers neither (testing is false)`;
  }
  // Nothing is drawn at 0 and at 100 %.
  if (rule.bucket === undefined) return `${ip} is no tester; share is ${rule.share} %`;
  const below = rule.kind === "share" ? "below" : "not below";
  const place = `its place by ${rule.key} is ${rule.bucket.toFixed(2)}`;
  return `${ip} is no tester; ${place}, ${below} the share of ${rule.share} %`;
}

function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function asClient({ ip, headers, certificate = {} }: ExplainedClient): Client {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (!fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value);
  }
  return {
    address: ip,
    header: (name) => fields.get(name),
    cookie: (name) => cookieIn(fields.get("cookie") ?? "", name),
    certificate: (attribute) => certificate[attribute] ?? [],
  };
}

/** As the request path reads cookies: the first pair of that exact name, quotes and all. */
function cookieIn(field: string, name: string): string | undefined {
  for (const pair of field.split(";")) {
    const equals = pair.indexOf("=");
    if (equals !== -1 && pair.slice(0, equals).replace(/^[ \t]+/, "") === name) {
      return pair.slice(equals + 1).replace(/[ \t]+$/, "");
    }
  }
  return undefined;
}
