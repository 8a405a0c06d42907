import { Command } from "commander";
import type { PastReleaseJson } from "../../admin/release-schemas.ts";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "../admin-client.ts";
import { emphasis, printJson, printLine, type CliContext } from "../cli-context.ts";
import { textTable } from "../text-table.ts";
import { printable } from "./release-words.ts";

/** `halftone release history NAME` */
export function historyCommand(context: CliContext): Command {
  return withAdminOptions(new Command("history"))
    .description("the releases of an app, the newest first")
    .argument("<name>", "name of the app")
    .option("--json", "as JSON: [{id, version, status, begunAt, endedAt, by, reason}]")
    .action(async (name: string, options: AdminOptions & { json?: boolean }) => {
      const client = await AdminClient.open(context, options);
      const releases = await client.get<readonly PastReleaseJson[]>(appPath(name, "/releases"));
      if (options.json === true) {
        printJson(context, releases);
        return;
      }
      if (releases.length === 0) {
        printLine(context, `${name} never had a release.`);
        return;
      }
      const [head = "", ...rows] = textTable(
        ["RELEASE", "VERSION", "STATUS", "BEGUN", "ENDED", "BY", "WHY IT WENT BACK"],
        releases.map(({ id, version, status, begunAt, endedAt, by, reason }) =>
          [
            id,
            version,
            status,
            seconds(begunAt),
            endedAt === null ? "" : seconds(endedAt),
            by,
            reason ?? "",
          ].map(printable),
        ),
      );
      printLine(context, emphasis(context, head));
      for (const row of rows) printLine(context, row);
    });
}

function seconds(iso: string): string {
  return iso.replace(/\.\d+Z$/, "Z");
}
