// @ts-check
// What a directory of many apps looks like: documents as people write them, and values as a gateway stores them.

const PAGE = 500;
const ORIGIN = { by: "admin", what: "put", gateway: "gateway-1" };
const AT = "2026-11-26T00:00:00.000Z";

/** @param {number} n */
export function appName(n) {
  return `service-${String(n).padStart(6, "0")}`;
}

/** @param {number} n */
export function appHost(n) {
  return `${appName(n)}.apps.example.com`;
}

/**
 * Two groups of four servers, two routes, testers of three kinds. The servers are addresses of loopback: who listens on
 * all of them at this port answers for every app.
 * @param {number} n
 * @param {number} port
 */
function appDocument(n, port) {
  /** @type {(group: number) => readonly string[]} */
  const servers = (group) =>
    Array.from({ length: 4 }, (_, index) => `127.${1 + group}.${(n >> 6) & 255}.${4 * (n & 63) + index}`);
  return {
    name: appName(n),
    routes: [
      { host: appHost(n), path: "/" },
      { host: `www.${appHost(n)}`, path: "/" },
    ],
    port,
    groups: { blue: { weight: 10, servers: servers(0) }, green: { weight: 10, servers: servers(1) } },
    testers: [
      "10.0.0.111",
      "10.9.0.0/16",
      { header: "x-tester", equals: "1" },
      { cookie: "beta", equals: "yes" },
    ],
    deploy: 0,
  };
}

/**
 * Puts so many apps at revision 1 into Redis, byte for byte as a gateway would: putting them one after another by the admin
 * API would take minutes.
 * @param {import("./redis.mjs").Client} client
 * @param {number} apps
 * @param {number} port
 */
export async function fillRedis(client, apps, port) {
  const { APPS, REVISIONS } = await built("directory/redis/redis-keys.js");
  for (let from = 0; from < apps; from += PAGE) {
    const numbers = Array.from({ length: Math.min(PAGE, apps - from) }, (_, index) => from + index);
    const values = await Promise.all(
      numbers.map(async (n) => [APPS + appName(n), await storedValue(n, port)]),
    );
    await client.sendCommand(["MSET", ...values.flat()]);
    await client.sendCommand(["HSET", REVISIONS, ...numbers.flatMap((n) => [appName(n), "1"])]);
  }
}

/**
 * @param {number} n
 * @param {number} port
 * @returns {Promise<string>}
 */
export async function storedValue(n, port) {
  /** @type {typeof import("../../src/directory/redis/stored-value.ts")} */
  const { writeValue } = await built("directory/redis/stored-value.js");
  /** @type {typeof import("../../src/config/app-document.ts")} */
  const { parseAppDocument } = await built("config/app-document.js");
  const parsed = parseAppDocument(appDocument(n, port));
  if (!parsed.ok)
    throw new Error(`the document of the benchmark is refused: ${JSON.stringify(parsed.problems)}`);
  return `{"revision":1,${writeValue(ORIGIN, AT, { document: parsed.value, releases: [] })}`;
}

/**
 * A module of the built program: what is measured is what it does, not a copy of it.
 * @param {string} path below dist
 */
export async function built(path) {
  return await import(new URL(`../../dist/${path}`, import.meta.url).href);
}
