import { Command } from "commander";
import type { ReleaseJson } from "../../admin/release-schemas.ts";
import type { CommandRequest } from "../../release/release-service.ts";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "../admin-client.ts";
import type { CliContext } from "../cli-context.ts";
import { CliFailure } from "../cli-failure.ts";
import { awaited, tellAndAwait, withAwait, type AwaitOptions } from "./await-release.ts";

interface SayOptions extends AdminOptions, AwaitOptions {
  readonly reason?: string;
  readonly step?: string;
}

/** A command that says one word to a release. Of one that moves it on, the outcome can be waited for. */
export function sayCommand(
  context: CliContext,
  word: CommandRequest["type"],
  { description, end }: { readonly description: string; readonly end?: "done" | "rolledBack" },
): Command {
  const command = withAdminOptions(new Command(word))
    .description(description)
    .argument("<name>", "name of the app")
    .option("--reason <text>", "why, for the log and the audit");
  // A rollback means whatever step it finds.
  if (word !== "rollback") {
    command.option("--step <number>", "only if this is still its step, as `release status --json` tells it");
  }
  if (end === undefined) command.option("--json", "as JSON: the release");
  else withAwait(command, end === "done");
  return command.action(async (name: string, options: SayOptions) => {
    const asked = awaited(options, end);
    const step = Number(options.step ?? 0);
    if (!Number.isSafeInteger(step))
      throw new CliFailure(`found --step ${options.step}, expected a number`, 2);
    const client = await AdminClient.open(context, options);
    const { body } = await client.request(appPath(name, `/release/${word}`), {
      method: "POST",
      body: {
        ...(options.reason !== undefined && { reason: options.reason }),
        ...(options.step !== undefined && { step }),
      },
    });
    await tellAndAwait(context, client, body as ReleaseJson, asked);
  });
}
