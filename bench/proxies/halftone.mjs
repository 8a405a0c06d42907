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
 * @param {Pick<import("./proxy.mjs").ProxyContext, "folder" | "servers" | "apps"> & { tls?: { cert: string, key: string } | undefined }} context
 * @param {number} workers
 * @param {Record<string, unknown>} [gateway]
 * @returns {Promise<import("./proxy.mjs").Command & { adminPort: number }>}
 */
export async function prepareHalftone({ folder, servers, tls, apps }, workers, gateway = {}) {
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
    directory: "memory:",
    apps: ["./apps/*.yaml"],
  };
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(document, undefined, 2));
  mkdirSync(join(folder, "apps"));
  for (let n = 0; n < (apps ?? 1); n++) {
    const app = {
      name: apps === undefined ? "bench" : `app-${n}`,
      ...(apps === undefined ? {} : { routes: [{ host: hostOf(n) }] }),
      groups: { group1: { weight: 1, servers } },
    };
    writeFileSync(join(folder, "apps", `${app.name}.yaml`), JSON.stringify(app));
  }
  return { command: process.execPath, args: [HALFTONE, "serve", "-c", config], port, adminPort };
}
