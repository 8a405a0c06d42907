import { Command } from "commander";
import type { AppSummary } from "../admin/schemas.ts";
import { AdminClient, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { emphasis, printJson, printLine, type CliContext } from "./cli-context.ts";
import { textTable } from "./text-table.ts";

/** `halftone app list` */
export function appListCommand(context: CliContext): Command {
  return withAdminOptions(new Command("list"))
    .description("all apps, with the stage each is in")
    .option("--json", "as JSON: the answer of GET /apps")
    .action(async (options: AdminOptions & { json?: boolean }) => {
      const client = await AdminClient.open(context, options);
      const apps = await client.get<readonly AppSummary[]>("/api/v1/apps");
      if (options.json === true) {
        printJson(context, apps);
      } else if (apps.length === 0) {
        printLine(context, "There are no apps. `halftone app apply -f FILE` puts one.");
      } else {
        const [head, ...rows] = textTable(
          ["NAME", "REVISION", "DEPLOY", "SHARE", "SERVERS", "GROUPS"],
          apps.map((app) => [
            app.name,
            app.revision,
            app.deploy,
            app.share,
            app.servers,
            app.groups.join(", "),
          ]),
        );
        printLine(context, emphasis(context, head ?? ""));
        for (const row of rows) printLine(context, row);
      }
    });
}
