import { Command } from "commander";
import type { AppDocument } from "../config/app-document.ts";
import type { DeployState } from "../admin/schemas.ts";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { awaitEverywhere, withWait, type WaitOption } from "./wait-option.ts";
import { printJson, printLine, type CliContext } from "./cli-context.ts";

/** `halftone deploy NAME K [--share P]` */
export function deployCommand(context: CliContext): Command {
  return withAdminOptions(withWait(new Command("deploy")))
    .description("turn the switch: 0, all groups serve; k, the k-th group is under test")
    .argument("<name>", "name of the app")
    .argument("<k>", "0, or the number of the group under test")
    .option("--share <percent>", "percentage of the other clients sent to the group under test (default 0)")
    .option("--closed", "keep testers away too, to restart the group's servers (halftone idle)")
    .option("--json", "as JSON: the answer of PUT /apps/NAME/deploy")
    .action(
      async (
        name: string,
        k: string,
        options: AdminOptions & WaitOption & { share?: string; closed?: boolean; json?: boolean },
      ) => {
        const client = await AdminClient.open(context, options);
        const { share, closed } = options;
        const { body } = await client.request(appPath(name, "/deploy"), {
          method: "PUT",
          body: {
            deploy: k,
            ...(share !== undefined && { share }),
            ...(closed === true && { testing: false }),
          },
        });
        const state = body as DeployState;
        await awaitEverywhere(client, state, options);
        if (options.json === true) {
          printJson(context, state);
          return;
        }
        const { groups } = await client.get<AppDocument>(appPath(name));
        printLine(context, `${name}: ${stageText(state, Object.keys(groups))} (revision ${state.revision})`);
      },
    );
}

/** The stage in words: "group1 is under test, with 5 % of the clients". */
function stageText(
  { deploy, share }: { readonly deploy: number; readonly share: number },
  groups: readonly string[],
): string {
  if (deploy === 0) return "nothing is being updated, all groups serve";
  const tested = groups[deploy - 1] ?? `group number ${deploy}`;
  return `${tested} is under test, ${share === 0 ? "for testers only" : `for testers and ${share} % of the clients`}`;
}
