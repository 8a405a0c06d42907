import { Command } from "commander";
import type { AppSummary, ServerRow } from "../admin/schemas.ts";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { emphasis, printJson, printLine, type CliContext } from "./cli-context.ts";
import { textTable } from "./text-table.ts";

/** What `GET /readyz` says, as far as it is shown. */
interface ReadinessAnswer {
  readonly status: string;
  readonly workers: { readonly running: number; readonly expected: number };
  readonly listen: readonly string[];
  readonly directory: {
    readonly directory: string;
    readonly state: "current" | "backup";
    readonly since: string;
    readonly reason?: string;
    readonly damaged: readonly {
      readonly name: string;
      readonly setAside: string;
      readonly reason: string;
    }[];
  };
  readonly audit: string;
}

interface AppStatus extends Omit<AppSummary, "servers"> {
  readonly servers: readonly ServerRow[];
}

/** `halftone status` */
export function statusCommand(context: CliContext): Command {
  return withAdminOptions(new Command("status"))
    .description("the gateway, its directory, and every app with its servers")
    .option("--json", "as JSON: {gateway, apps}")
    .action(async (options: AdminOptions & { json?: boolean }) => {
      const client = await AdminClient.open(context, options);
      const readiness = await client.request("/readyz", { accept: [503] });
      const gateway = readiness.body as ReadinessAnswer;
      const summaries = await client.get<readonly AppSummary[]>("/api/v1/apps");
      const apps: AppStatus[] = [];
      for (const summary of summaries) {
        // An app may be deleted between the two requests: then there is nothing to say of it.
        const answer = await client.request(appPath(summary.name, "/servers"), { accept: [404] });
        if (answer.status === 200) apps.push({ ...summary, servers: answer.body as readonly ServerRow[] });
      }
      if (options.json === true) printJson(context, { gateway, apps });
      else print(context, gateway, apps);
    });
}

function print(context: CliContext, gateway: ReadinessAnswer, apps: readonly AppStatus[]): void {
  const { status, workers, listen, directory } = gateway;
  printLine(
    context,
    `Gateway    ${status}; ${workers.running} of ${workers.expected} workers; ${listen.join(", ")}`,
  );
  const reach =
    directory.state === "current"
      ? "current"
      : `out of reach since ${directory.since}, the last known state is in force`;
  printLine(
    context,
    `Directory  ${directory.directory}; ${reach}${directory.reason === undefined ? "" : `: ${directory.reason}`}`,
  );
  for (const { name, setAside, reason } of directory.damaged) {
    printLine(context, `Damaged    ${name}: ${reason}; set aside as ${setAside}`);
  }
  if (gateway.audit !== "current") printLine(context, `Audit      ${gateway.audit}`);
  printLine(context, "");
  printRows(
    context,
    ["APP", "REVISION", "DEPLOY", "SHARE", "UP", "DEAD", "GROUPS"],
    apps.map(({ name, revision, deploy, share, servers, groups }) => {
      const dead = servers.filter(({ state }) => state === "dead").length;
      return [name, revision, deploy, share, servers.length - dead, dead, groups.join(", ")];
    }),
  );
  const dead = apps.flatMap(({ name, servers }) =>
    servers
      .filter(({ state }) => state === "dead")
      .map((server) => [name, server.group, server.server, server.lastError ?? ""]),
  );
  if (dead.length === 0) return;
  printLine(context, "");
  printRows(context, ["DEAD IN", "GROUP", "SERVER", "LAST ERROR"], dead);
}

function printRows(
  context: CliContext,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const [first, ...others] = textTable(head, rows);
  printLine(context, emphasis(context, first ?? ""));
  for (const row of others) printLine(context, row);
}
