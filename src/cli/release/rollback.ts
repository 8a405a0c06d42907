import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { sayCommand } from "./say.ts";

/** `halftone release rollback NAME [--reason TEXT] [--wait]` */
export function rollbackCommand(context: CliContext): Command {
  return sayCommand(context, "rollback", {
    description: "go back to the version before, from wherever the release is",
    end: "rolledBack",
  });
}
