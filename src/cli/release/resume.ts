import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { sayCommand } from "./say.ts";

/** `halftone release resume NAME [--reason TEXT] [--until PHASE] [--wait]` */
export function resumeCommand(context: CliContext): Command {
  return sayCommand(context, "resume", {
    description: "end a pause; time goes on from where it stood",
    end: "done",
  });
}
