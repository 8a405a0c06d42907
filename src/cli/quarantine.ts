import { Command } from "commander";
import type { QuarantineJson } from "../admin/verdict-schemas.ts";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { printJson, printLine, type CliContext } from "./cli-context.ts";

/** `halftone quarantine NAME SERVER [--lift]` */
export function quarantineCommand(context: CliContext): Command {
  return withAdminOptions(new Command("quarantine"))
    .description("keep a server out of service, or let it serve again")
    .argument("<name>", "name of the app")
    .argument("<server>", "address with port, as halftone status shows it: 10.0.4.175:80")
    .option("--lift", "it serves again")
    .option("--json", "as JSON: {app, quarantine}")
    .action(
      async (name: string, server: string, options: AdminOptions & { lift?: boolean; json?: boolean }) => {
        const client = await AdminClient.open(context, options);
        const method = options.lift === true ? "DELETE" : "PUT";
        const path = appPath(name, `/quarantine/${encodeURIComponent(server)}`);
        const answer = (await client.request(path, { method })).body as QuarantineJson;
        if (options.json === true) {
          printJson(context, answer);
          return;
        }
        const { quarantine } = answer;
        printLine(
          context,
          `in quarantine of ${name}: ${quarantine.length === 0 ? "none" : quarantine.join(", ")}`,
        );
      },
    );
}
