import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { sayCommand } from "./say.ts";

/** `halftone release pause NAME [--reason TEXT]` */
export function pauseCommand(context: CliContext): Command {
  return sayCommand(context, "pause", { description: "stop before the next step" });
}
