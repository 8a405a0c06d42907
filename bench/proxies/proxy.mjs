// @ts-check
// What a proxy under measurement is: types, and what all recipes share.
export const HOST = "127.0.0.1";

/**
 * @typedef {object} ProxyContext
 * @property {string} folder empty, for the proxy's files
 * @property {readonly string[]} servers of the upstream, address and port
 * @property {number} connections of the load
 * @property {{ cert: string, key: string } | undefined} tls files; undefined: plain HTTP to clients
 * @property {number} [apps] Halftone only: so many apps, told apart by Host
 * @property {number} [workers] Halftone only: another number of workers
 * @property {"drawn" | "counted"} [release] Halftone only: as in a `Variant`
 */
/**
 * @typedef {object} Command
 * @property {string} command
 * @property {readonly string[]} args
 * @property {number} port where the proxy will listen
 */
/**
 * @typedef {object} Need something that has to be installed
 * @property {string} path that is there if it is; without a slash: a command
 * @property {string} debian the package; "npm": those of bench/peers
 */
/**
 * @typedef {object} Proxy
 * @property {string} id for --only and in the JSON
 * @property {string} title in the table
 * @property {"default" | "npm"} set npm: only with --all or by name
 * @property {readonly Need[]} needs
 * @property {() => string} [version]
 * @property {(context: ProxyContext) => Promise<Command>} prepare writes its configuration
 */

/**
 * The first version number in a text.
 * @param {string} text
 */
export function versionIn(text) {
  return /\d+\.\d+\S*/.exec(text)?.[0] ?? "unknown";
}
