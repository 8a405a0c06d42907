import { APP_KEYS } from "./app-schema.ts";
import type { Finding, Path } from "./finding.ts";
import { isPlainObject, type PlainObject } from "./plain-data.ts";
import { numberOfText } from "./schema-fields.ts";
import { unknownKey } from "./schema-findings.ts";

/** A document of the original in canonical form, still unchecked. */
export interface OriginalReading {
  readonly canonical: PlainObject;
  /** What is wrong in ways the canonical form does not know. */
  readonly findings: readonly Finding[];
  /** Where a field of the canonical form stands in the original one, so that problems name what was written. */
  readonly pathOf: (canonicalPath: Path) => Path;
}

const GROUP_KEY = /^group([1-9]\d{0,2})?$/;

/** Keys of the canonical form that have another place in the original ones. */
const REPLACED = new Set(["name", "groups", "testers"]);

const ORIGINAL_KEYS: readonly string[] = [
  "image",
  "group1",
  "group2",
  "weight",
  "testiplist",
  ...APP_KEYS.filter((key) => !REPLACED.has(key)),
];

/** Is this one of the original's two forms? The canonical one has `groups`, which neither of them knows. */
export function isOriginalForm(document: PlainObject): boolean {
  if ("groups" in document) return false;
  return Object.keys(document).some(
    (key) => key === "image" || key === "testiplist" || key === "weight" || GROUP_KEY.test(key),
  );
}

/**
 * Reads both forms of the original as one: the raw one (`image`, `group1: ["10.0.4.175"]`) and the converted one (no
 * name, `group: [{ip, weight, current_weight}]`). `group` is the first group in either and is named `group1`, so that
 * a document is the same whichever form it came in. `current_weight` is where the original's round robin stood when
 * the value was written; here every gateway keeps its own, so it is checked and dropped.
 */
export function readOriginal(document: PlainObject): OriginalReading {
  const findings: Finding[] = [];
  const keys = groupKeys(document, findings);
  const weights = groupWeights(document["weight"], keys, findings);
  const groups: PlainObject = {};
  for (const [name, key] of keys) {
    const weight = weights.get(name);
    const servers = readServers(document[key], weight === undefined ? 1 : weight.value, key, findings);
    groups[name] = { ...(weight && { weight: weight.value }), servers };
  }
  const canonical: PlainObject = { groups };
  for (const [key, value] of Object.entries(document)) {
    if (key === "weight" || GROUP_KEY.test(key)) continue;
    if (key === "image") canonical["name"] = value;
    else if (key === "testiplist") canonical["testers"] = isEmptyTable(value) ? [] : value;
    else if (key === "name" && "image" in document) {
      findings.push({ path: ["name"], expected: "no name beside image, as they are the same" });
    } else if (key === "testers" && "testiplist" in document) {
      findings.push({ path: ["testers"], expected: "no testers beside testiplist, as they are the same" });
    } else if (APP_KEYS.includes(key)) canonical[key] = value;
    else findings.push(unknownKey([key], key, ORIGINAL_KEYS));
  }
  return { canonical, findings, pathOf };

  function pathOf(path: Path): Path {
    const [field, name, part, ...rest] = path;
    if (field === "name" && "image" in document) return ["image"];
    if (field === "testers" && "testiplist" in document) return ["testiplist", ...path.slice(1)];
    if (field !== "groups") return path;
    if (name === undefined) return ["group1"];
    const key = keys.get(String(name)) ?? String(name);
    if (part === "weight") return ["weight", weights.get(String(name))?.key ?? key];
    const isAddress = rest.length === 1 ? hasIp(document[key], rest[0]!) : rest[1] === "address";
    return isAddress ? [key, rest[0]!, "ip"] : [key, ...rest];
  }
}

/** The keys of the groups by their canonical names, in the order of their numbers. */
function groupKeys(document: PlainObject, findings: Finding[]): Map<string, string> {
  const byNumber = new Map<number, string>();
  for (const key of Object.keys(document)) {
    const number = groupNumber(key);
    if (number === undefined) continue;
    const other = byNumber.get(number);
    if (other === undefined) byNumber.set(number, key);
    else findings.push({ path: [key], expected: `no ${key} beside ${other}, as both are the first group` });
  }
  const numbers = [...byNumber.keys()].sort((a, b) => a - b);
  for (const [index, number] of numbers.entries()) {
    const before = index === 0 ? 0 : numbers[index - 1]!;
    if (number === before + 1) continue;
    // `deploy` counts groups: with a gap its k would not be the number in the group's name.
    findings.push({ path: [byNumber.get(number)!], expected: `a group${before + 1} before it` });
  }
  return new Map(numbers.map((number) => [`group${number}`, byNumber.get(number)!]));
}

/** The entries of `weight` by the canonical names of their groups, with the keys they were written under. */
function groupWeights(
  written: unknown,
  keys: ReadonlyMap<string, string>,
  findings: Finding[],
): Map<string, { readonly key: string; readonly value: unknown }> {
  const weights = new Map<string, { readonly key: string; readonly value: unknown }>();
  if (written === undefined) return weights;
  if (!isPlainObject(written)) {
    findings.push({ path: ["weight"], expected: 'the weights by group, {group1: "10", …}' });
    return weights;
  }
  for (const [key, value] of Object.entries(written)) {
    const name = `group${groupNumber(key)}`;
    const expected = `one of the groups of the document, ${[...keys.values()].join(", ")}`;
    if (!keys.has(name)) findings.push({ path: ["weight", key], expected });
    else if (weights.has(name)) findings.push({ path: ["weight", key], expected: `one weight for ${name}` });
    else weights.set(name, { key, value });
  }
  return weights;
}

function readServers(servers: unknown, groupWeight: unknown, key: string, findings: Finding[]): unknown {
  if (!Array.isArray(servers)) return servers;
  return servers.map((server: unknown, index) => {
    if (!isPlainObject(server) || !("ip" in server)) return server;
    const { ip, current_weight: current = 0, weight, ...more } = server;
    if (!Number.isSafeInteger(numberOfText(current))) {
      findings.push({ path: [key, index, "current_weight"], expected: "a whole number" });
    }
    const hasOwnWeight = weight !== undefined && numberOfText(weight) !== numberOfText(groupWeight);
    if (!hasOwnWeight && Object.keys(more).length === 0) return ip;
    return { address: ip, ...(hasOwnWeight && { weight }), ...more };
  });
}

/** Lua knows no difference between an empty list and an empty map: its cjson writes both as {}. */
function isEmptyTable(value: unknown): boolean {
  return isPlainObject(value) && Object.keys(value).length === 0;
}

/** 1 for "group" and "group1", 2 for "group2"; undefined for what is no group's key. */
function groupNumber(key: string): number | undefined {
  const parts = GROUP_KEY.exec(key);
  return parts === null ? undefined : Number(parts[1] ?? 1);
}

/** An entry of which nothing but its address is kept: what is said of the entry is said of that. */
function hasIp(servers: unknown, index: PropertyKey): boolean {
  const server: unknown = Array.isArray(servers) ? servers[Number(index)] : undefined;
  return isPlainObject(server) && "ip" in server;
}
