import { Command } from "commander";
import type { Explanation } from "../admin/explain.ts";
import { CERTIFICATE_ATTRIBUTES } from "../core/client.ts";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { emphasis, printJson, printLine, type CliContext } from "./cli-context.ts";
import { CliFailure } from "./cli-failure.ts";
import { textTable } from "./text-table.ts";

const DEFAULT_IP = "127.0.0.1";

interface ExplainOptions extends AdminOptions {
  readonly ip?: string;
  readonly header?: readonly string[];
  readonly cookie?: readonly string[];
  readonly certificate?: readonly string[];
  readonly json?: boolean;
}

/** `halftone explain NAME [--ip A] [--header "K: V"] [--cookie K=V]` */
export function explainCommand(context: CliContext): Command {
  return withAdminOptions(new Command("explain"))
    .description("say which group would serve a client, and which rule decides")
    .argument("<name>", "name of the app")
    .option("--ip <address>", `address of the client (default ${DEFAULT_IP})`)
    .option("--header <field>", 'a header field of the request, "Name: value"; may be repeated', collect)
    .option("--cookie <pair>", "a cookie of the request, name=value; may be repeated", collect)
    .option(
      "--certificate <attribute>",
      "an attribute of the client's certificate, CN=value (CN, O, OU, emailAddress, san); may be repeated",
      collect,
    )
    .option("--json", "as JSON: the answer of POST /apps/NAME/explain")
    .action(async (name: string, options: ExplainOptions) => {
      const request = {
        ip: options.ip ?? DEFAULT_IP,
        headers: headersOf(options),
        ...(options.certificate !== undefined && { certificate: certificateOf(options.certificate) }),
      };
      const client = await AdminClient.open(context, options);
      const { body } = await client.request(appPath(name, "/explain"), { method: "POST", body: request });
      const answer = body as Explanation;
      if (options.json === true) printJson(context, answer);
      else print(context, answer, options.ip === undefined);
    });
}

function print(context: CliContext, { pool, sentence, revision }: Explanation, isDefaultIp: boolean): void {
  if (isDefaultIp) printLine(context, `No --ip is given: ${DEFAULT_IP} is asked about.`);
  printLine(context, `${sentence} (revision ${revision})`);
  const [head, ...rows] = textTable(
    ["SERVER", "GROUP", "WEIGHT"],
    pool.map(({ server, group, weight }) => [server, group, weight]),
  );
  printLine(context, emphasis(context, head ?? ""));
  for (const row of rows) printLine(context, row);
}

function headersOf({ header = [], cookie = [] }: ExplainOptions): Record<string, string> {
  const headers: [string, string][] = header.map((field) => {
    const parts = /^([^:\s]+):[ \t]*(.*)$/.exec(field);
    if (parts === null) {
      throw new CliFailure(`found --header ${JSON.stringify(field)}, expected "Name: value"`, 2);
    }
    return [parts[1] ?? "", parts[2] ?? ""];
  });
  for (const pair of cookie) {
    if (!/^[^=;\s]+=[^;]*$/.test(pair)) {
      throw new CliFailure(`found --cookie ${JSON.stringify(pair)}, expected name=value`, 2);
    }
  }
  const cookies = [...headers.filter(isCookie).map(([, value]) => value), ...cookie];
  return {
    ...Object.fromEntries(headers.filter((field) => !isCookie(field))),
    ...(cookies.length > 0 && { cookie: cookies.join("; ") }),
  };
}

function certificateOf(attributes: readonly string[]): Record<string, string[]> {
  const facts: Record<string, string[]> = {};
  for (const attribute of attributes) {
    const equals = attribute.indexOf("=");
    const name = CERTIFICATE_ATTRIBUTES.find((known) => known === attribute.slice(0, equals));
    if (equals < 0 || name === undefined) {
      throw new CliFailure(
        `found --certificate ${JSON.stringify(attribute)}, expected ${CERTIFICATE_ATTRIBUTES.join("=…, ")}=…`,
        2,
      );
    }
    (facts[name] ??= []).push(attribute.slice(equals + 1));
  }
  return facts;
}

function isCookie([name]: readonly [string, string]): boolean {
  return name.toLowerCase() === "cookie";
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
