// @ts-check
import { parseArgs } from "node:util";

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
