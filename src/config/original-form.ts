import type { AppDocument, GroupDocument } from "./app-document.ts";
import { type Finding, problemsOf } from "./finding.ts";
import type { Parsed } from "./problem.ts";
import { DEFAULT_PORT, serverOf } from "./server-address.ts";

/**
 * The original's converted form, the value of its Redis key: numbers are text or not exactly where its writer put
 * them. `group` is the first group, `group2` the second, and so on.
 */
export interface OriginalValue {
  readonly group: readonly OriginalServer[];
  readonly [laterGroup: `group${number}`]: readonly OriginalServer[];
  /** By the keys of the groups. */
  readonly weight: Readonly<Record<string, string>>;
  readonly deploy: number;
  readonly testiplist: readonly string[];
}

export interface OriginalServer {
  readonly ip: string;
  /** Text in the first group, a number in the others; so is `current_weight`. */
  readonly weight: string | number;
  readonly current_weight: string | number;
  /** Only where it is not the app's. The original does not know it and would use the app's. */
  readonly port?: number;
}

/**
 * Writes groups, weights, testers and `deploy`; everything else of a document has no place in this form and stays with
 * whoever asks. Refused is what would have to be written differently from what it means: groups not named group1,
 * group2, … in this order, unix sockets, testers by header or cookie. CIDR ranges are carried; the original's gateways
 * take no client for them, which leaves those testers on the stable groups.
 */
export function toOriginal(document: AppDocument): Parsed<OriginalValue> {
  const findings: Finding[] = [];
  const groups: { group: readonly OriginalServer[] } & Record<`group${number}`, readonly OriginalServer[]> = {
    group: [],
  };
  const weight: Record<string, string> = {};
  for (const [index, [name, group]] of Object.entries(document.groups).entries()) {
    const key = index === 0 ? "group" : (`group${index + 1}` as const);
    if (name !== `group${index + 1}`) {
      findings.push({
        path: ["groups", name],
        expected: `the name group${index + 1}, as the original form numbers its groups`,
      });
    }
    const port = document.port ?? DEFAULT_PORT;
    groups[key] = writeServers(
      group,
      { port, textual: index === 0, path: ["groups", name, "servers"] },
      findings,
    );
    weight[key] = String(group.weight ?? 1);
  }
  const testiplist: string[] = [];
  for (const [index, tester] of (document.testers ?? []).entries()) {
    if (typeof tester === "string") {
      testiplist.push(tester);
    } else {
      findings.push({
        path: ["testers", index],
        expected: "an address, as the original form knows no other testers",
      });
    }
  }
  if (findings.length > 0) return { ok: false, problems: problemsOf(findings, document) };
  return { ok: true, value: { ...groups, weight, deploy: document.deploy ?? 0, testiplist } };
}

function writeServers(
  group: GroupDocument,
  how: { readonly port: number; readonly textual: boolean; readonly path: readonly PropertyKey[] },
  findings: Finding[],
): OriginalServer[] {
  return group.servers.flatMap((written, index) => {
    const server = serverOf(written, { port: how.port, weight: group.weight ?? 1 });
    if (server === undefined || server.target.kind === "unix") {
      findings.push({
        path: [...how.path, index],
        expected: "an address or host name, as the original form knows no other servers",
      });
      return [];
    }
    const weight = how.textual ? String(server.weight) : server.weight;
    const { host, port } = server.target;
    return [{ ip: host, weight, current_weight: weight, ...(port !== how.port && { port }) }];
  });
}
