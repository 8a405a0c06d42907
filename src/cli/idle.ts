import { Command } from "commander";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { printJson, printLine, type CliContext } from "./cli-context.ts";

/** `halftone idle NAME GROUP [--wait 30s]` */
export function idleCommand(context: CliContext): Command {
  return withAdminOptions(new Command("idle"))
    .description(
      "may the group's servers be restarted? Exit code 1 if anything may still be sent there or is in flight",
    )
    .argument("<name>", "name of the app")
    .argument("<group>", "name of the group")
    .option("--wait <duration>", "until they may, at most this long (30s; up to 60s)")
    .option("--json", "as JSON: {app, group, idle, revision}")
    .action(
      async (name: string, group: string, options: AdminOptions & { wait?: string; json?: boolean }) => {
        const client = await AdminClient.open(context, options);
        const query = options.wait === undefined ? "" : `?wait=${encodeURIComponent(options.wait)}`;
        const path = appPath(name, `/groups/${encodeURIComponent(group)}/idle${query}`);
        const { body } = await client.request(path, { waits: 60_000 });
        if (options.json === true) printJson(context, body);
        else printLine(context, `${group} of ${name} is idle: its servers may be restarted`);
      },
    );
}
