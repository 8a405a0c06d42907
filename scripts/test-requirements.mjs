// The programs the tests run against, besides Node.js. `npm test` looks for them first: a test that skips itself where
// its program is missing would be a test that nobody runs. Root gets them from Debian, everybody else is told what to do.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { providePromtool } from "./promtool.mjs";

/** [program, Debian package]; what needs it. */
const REQUIRED = [
  ["nginx", "nginx-light"], // test/conformance: a server of other make behind the gateway
  ["curl", "curl"], // test/interop: real clients
  ["python3", "python3"],
  ["chromium", "chromium"],
  ["nghttp", "nghttp2-client"], // test/http2, test/interop: clients of other make, h2load with them
  ["openssl", "openssl"], // test/tls: certificates
  ["redis-server", "redis-server"], // test/redis: the directory of many gateways, its sentinels and clusters
];

const missing = REQUIRED.filter(([program]) => !isInstalled(program));
if (missing.length > 0) {
  const packages = missing.map(([, name]) => name);
  const names = missing.map(([program]) => program).join(", ");
  const byHand = `apt-get install --yes --no-install-recommends ${packages.join(" ")}`;
  if (process.getuid?.() !== 0 || !isInstalled("apt-get")) {
    console.error(
      `The tests need programs that are not installed: ${names}.\nInstall them, on Debian by: ${byHand}`,
    );
    process.exit(1);
  }
  console.log(`Installing what the tests need: ${names}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  run("apt-get", ["update", "--quiet"], env);
  run("apt-get", ["install", "--yes", "--quiet", "--no-install-recommends", ...packages], env);
}

// test/metrics: metrics and rules as Prometheus takes them
try {
  providePromtool();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

function isInstalled(program) {
  // Daemons stand in sbin, which is not on everybody's path.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function run(command, args, env) {
  const { status } = spawnSync(command, args, { env, stdio: "inherit" });
  if (status === 0) return;
  console.error(`${command} ${args.join(" ")} failed with status ${status}.`);
  process.exit(1);
}
