import { spawn } from "node:child_process";

export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Time a program may take, in ms; reaching it is a failure. */
const PATIENCE = 20_000;

/**
 * Runs a program to its end. Output is kept as latin1: a byte stays a character. It sees nothing of the environment but
 * PATH, so that no proxy or personal configuration of this machine gets in between.
 */
export function run(command: string, args: readonly string[], stdin: string = ""): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const { PATH = "" } = process.env;
    const child = spawn(command, args, { env: { PATH, HOME: "/nonexistent" }, timeout: PATIENCE });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("latin1").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("latin1").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.on("error", () => {});
    child.stdin.end(stdin, "latin1");
  });
}
