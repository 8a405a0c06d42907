import { Command } from "commander";
import type { ReleaseJson } from "../../admin/release-schemas.ts";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "../admin-client.ts";
import { hasColour, printJson, printLine, type CliContext, widthOf } from "../cli-context.ts";
import { drawRelease } from "./draw-release.ts";
import { freezeOf, readSurroundings } from "./release-surroundings.ts";
import { printable } from "./release-words.ts";

/** `halftone release status NAME` */
export function releaseStatusCommand(context: CliContext): Command {
  return withAdminOptions(new Command("status"))
    .description("the release that runs, or ran last, as it is now")
    .argument("<name>", "name of the app")
    .option("--json", "as JSON: the answer of GET /apps/NAME/release")
    .action(async (name: string, options: AdminOptions & { json?: boolean }) => {
      const client = await AdminClient.open(context, options);
      const view = await client.get<ReleaseJson>(appPath(name, "/release"));
      if (options.json === true) {
        printJson(context, view);
        return;
      }
      const { servers, groups, verdict } = await readSurroundings(client, view);
      const width = widthOf(context, 100);
      for (const line of drawRelease(view, servers, groups, width, hasColour(context), verdict))
        printLine(context, line);
      const freeze = await freezeOf(client, name);
      if (freeze === undefined) return;
      const until = freeze.until ?? "that is lifted";
      printLine(context, `\n${printable(`frozen by ${freeze.by} until ${until}: ${freeze.reason}`)}`);
    });
}
