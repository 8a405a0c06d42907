// Compiles src/ to dist/ and writes the JSON Schema of app documents beside it.
import { spawnSync } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

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
