import { Command } from "commander";
import type { FreezeJson } from "../admin/release-schemas.ts";
import type { AppSummary } from "../admin/schemas.ts";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { printJson, printLine, type CliContext } from "./cli-context.ts";
import { CliFailure } from "./cli-failure.ts";

interface Which extends AdminOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

/** `halftone freeze NAME|--all [--for 2h] --reason TEXT` */
export function freezeCommand(context: CliContext): Command {
  return withAdminOptions(new Command("freeze"))
    .description("no release takes a step forward; a rollback is always possible")
    .argument("[name]", "name of the app")
    .option("--all", "every app that there is now")
    .requiredOption("--reason <text>", "why; it is told to whoever wants to go on")
    .option("--for <duration>", "so long, like 2h (default: until it is lifted)")
    .option("--until <time>", "until then, like 2026-01-02T18:00:00Z")
    .option("--json", "as JSON: [{app, until, reason, by, since}]")
    .action(
      async (name: string | undefined, options: Which & { reason: string; for?: string; until?: string }) => {
        const { reason, for: length, until } = options;
        const body = {
          reason,
          ...(length !== undefined && { for: length }),
          ...(until !== undefined && { until }),
        };
        await each(context, name, options, async (client, app) => {
          const answer = await client.request(appPath(app, "/freeze"), { method: "PUT", body });
          const freeze = answer.body as FreezeJson;
          return {
            row: freeze,
            line: `${app} is frozen until ${freeze.until ?? "that is lifted"}: ${freeze.reason}`,
          };
        });
      },
    );
}

/** `halftone unfreeze NAME|--all` */
export function unfreezeCommand(context: CliContext): Command {
  return withAdminOptions(new Command("unfreeze"))
    .description("lift a freeze: releases may go on")
    .argument("[name]", "name of the app")
    .option("--all", "every app that there is now")
    .option("--json", "as JSON: [{app}]")
    .action(async (name: string | undefined, options: Which) => {
      await each(context, name, options, async (client, app) => {
        await client.request(appPath(app, "/freeze"), { method: "DELETE" });
        return { row: { app }, line: `${app} is not frozen` };
      });
    });
}

async function each(
  context: CliContext,
  name: string | undefined,
  options: Which,
  change: (client: AdminClient, app: string) => Promise<{ readonly row: unknown; readonly line: string }>,
): Promise<void> {
  if ((options.all === true) === (name !== undefined)) {
    throw new CliFailure("expected the name of an app, or --all; nothing was changed", 2);
  }
  const client = await AdminClient.open(context, options);
  const names =
    name === undefined
      ? (await client.get<readonly AppSummary[]>("/api/v1/apps")).map((app) => app.name)
      : [name];
  const rows: unknown[] = [];
  try {
    for (const app of names) {
      const { row, line } = await change(client, app);
      rows.push(row);
      if (options.json !== true) printLine(context, line);
    }
  } finally {
    if (options.json === true) printJson(context, rows);
  }
}
