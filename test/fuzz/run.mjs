// Compiles the fuzzer and what it fuzzes, as Node 20 does not run TypeScript by itself, and starts it.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const out = fileURLToPath(new URL("../../node_modules/.cache/halftone-fuzz/", import.meta.url));
const tsc = fileURLToPath(import.meta.resolve("typescript/package.json")).replace("package.json", "bin/tsc");
const project = fileURLToPath(new URL("tsconfig.json", import.meta.url));

mkdirSync(out, { recursive: true });
writeFileSync(`${out}package.json`, '{"type":"module"}\n');
const compiled = spawnSync(process.execPath, [tsc, "-p", project, "--outDir", out], { stdio: "inherit" });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
const run = spawnSync(process.execPath, [`${out}test/fuzz/main.js`, ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exit(run.status ?? 1);
