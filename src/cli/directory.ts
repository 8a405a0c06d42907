import { Command } from "commander";
import { isDeepStrictEqual } from "node:util";
import type { DifferenceRow } from "../admin/schemas.ts";
import { AdminClient, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { CliFailure } from "./cli-failure.ts";
import { emphasis, printJson, printLine, type CliContext } from "./cli-context.ts";

const DIFFERENCES = "/api/v1/directory/differences";

/** `halftone directory diff|restore` */
export function directoryCommand(context: CliContext): Command {
  return new Command("directory")
    .description("where the directory holds something older than what is in force")
    .addCommand(diffCommand(context))
    .addCommand(restoreCommand(context));
}

function diffCommand(context: CliContext): Command {
  return withAdminOptions(new Command("diff"))
    .description("apps of which the directory holds something that would be a step back, and is not taken")
    .option("--json", "as JSON: [{name, answer, inForce, directory}]")
    .action(async (options: AdminOptions & { json?: boolean }) => {
      const client = await AdminClient.open(context, options);
      const rows = await client.get<readonly DifferenceRow[]>(DIFFERENCES);
      if (options.json === true) printJson(context, rows);
      else if (rows.length === 0) printLine(context, "no differences: the directory holds what is in force");
      else for (const row of rows) printDifference(context, row);
    });
}

function restoreCommand(context: CliContext): Command {
  return withAdminOptions(new Command("restore"))
    .description("end differences, for every gateway: store one of the two sides anew")
    .argument("[names...]", "names of apps")
    .option("--all", "every app that differs")
    .option("--from <side>", "gateway: what is in force; directory: what the directory holds", "gateway")
    .option("--json", "as JSON: [{name, revision}]; revision null: the app is gone")
    .action(
      async (names: string[], options: AdminOptions & { all?: boolean; from: string; json?: boolean }) => {
        const { all = false, from } = options;
        if (from !== "gateway" && from !== "directory") {
          throw new CliFailure(`found --from ${from}, expected gateway or directory; nothing was changed`, 2);
        }
        if (all === names.length > 0) {
          throw new CliFailure("expected names of apps, or --all; nothing was changed", 2);
        }
        const client = await AdminClient.open(context, options);
        const chosen = all
          ? (await client.get<readonly DifferenceRow[]>(DIFFERENCES)).map(({ name }) => name)
          : names;
        const restored: { name: string; revision: number | null }[] = [];
        try {
          for (const name of chosen) {
            const path = `${DIFFERENCES}/${encodeURIComponent(name)}/restore`;
            const { body } = await client.request(path, { method: "POST", body: { from } });
            const one = body as { name: string; revision: number | null };
            restored.push(one);
            if (options.json === true) continue;
            printLine(
              context,
              one.revision === null ? `${name} is gone` : `${name} is at revision ${one.revision}`,
            );
          }
        } finally {
          if (options.json === true) printJson(context, restored);
        }
      },
    );
}

function printDifference(context: CliContext, { name, answer, inForce, directory }: DifferenceRow): void {
  printLine(
    context,
    emphasis(context, `${name}: in force is ${revisionText(inForce)}; the directory answers ${answer}`),
  );
  if (inForce === null || directory === null) return;
  const before = directory.document as unknown as Record<string, unknown>;
  const after = inForce.document as unknown as Record<string, unknown>;
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (isDeepStrictEqual(before[key], after[key])) continue;
    printLine(context, `  - ${key}: ${JSON.stringify(before[key]) ?? "absent"}  (directory)`);
    printLine(context, `  + ${key}: ${JSON.stringify(after[key]) ?? "absent"}  (in force)`);
  }
}

function revisionText(side: { readonly revision: number } | null): string {
  return side === null ? "no such app" : `revision ${side.revision}`;
}
