// @ts-check
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../free-port.mjs";
import { HOST } from "./proxy.mjs";

const HALFTONE_FOLDER = fileURLToPath(new URL("../../", import.meta.url));
/** What is started, in a checkout that is built. */
export const MAIN = "dist/cli/main.js";
export const HALFTONE = join(HALFTONE_FOLDER, MAIN);

/** This version. @type {readonly import("./proxy.mjs").Proxy[]} */
export const HALFTONE_PROXIES = variants("halftone", "Halftone", HALFTONE);

/**
 * Another version beside this one, in the same rounds.
 * @param {string} checkout its folder, built
 */
export function otherVersion(checkout) {
  return variants("other", "other version", join(checkout, MAIN));
}

/**
 * @param {string} id
 * @param {string} title
 * @param {string} main
 * @returns {readonly import("./proxy.mjs").Proxy[]}
 */
function variants(id, title, main) {
  return [0, 1].map((workers) => ({
    id: `${id}-${workers}`,
    title: `${title}, workers: ${workers}`,
    set: "default",
    needs: [],
    prepare: async (context) => {
      const { args, ...command } = await prepareHalftone(context, context.workers ?? workers);
      return { ...command, args: [main, ...args.slice(1)] };
    },
  }));
}

/**
 * The Host that requests for one of several apps name: one in the middle of them.
 * @param {number} apps
 */
export function appHost(apps) {
  return hostOf(apps >> 1);
}

/** @param {number} n */
function hostOf(n) {
  return `app-${n}.bench.test`;
}

/**
 * Halftone as it comes, but for addresses, the number of workers, and what else is given of `gateway`.
 * @param {Pick<import("./proxy.mjs").ProxyContext, "folder" | "servers" | "apps" | "release"> & { tls?: { cert: string, key: string } | undefined }} context
 * @param {number} workers
 * @param {Record<string, unknown>} [gateway]
 * @returns {Promise<import("./proxy.mjs").Command & { adminPort: number }>}
 */
export async function prepareHalftone({ folder, servers, tls, apps, release }, workers, gateway = {}) {
  const port = await freePort(HOST);
  const adminPort = await freePort(HOST);
  const config = join(folder, "halftone.yaml");
  const address = `${HOST}:${port}`;
  const listen =
    tls === undefined ? address : { address, http2: false, tls: { certificates: [tls], minVersion: "1.3" } };
  const document = {
    gateway: { listen, workers, ...gateway },
    admin: { listen: `${HOST}:${adminPort}` },
    data: "./data",
    directory: apps === undefined ? "memory:" : "file:./data",
    apps: ["./apps/*.yaml"],
  };
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(document, undefined, 2));
  const groups = { group1: { weight: 1, servers } };
  if (apps === undefined) {
    mkdirSync(join(folder, "apps"));
    const document = release === undefined ? { groups } : underRelease(servers, release);
    writeFileSync(join(folder, "apps", "bench.yaml"), JSON.stringify({ name: "bench", ...document }));
  } else await fillDirectory(join(folder, "data", "apps"), apps, groups);
  return { command: process.execPath, args: [HALFTONE, "serve", "-c", config], port, adminPort };
}

/**
 * As a release writes it while clients are on both versions.
 * @param {readonly string[]} servers
 * @param {"drawn" | "counted"} how
 */
function underRelease(servers, how) {
  const half = servers.length >> 1;
  return {
    groups: { group1: { servers: servers.slice(0, half) }, group2: { servers: servers.slice(half) } },
    stickiness: [{ cookie: "uid" }],
    deploy: 1,
    share: 50,
    draw: "bench",
    ...(how === "counted" && { tally: { window: "10s", slower: [2, 5, 20] } }),
  };
}

/**
 * A directory as an earlier gateway left it: putting thousands of apps there one after another would take minutes of
 * every round.
 * @param {string} folder
 * @param {number} apps
 * @param {unknown} groups
 */
async function fillDirectory(folder, apps, groups) {
  const { seal } = /** @type {{ seal: (format: string, content: unknown) => string }} */ (
    await import(new URL("../../dist/directory/sealed-json.js", import.meta.url).href)
  );
  mkdirSync(folder, { recursive: true });
  for (let n = 0; n < apps; n++) {
    const name = `app-${n}`;
    const document = { name, routes: [{ host: hostOf(n) }], groups };
    writeFileSync(join(folder, `${name}.json`), seal("halftone-app-1", { name, revision: 1, document }));
  }
}
