// Compiles src/ to dist/, writes the JSON Schema of app documents beside it, and bundles dashboard/ to dist/dashboard/,
// with every file of it compressed as well.
import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = new URL("../dist/", import.meta.url);

rmSync(dist, { recursive: true, force: true });
const tsc = spawnSync(
  process.execPath,
  [
    fileURLToPath(import.meta.resolve("typescript/package.json")).replace("package.json", "bin/tsc"),
    "-p",
    "tsconfig.build.json",
  ],
  { cwd: root, stdio: "inherit" },
);
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

const { appJsonSchema } = await import(new URL("config/json-schema.js", dist).href);
writeFileSync(new URL("app.schema.json", dist), `${JSON.stringify(appJsonSchema(), null, 2)}\n`);
chmodSync(new URL("cli/main.js", dist), 0o755);

await build({
  configFile: fileURLToPath(new URL("../dashboard/vite.config.ts", import.meta.url)),
  logLevel: "warn",
});
const dashboard = fileURLToPath(new URL("dashboard", dist));
for (const name of readdirSync(dashboard, { recursive: true })) {
  if (![".html", ".js", ".css", ".svg"].includes(extname(name))) continue;
  const file = join(dashboard, name);
  const bytes = readFileSync(file);
  const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: quality }));
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
}
