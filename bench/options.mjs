// @ts-check
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { commandLine, UsageError } from "./command-line.mjs";
import { LOADS } from "./loads/catalogue.mjs";
import { PROXIES } from "./proxies/catalogue.mjs";
import { MAIN, otherVersion } from "./proxies/halftone.mjs";

export const USAGE = `npm run bench -- [options]
  --rounds N        rounds of every work load and proxy, in turn (5)
  --seconds N       measured time of a round (5)
  --warm-up N       seconds of load before it, not measured (2)
  --loads IDS       work loads, or all: ${LOADS.map(({ id }) => id).join(",")}
                    (${LOADS.filter(({ byDefault }) => byDefault === true)
                      .map(({ id }) => id)
                      .join(",")})
  --only IDS        proxies: ${PROXIES.map(({ id }) => id).join(",")}
  --all             those of npm too
  --beside FOLDER   another version too: its checkout, built; called other-0 and other-1
  --connections N   of the load, instead of the work load's own number
  --rate N          requests a second of the work load latency, instead of 60 % of nginx's most
  --json FILE       writes every round and the summaries there
  --svg FILE        draws CPU time per request there
`;

/** @typedef {ReturnType<typeof readOptions>} Options */

export function readOptions() {
  const { help, text, whole, flag } = commandLine(
    ["rounds", "seconds", "warm-up", "connections", "rate", "loads", "only", "beside", "json", "svg"],
    ["all"],
  );
  const beside = text("beside");
  if (beside !== undefined && !existsSync(resolve(beside, MAIN))) {
    throw new UsageError(`--beside: no ${MAIN} in "${beside}"; expected a checkout that is built`);
  }
  const known = [...PROXIES, ...(beside === undefined ? [] : otherVersion(resolve(beside)))];
  const optional = (/** @type {string} */ name) => (text(name) === undefined ? undefined : whole(name, 0, 1));
  return {
    rounds: whole("rounds", 5, 1),
    seconds: whole("seconds", 5, 1),
    warmUp: whole("warm-up", 2, 0),
    connections: optional("connections"),
    rate: optional("rate"),
    loads: chosen(LOADS, "loads", text("loads"), "work load", ({ byDefault }) => byDefault === true),
    proxies: chosen(known, "only", text("only"), "proxy", ({ set }) => set === "default" || flag("all")),
    json: text("json"),
    svg: text("svg"),
    help,
  };
}

/**
 * In the order of the catalogue.
 * @template {{ id: string }} T
 * @param {readonly T[]} known
 * @param {string} option
 * @param {string | undefined} list ids, or all
 * @param {string} kind
 * @param {(one: T) => boolean} otherwise
 */
function chosen(known, option, list, kind, otherwise) {
  if (list === undefined) return known.filter(otherwise);
  if (list === "all") return known;
  const ids = list.split(",");
  for (const id of ids) {
    if (!known.some((one) => one.id === id))
      throw new UsageError(`--${option}: no ${kind} is called "${id}"`);
  }
  return known.filter(({ id }) => ids.includes(id));
}
