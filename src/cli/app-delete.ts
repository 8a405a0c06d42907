import { Command } from "commander";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { printJson, printLine, type CliContext } from "./cli-context.ts";

/** `halftone app delete NAME` */
export function appDeleteCommand(context: CliContext): Command {
  return withAdminOptions(new Command("delete"))
    .description("delete an app; requests for its routes find nothing any more")
    .argument("<name>", "name of the app")
    .option("--force", "whatever stands, also what somebody changes in the meantime")
    .option("--json", "as JSON: {name, change, revision} with the revision that was deleted")
    .action(async (name: string, options: AdminOptions & { force?: boolean; json?: boolean }) => {
      const client = await AdminClient.open(context, options);
      const { etag = "*" } = await client.request(appPath(name));
      await client.request(appPath(name), {
        method: "DELETE",
        headers: { "If-Match": options.force === true ? "*" : etag },
      });
      const revision = Number(etag.replaceAll('"', ""));
      if (options.json === true) printJson(context, { name, change: "deleted", revision });
      else printLine(context, `${name} deleted, it was at revision ${revision}`);
    });
}
