import type { Readable } from "node:stream";

/** What a command touches of the world besides files and the network; tests hand in their own. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Of a terminal. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Bold on a terminal; never when NO_COLOR is set (no-color.org) or the output goes elsewhere. */
export function emphasis(context: CliContext, text: string): string {
  return hasColour(context) ? `\u001b[1m${text}\u001b[22m` : text;
}

export function hasColour({ env, stdout }: CliContext): boolean {
  return stdout.isTTY === true && (env["NO_COLOR"] ?? "") === "";
}

/** For machines: the value as JSON, and nothing else. */
export function printJson(context: CliContext, value: unknown): void {
  context.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

export function printLine(context: CliContext, text: string): void {
  context.stdout.write(`${text}\n`);
}

/** Columns of the output; `otherwise` where there is no terminal, or one that does not know its size and says 0. */
export function widthOf({ stdout }: CliContext, otherwise: number): number {
  return stdout.columns === undefined || stdout.columns < 1 ? otherwise : stdout.columns;
}
