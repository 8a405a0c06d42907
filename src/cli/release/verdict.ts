import { Command } from "commander";
import type { VerdictJson } from "../../admin/verdict-schemas.ts";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "../admin-client.ts";
import { hasColour, printJson, printLine, type CliContext, widthOf } from "../cli-context.ts";
import { drawVerdict } from "./draw-verdict.ts";

/** `halftone release verdict NAME` */
export function verdictCommand(context: CliContext): Command {
  return withAdminOptions(new Command("verdict"))
    .description("is the new version worse? the evidence so far, in numbers and in words")
    .argument("<name>", "name of the app")
    .option("--json", "as JSON: the answer of GET /apps/NAME/verdict")
    .action(async (name: string, options: AdminOptions & { json?: boolean }) => {
      const client = await AdminClient.open(context, options);
      const verdict = await client.get<VerdictJson>(appPath(name, "/verdict"));
      if (options.json === true) {
        printJson(context, verdict);
        return;
      }
      for (const line of drawVerdict(verdict, widthOf(context, 100), hasColour(context)))
        printLine(context, line);
    });
}
