import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { sayCommand } from "./say.ts";

/** `halftone release continue NAME [--reason TEXT] [--until PHASE] [--wait]` */
export function continueCommand(context: CliContext): Command {
  return sayCommand(context, "continue", {
    description: "end a wait for a person; in trouble: go on all the same",
    end: "done",
  });
}
