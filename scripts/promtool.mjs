// Runs promtool with these arguments: node scripts/promtool.mjs check rules FILE
//
// Debian has it in the package of Prometheus, which, once installed, runs a server of its own. So that package is fetched
// and unpacked, and promtool alone is kept, in the user's cache; what the system has installed stays as it is.
import { spawnSync } from "node:child_process";
import { accessSync, constants, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "halftone");

/** Where promtool is; undefined: nowhere yet. */
function find() {
  const folders = [...(process.env.PATH ?? "").split(delimiter), CACHE];
  return folders.map((folder) => join(folder, "promtool")).find(isExecutable);
}

/** Fetches promtool if it is not there. Throws an Error that says what to do by hand. */
export function providePromtool() {
  const found = find();
  if (found !== undefined) return found;
  console.log("Fetching promtool, of Debian's package prometheus, which is not installed");
  const folder = mkdtempSync(join(tmpdir(), "halftone-promtool-"));
  try {
    if (!fetched(folder)) {
      throw new Error(
        "promtool is not there and cannot be fetched from Debian. Put it on the PATH: it comes with Prometheus",
      );
    }
    mkdirSync(CACHE, { recursive: true });
    copyFileSync(join(folder, "usr/bin/promtool"), join(CACHE, "promtool"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return join(CACHE, "promtool");
}

function fetched(folder) {
  if (!succeeds("apt-get", ["download", "--quiet", "prometheus"], folder)) {
    // The lists of packages may be missing or old; only root may renew them.
    if (!succeeds("apt-get", ["update", "--quiet"], folder)) return false;
    if (!succeeds("apt-get", ["download", "--quiet", "prometheus"], folder)) return false;
  }
  const archive = readdirSync(folder).find((name) => name.endsWith(".deb"));
  return archive !== undefined && succeeds("dpkg-deb", ["--extract", archive, "."], folder);
}

function succeeds(command, args, cwd) {
  return spawnSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] }).status === 0;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { status, error } = spawnSync(providePromtool(), process.argv.slice(2), { stdio: "inherit" });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
}
