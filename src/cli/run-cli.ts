import { Command, CommanderError } from "commander";
import { VERSION } from "../version.ts";
import { appApplyCommand } from "./app-apply.ts";
import { appConvertCommand } from "./app-convert.ts";
import { appDeleteCommand } from "./app-delete.ts";
import { appListCommand } from "./app-list.ts";
import { appShowCommand } from "./app-show.ts";
import { checkCommand } from "./check.ts";
import type { CliContext } from "./cli-context.ts";
import { CliFailure, type ExitCode } from "./cli-failure.ts";
import { deployCommand } from "./deploy.ts";
import { directoryCommand } from "./directory.ts";
import { eventsCommand } from "./events/events.ts";
import { explainCommand } from "./explain.ts";
import { freezeCommand, unfreezeCommand } from "./freeze.ts";
import { idleCommand } from "./idle.ts";
import { quarantineCommand } from "./quarantine.ts";
import { releaseCommand } from "./release/release.ts";
import { statusCommand } from "./status.ts";
import { tokenCommand } from "./token.ts";

/** Commands that bring the whole gateway with them: loaded only when they are meant. */
const HEAVY: Readonly<Record<string, { description: string; load: () => Promise<Command> }>> = {
  serve: {
    description: "run the gateway with its admin API",
    load: async () => (await import("./serve.ts")).serveCommand(),
  },
  demo: {
    description: "show releases on this machine",
    load: async () => (await import("./demo/demo.ts")).demoCommand(),
  },
};

/**
 * `halftone` with these arguments (without node and script). Resolves with the exit code; what went wrong is written
 * to `stderr`. Rejects only for defects.
 */
export async function runCli(args: readonly string[], context: CliContext): Promise<ExitCode> {
  const program = await programFor(args[0], context);
  try {
    await program.parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof CliFailure)) throw error;
    context.stderr.write(`halftone: ${error.message}\n`);
    return error.exitCode;
  }
}

async function programFor(first: string | undefined, context: CliContext): Promise<Command> {
  const program = new Command("halftone")
    .description("Gateway and release controller: every release shaded in, with nobody noticing.")
    .version(VERSION)
    // `release start NAME --version V` means its own.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text.replace(/^error: /, "halftone: ")),
    });
  for (const [name, { description, load }] of Object.entries(HEAVY)) {
    add(program, name === first ? await load() : new Command(name).description(description));
  }
  const app = new Command("app").description("the documents of apps");
  for (const make of [appListCommand, appShowCommand, appApplyCommand, appConvertCommand, appDeleteCommand]) {
    app.addCommand(make(context));
  }
  add(program, app);
  for (const make of [
    checkCommand,
    deployCommand,
    directoryCommand,
    eventsCommand,
    explainCommand,
    freezeCommand,
    idleCommand,
    quarantineCommand,
    releaseCommand,
    statusCommand,
    tokenCommand,
    unfreezeCommand,
  ]) {
    add(program, make(context));
  }
  return program;
}

/** Output and exit behaviour reach every command below; commander hands them on only to commands it makes itself. */
function add(parent: Command, command: Command): void {
  inherit(parent, command);
  parent.addCommand(command);
}

function inherit(parent: Command, command: Command): void {
  command.copyInheritedSettings(parent);
  for (const below of command.commands) inherit(command, below);
}
