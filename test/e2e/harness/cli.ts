import { spawn } from "node:child_process";
import { CLI, type HalftoneProcess } from "./halftone-process.ts";

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** Runs the built command line to its end. It sees nothing of the test's own HALFTONE_ variables. */
export function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const { PATH = "" } = process.env;
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd: options.cwd,
      env: { PATH, NO_COLOR: "1", ...options.env },
      timeout: 15_000,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.on("error", () => {});
    child.stdin.end(options.stdin ?? "");
  });
}

/** What a command needs to find this process, as environment. */
export function environmentOf(halftone: HalftoneProcess): Readonly<Record<string, string>> {
  return { HALFTONE_ADMIN: halftone.adminUrl, HALFTONE_TOKEN: halftone.token };
}
