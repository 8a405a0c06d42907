// @ts-check
// The hook of the releases in these tests, run once for each server: ends the process that runs there and starts one
// of HALFTONE_VERSION. node replace-server-main.mjs FOLDER
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const [, , folder = ""] = process.argv;
const { HALFTONE_SERVER = "", HALFTONE_VERSION = "", HALFTONE_HOOK = "", HALFTONE_RUN = "" } = process.env;
const [address = "", port = ""] = HALFTONE_SERVER.split(":");
const pidFile = join(folder, `${address}.pid`);

appendFileSync(
  join(folder, "hooks.jsonl"),
  `${JSON.stringify({ hook: HALFTONE_HOOK, server: HALFTONE_SERVER, version: HALFTONE_VERSION, run: HALFTONE_RUN })}\n`,
);
// What a rollback goes back to is written down by the update.
const versionFile = join(folder, `${address}.version`);
const before = existsSync(versionFile) ? readFileSync(versionFile, "utf8").split("\n") : [];
const version = HALFTONE_HOOK === "restore" ? (before[1] ?? before[0] ?? "") : HALFTONE_VERSION;
// Whole or not at all: a rollback may end this process at any moment.
writeFileSync(
  `${versionFile}.new`,
  `${version}\n${HALFTONE_HOOK === "restore" ? version : (before[0] ?? "")}`,
);
renameSync(`${versionFile}.new`, versionFile);

if (existsSync(pidFile)) {
  const pid = Number(readFileSync(pidFile, "utf8"));
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
  while (isRunning(pid)) await pause(5);
}
const program = fileURLToPath(new URL("./versioned-server-main.mjs", import.meta.url));
const child = spawn(process.execPath, [program, address, port, version], { detached: true, stdio: "ignore" });
child.unref();
writeFileSync(pidFile, String(child.pid));
while (!(await accepts())) {
  if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
  await pause(10);
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[2] !== "Z";
  } catch {
    return false;
  }
}

/** @returns {Promise<boolean>} */
function accepts() {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: Number(port) });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
