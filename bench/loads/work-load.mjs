// @ts-check
// What a work load is: types only, and what stands for it in a table.

/**
 * @typedef {object} Variant the same proxy under another condition
 * @property {string} id
 * @property {string} title
 * @property {number} [apps] so many of Halftone's apps
 * @property {number} [servers] so many servers in the pool
 * @property {number} [workers] processes that carry traffic
 * @property {readonly number[]} [cores] of the proxy, on a machine with more than two
 * @property {string} [host] sent as Host
 * @property {"drawn" | "counted"} [release] clients are drawn as in a release; and their requests are counted for its verdict
 */
/**
 * @typedef {object} Column
 * @property {string} key of a round's `extra`
 * @property {string} title
 * @property {number} digits after the point
 */
/**
 * @typedef {object} WorkLoad
 * @property {string} id for --loads and in the JSON
 * @property {string} title
 * @property {boolean} [byDefault]
 * @property {string} path
 * @property {"GET" | "POST"} [method]
 * @property {Readonly<Record<string, string>>} [headers] of the request, besides Host
 * @property {number} [requestBytes] of its body
 * @property {number} [clients] told apart by the cookie uid, in random order
 * @property {number} connections
 * @property {number} length of the answer's body
 * @property {readonly string[]} [answerFields] that the answer must have: what is left out costs nothing
 * @property {boolean} [countBytes] requests are counted as bytes that came: few are answered whole in the time
 * @property {boolean} [tls]
 * @property {number} [standing] connections that are open besides, for the limits of proxy and servers
 * @property {boolean} [openLoop] does not try to use all of the core
 * @property {boolean} [atRate] its `measure` needs a rate, found with nginx
 * @property {boolean} [halftoneOnly]
 * @property {readonly Variant[]} [variants]
 * @property {readonly string[]} [proxies] ids, if not all can take part
 * @property {readonly Column[]} [columns] besides those of all tables
 * @property {(rounds: readonly import("../report.mjs").Round[]) => string[]} [reservations] against what was measured
 * @property {(arena: import("../arena.mjs").Arena) => Promise<import("../arena.mjs").Measured>} [measure] instead of wrk's closed loop
 */
/**
 * @typedef {object} Entrant a line of a work load's table
 * @property {string} id
 * @property {string} title
 * @property {string} baseline id of the entrant its ratio is formed to
 * @property {import("../proxies/proxy.mjs").Proxy} proxy
 * @property {Variant | undefined} variant
 */

/**
 * @param {WorkLoad} load
 * @param {readonly import("../proxies/proxy.mjs").Proxy[]} proxies
 * @returns {readonly Entrant[]}
 */
export function entrantsOf(load, proxies) {
  const able = proxies.filter(
    ({ id }) =>
      (load.halftoneOnly !== true || /^(?:halftone|other)-/.test(id)) && (load.proxies?.includes(id) ?? true),
  );
  return able.flatMap((proxy) => linesOf(load, proxy));
}

/**
 * @param {WorkLoad} load
 * @param {import("../proxies/proxy.mjs").Proxy} proxy
 * @returns {readonly Entrant[]}
 */
function linesOf(load, proxy) {
  if (load.variants === undefined) {
    return [{ id: proxy.id, title: proxy.title, baseline: "nginx", proxy, variant: undefined }];
  }
  const baseline = `${proxy.id}/${load.variants[0]?.id}`;
  return load.variants.map((variant) => ({
    id: `${proxy.id}/${variant.id}`,
    // The number of workers of a proxy that is given another one would mislead.
    title:
      variant.workers === undefined
        ? `${proxy.title}, ${variant.title}`
        : `${proxy.title.split(",")[0]}, ${variant.title}`,
    baseline,
    proxy,
    variant,
  }));
}
