// @ts-check
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Children } from "./children.mjs";
import { UsageError } from "./command-line.mjs";
import { MissingError } from "./needs.mjs";

/**
 * What every measurement shares: a temporary folder and child processes that are gone afterwards, whatever happens, and
 * the exit codes. Never returns.
 * @param {string} usage
 * @param {(children: Children, folder: string) => Promise<number>} run resolves to the exit code
 */
export async function benchMain(usage, run) {
  try {
    process.exit(await guarded(run));
  } catch (error) {
    process.stderr.write(`bench: ${/** @type {Error} */ (error).message}\n`);
    if (error instanceof UsageError) process.stderr.write(usage);
    process.exit(error instanceof UsageError || error instanceof MissingError ? 2 : 1);
  }
}

/** @param {(children: Children, folder: string) => Promise<number>} run */
async function guarded(run) {
  const children = new Children();
  const folder = mkdtempSync(join(tmpdir(), "halftone-bench-"));
  process.once("exit", () => {
    children.killAll();
    rmSync(folder, { recursive: true, force: true });
  });
  /** @type {Promise<number>} */
  const stopped = new Promise((resolve) => {
    for (const [signal, code] of /** @type {const} */ ([
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ])) {
      // The first asks for an orderly end; the next does not wait for it, and the exit handler kills what is left.
      process.once(signal, () => {
        resolve(code);
        process.on(signal, () => process.exit(code));
      });
    }
  });
  try {
    return await Promise.race([run(children, folder), stopped]);
  } finally {
    await children.close();
  }
}
