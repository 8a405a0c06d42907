import { Command, Option } from "commander";
import { ROLES } from "../admin/role.ts";
import type { MadeToken } from "../admin/schemas.ts";
import type { TokenFacts } from "../admin/token-book.ts";
import { AdminClient, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { emphasis, printJson, printLine, type CliContext } from "./cli-context.ts";
import { textTable } from "./text-table.ts";

const TOKENS = "/api/v1/tokens";

/** `halftone token create|list|revoke` */
export function tokenCommand(context: CliContext): Command {
  return new Command("token")
    .description("who may use the admin API, and for what")
    .addCommand(createCommand(context))
    .addCommand(listCommand(context))
    .addCommand(revokeCommand(context));
}

function createCommand(context: CliContext): Command {
  return withAdminOptions(new Command("create"))
    .description("make a token; it is printed this once, alone on standard output")
    .argument("<name>", "who it is for; stands in the audit")
    .addOption(
      new Option("--role <role>", "viewer: reads; operator: deploys and releases too; admin: everything")
        .choices(ROLES)
        .makeOptionMandatory(),
    )
    .option("--expires <time>", "how long it is good, like 12h or 30d (default: until it is revoked)")
    .option("--json", "as JSON: {name, role, created, by, expires, token}")
    .action(
      async (name: string, options: AdminOptions & { role: string; expires?: string; json?: boolean }) => {
        const { role, expires } = options;
        const client = await AdminClient.open(context, options);
        const body = { name, role, ...(expires !== undefined && { expires }) };
        const made = (await client.request(TOKENS, { method: "POST", body })).body as MadeToken;
        if (options.json === true) {
          printJson(context, made);
          return;
        }
        printLine(context, made.token);
        context.stderr.write(
          `That is the token of ${name} (${role}), good until ${made.expires ?? "it is revoked"}. It is not kept and not ` +
            "shown again: HALFTONE_TOKEN for commands, ADMIN/?token=… for a browser.\n",
        );
      },
    );
}

function listCommand(context: CliContext): Command {
  return withAdminOptions(new Command("list"))
    .description("every token, without its text")
    .option("--json", "as JSON: [{name, role, created, by, expires}]")
    .action(async (options: AdminOptions & { json?: boolean }) => {
      const client = await AdminClient.open(context, options);
      const tokens = await client.get<readonly TokenFacts[]>(TOKENS);
      if (options.json === true) {
        printJson(context, tokens);
        return;
      }
      const [head, ...rows] = textTable(
        ["NAME", "ROLE", "EXPIRES", "CREATED", "BY"],
        tokens.map(({ name, role, expires, created, by }) => [
          name,
          role,
          expires ?? "never",
          created ?? "-",
          by ?? "-",
        ]),
      );
      printLine(context, emphasis(context, head ?? ""));
      for (const row of rows) printLine(context, row);
    });
}

function revokeCommand(context: CliContext): Command {
  return withAdminOptions(new Command("revoke"))
    .description("the token opens nothing any more, and its sessions end")
    .argument("<name>", "name of the token")
    .option("--json", "as JSON: {name}")
    .action(async (name: string, options: AdminOptions & { json?: boolean }) => {
      const client = await AdminClient.open(context, options);
      await client.request(`${TOKENS}/${encodeURIComponent(name)}`, { method: "DELETE" });
      if (options.json === true) printJson(context, { name });
      else printLine(context, `${name} is revoked`);
    });
}
