// @ts-check
import { spawnSync } from "node:child_process";
import { accessSync, readFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { HALFTONE } from "./proxies/halftone.mjs";

/**
 * Throws, saying what to install or build, if something the run needs is not there.
 * @param {readonly string[]} tools besides taskset
 * @param {boolean} built the program must be there
 */
export function requireTools(tools, built) {
  if (process.platform !== "linux") {
    throw new Error("the benchmark reads /proc and pins cores: it runs on Linux only");
  }
  if (cpus().length < 2) {
    throw new Error("the benchmark needs two cores: one for the proxy, one for load and servers");
  }
  const missing = [...tools, "taskset"].filter((tool) => spawnSync(tool, ["-v"]).error !== undefined);
  if (missing.length > 0) {
    throw new Error(
      `not found: ${missing.join(", ")}. On Debian: apt-get install nginx-light wrk redis-server util-linux`,
    );
  }
  if (built) {
    try {
      accessSync(HALFTONE);
    } catch {
      throw new Error("dist/cli/main.js is not there: npm run build");
    }
  }
}

/**
 * @param {string} command
 * @returns {string} the first line it prints
 */
function versionOf(command) {
  const { stdout, stderr } = spawnSync(command, ["-v"], { encoding: "utf8" });
  return (stdout + stderr).split("\n")[0] ?? "";
}

/**
 * What the figures depend on, to be quoted with them.
 * @param {readonly import("./proxies/proxy.mjs").Proxy[]} [proxies] whose versions are wanted too
 */
export function machine(proxies = []) {
  const manifest = /** @type {{ version: string }} */ (
    JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
  );
  return {
    processor: `${cpus()[0]?.model.trim()}, ${cpus().length} cores`,
    kernel: release(),
    node: process.version,
    halftone: manifest.version,
    nginx: /[\d.]+/.exec(versionOf("nginx"))?.[0] ?? "unknown",
    wrk: /[\d.]+\S*/.exec(versionOf("wrk"))?.[0] ?? "unknown",
    ...Object.fromEntries(
      proxies.flatMap(({ id, version }) => (version === undefined ? [] : [[id, version()]])),
    ),
    loadBefore: loadavg()[0],
  };
}
