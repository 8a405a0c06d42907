import { spawnSync } from "node:child_process";
import { ROOT } from "../markdown.ts";

/** What promtool says against it; "": nothing. */
export function promtool(args: readonly string[], input: string = ""): string {
  const command = [`${ROOT}scripts/promtool.mjs`, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { input, encoding: "utf8" });
  return status === 0 ? "" : `${stdout}${stderr}` || `it ended with status ${status}`;
}
