import { Command } from "commander";
import type { AppSummary, GatewayRow, ServerRow } from "../admin/schemas.ts";
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
    /** Apps of which the directory holds something older. */
    readonly differences: number;
    readonly damaged: readonly {
      readonly name: string;
      readonly setAside: string;
      readonly reason: string;
    }[];
  };
  readonly audit: string;
  /** Absent: a gateway of an earlier version. */
  readonly tokens?: string;
}

interface AppStatus extends Omit<AppSummary, "servers"> {
  readonly servers: readonly ServerRow[];
}

/** `halftone status` */
export function statusCommand(context: CliContext): Command {
  return withAdminOptions(new Command("status"))
    .description("the gateway, its directory, and every app with its servers")
    .option("--json", "as JSON: {gateway, gateways, apps}; gateways null: they cannot be asked")
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
      // 404: a gateway of an earlier version, which does not know the others.
      const fleet = await client.request("/api/v1/gateways", { accept: [404, 503] });
      const gateways = fleet.status === 200 ? (fleet.body as readonly GatewayRow[]) : null;
      if (options.json === true) printJson(context, { gateway, gateways, apps });
      else print(context, gateway, gateways, apps);
    });
}

function print(
  context: CliContext,
  gateway: ReadinessAnswer,
  gateways: readonly GatewayRow[] | null,
  apps: readonly AppStatus[],
): void {
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
    printLine(context, `Damaged    ${name}: ${reason}; it lies at ${setAside}`);
  }
  if (gateway.audit !== "current") printLine(context, `Audit      ${gateway.audit}`);
  const { tokens = "current" } = gateway;
  if (tokens !== "current") printLine(context, `Tokens     ${tokens}`);
  if (directory.differences > 0) {
    const apps = directory.differences === 1 ? "1 app" : `${directory.differences} apps`;
    printLine(context, `Differs    ${apps}: the directory holds something older (halftone directory diff)`);
  }
  printLine(context, "");
  if (gateways === null) printLine(context, "Gateways   cannot be asked");
  else
    printRows(
      context,
      ["GATEWAY", "STATE", "VERSION", "APPS", "LAG", "IN FLIGHT", "SEEN"],
      gateways.map(gatewayCells),
    );
  printLine(context, "");
  printRows(
    context,
    ["APP", "REVISION", "DEPLOY", "SHARE", "UP", "DEAD", "GROUPS"],
    apps.map(({ name, revision, deploy, share, servers, groups }) => {
      const count = (wanted: ServerRow["state"]): number =>
        servers.filter(({ state }) => state === wanted).length;
      return [name, revision, deploy, share, count("up"), count("dead"), groups.join(", ")];
    }),
  );
  for (const [state, heading] of [
    ["dead", "DEAD IN"],
    ["quarantined", "QUARANTINE"],
  ] as const) {
    const rows = apps.flatMap(({ name, servers }) =>
      servers
        .filter((server) => server.state === state)
        .map((server) => [name, server.group, server.server, server.lastError ?? ""]),
    );
    if (rows.length === 0) continue;
    printLine(context, "");
    printRows(context, [heading, "GROUP", "SERVER", "LAST ERROR"], rows);
  }
}

function gatewayCells(gateway: GatewayRow): readonly (string | number)[] {
  const { name, self, live, ready, directory, version, apps, lag, inFlight, seen } = gateway;
  const state = !live ? "lost" : !ready ? "not ready" : directory === "backup" ? "on its backup" : "live";
  return [self ? `${name} *` : name, state, version, apps, lag, inFlight, seen];
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
