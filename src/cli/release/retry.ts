import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { sayCommand } from "./say.ts";

/** `halftone release retry NAME [--reason TEXT] [--until PHASE] [--wait]` */
export function retryCommand(context: CliContext): Command {
  return sayCommand(context, "retry", {
    description: "run a hook again that failed, or of which nobody knows how it ended",
    end: "done",
  });
}
