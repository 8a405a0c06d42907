import { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { continueCommand } from "./continue.ts";
import { historyCommand } from "./history.ts";
import { pauseCommand } from "./pause.ts";
import { resumeCommand } from "./resume.ts";
import { retryCommand } from "./retry.ts";
import { rollbackCommand } from "./rollback.ts";
import { startCommand } from "./start.ts";
import { releaseStatusCommand } from "./status.ts";
import { verdictCommand } from "./verdict.ts";
import { watchCommand } from "./watch.ts";

/** `halftone release …` */
export function releaseCommand(context: CliContext): Command {
  const release = new Command("release").description("bring a version to all groups of an app, in turn");
  for (const make of [
    startCommand,
    releaseStatusCommand,
    watchCommand,
    continueCommand,
    retryCommand,
    pauseCommand,
    resumeCommand,
    rollbackCommand,
    verdictCommand,
    historyCommand,
  ]) {
    release.addCommand(make(context));
  }
  return release;
}
