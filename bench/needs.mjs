// @ts-check
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { PEERS } from "./proxies/npm.mjs";

/** Something that must be installed first: exit code 2. */
export class MissingError extends Error {}

/** @type {readonly import("./proxies/proxy.mjs").Need[]} */
const ALWAYS = [
  { path: "nginx", debian: "nginx-light" },
  { path: "wrk", debian: "wrk" },
  { path: "taskset", debian: "util-linux" },
];

/**
 * Installs what is missing where that can be done without asking: as root on Debian, and in bench/peers.
 * @param {readonly import("./proxies/proxy.mjs").Need[]} more
 */
export function provide(more) {
  const needs = [...ALWAYS, ...more];
  const packages = [...new Set(needs.filter(isMissing).map(({ debian }) => debian))].filter(
    (name) => name !== "npm",
  );
  if (packages.length > 0) installFromDebian(packages);
  if (needs.some(({ debian }) => debian === "npm") && peersAreStale()) {
    run("npm", ["ci", "--prefix", PEERS, "--no-audit", "--no-fund"], `npm ci --prefix bench/peers`);
  }
  const missing = needs.filter(isMissing).map(({ path, debian }) => `${path} (${debian})`);
  if (missing.length > 0)
    throw new MissingError(`still not there after the installation: ${missing.join(", ")}`);
}

/** @param {import("./proxies/proxy.mjs").Need} need */
function isMissing({ path }) {
  if (path.includes("/")) return !existsSync(path);
  return !(process.env["PATH"] ?? "").split(":").some((folder) => existsSync(`${folder}/${path}`));
}

/** @param {readonly string[]} packages */
function installFromDebian(packages) {
  const command = `apt-get install ${packages.join(" ")}`;
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) {
    throw new MissingError(`not installed: ${packages.join(", ")}. On Debian: ${command}`);
  }
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  process.stderr.write(`installing ${packages.join(", ")}\n`);
  // Lists of packages that are there may do, and cost no time.
  if (succeeds("apt-get", install)) return;
  run("apt-get", ["update"], "apt-get update");
  run("apt-get", install, command);
}

/** Not installed yet, or what is wanted has changed since. */
function peersAreStale() {
  const installed = `${PEERS}node_modules/.package-lock.json`;
  return (
    !existsSync(installed) || statSync(installed).mtimeMs < statSync(`${PEERS}package-lock.json`).mtimeMs
  );
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} advice
 */
function run(command, args, advice) {
  if (!succeeds(command, args)) throw new MissingError(`this failed, see above; try it by hand: ${advice}`);
}

/**
 * Its output is shown, but kept out of the tables.
 * @param {string} command
 * @param {readonly string[]} args
 */
function succeeds(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { stdio: ["ignore", 2, 2], env }).status === 0;
}
