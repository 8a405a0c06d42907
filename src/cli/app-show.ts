import { Command } from "commander";
import { stringify } from "yaml";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { printJson, type CliContext } from "./cli-context.ts";

/** `halftone app show NAME` */
export function appShowCommand(context: CliContext): Command {
  return withAdminOptions(new Command("show"))
    .description("the document of an app as YAML, ready to be edited and applied again")
    .argument("<name>", "name of the app")
    .option("--json", "as JSON")
    .action(async (name: string, options: AdminOptions & { json?: boolean }) => {
      const client = await AdminClient.open(context, options);
      const { body, etag = "" } = await client.request(appPath(name));
      if (options.json === true) printJson(context, body);
      else context.stdout.write(`# revision ${etag.replaceAll('"', "")}\n${stringify(body)}`);
    });
}
