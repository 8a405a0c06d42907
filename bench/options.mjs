// @ts-check
import { parseArgs } from "node:util";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { PROXIES, otherVersion } from "./proxies.mjs";

export const USAGE = `npm run bench -- [options]
  --rounds N        rounds of every proxy, in turn (5)
  --seconds N       measured time of a round (5)
  --warm-up N       seconds of load before it, not measured (2)
  --connections N   keep-alive connections of the load (64)
  --only IDS        of ${PROXIES.map((proxy) => proxy.id).join(",")}
  --beside FOLDER   another version too: its checkout, built; called other-0 and other-1
  --json FILE       writes every round and the summary there
`;

export class UsageError extends Error {}

/**
 * Reads the command line; throws a UsageError that names what was found and expected.
 * @param {readonly string[]} names of options that take a value
 * @param {readonly string[]} flags that take none
 */
export function commandLine(names, flags = []) {
  /** @type {{ values: Record<string, string | boolean | undefined> }} */
  let parsed;
  try {
    parsed = parseArgs({
      options: {
        ...Object.fromEntries(names.map((name) => [name, /** @type {const} */ ({ type: "string" })])),
        ...Object.fromEntries(
          [...flags, "help"].map((name) => [name, /** @type {const} */ ({ type: "boolean" })]),
        ),
      },
    });
  } catch (error) {
    throw new UsageError(/** @type {Error} */ (error).message);
  }
  const { values } = parsed;
  return {
    help: values["help"] === true,
    /** @param {string} name */
    flag: (name) => values[name] === true,
    /** @param {string} name */
    text: (name) => (values[name] === undefined ? undefined : String(values[name])),
    /** @type {(name: string, absent: number, least: number) => number} */
    whole: (name, absent, least) => {
      const text = values[name] ?? String(absent);
      const value = Number(text);
      if (!Number.isInteger(value) || value < least) {
        throw new UsageError(`--${name}: found "${text}", expected a whole number of at least ${least}`);
      }
      return value;
    },
  };
}

/** @typedef {ReturnType<typeof readOptions>} Options */

export function readOptions() {
  const { help, text, whole } = commandLine([
    "rounds",
    "seconds",
    "warm-up",
    "connections",
    "only",
    "beside",
    "json",
  ]);
  const beside = text("beside");
  if (beside !== undefined && !existsSync(resolve(beside, "dist/cli/main.js"))) {
    throw new UsageError(`--beside: no dist/cli/main.js in "${beside}"; expected a checkout that is built`);
  }
  const known = [...PROXIES, ...(beside === undefined ? [] : otherVersion(resolve(beside)))];
  const wanted = text("only")?.split(",");
  for (const id of wanted ?? []) {
    if (!known.some((proxy) => proxy.id === id)) throw new UsageError(`--only: no proxy is called "${id}"`);
  }
  return {
    rounds: whole("rounds", 5, 1),
    seconds: whole("seconds", 5, 1),
    warmUp: whole("warm-up", 2, 0),
    connections: whole("connections", 64, 1),
    proxies: known.filter((proxy) => wanted === undefined || wanted.includes(proxy.id)),
    json: text("json"),
    help,
  };
}
