import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { compileApp } from "../config/compile-app.ts";
import { formatProblems } from "../config/format-problems.ts";
import type { GatewaySettings } from "../config/gateway-settings.ts";
import { parseHalftoneConfig } from "../config/halftone-config.ts";
import { loadAppFiles, type FileProblems, type LoadedApp } from "../config/load-documents.ts";
import type { Problem } from "../config/problem.ts";
import type { HookSettings } from "../config/hook-settings.ts";
import { unknownHooksOf } from "../config/unknown-hooks.ts";
import { unknownTlsOf } from "../config/unknown-tls.ts";
import { routeKey } from "../core/route-table.ts";
import { checkTls } from "../gateway/tls-check.ts";
import { readTlsFiles } from "../gateway/tls-material.ts";
import { printJson, printLine, type CliContext } from "./cli-context.ts";
import { CliFailure } from "./cli-failure.ts";

interface Checked {
  readonly ok: boolean;
  readonly apps: number;
  readonly groups: number;
  readonly servers: number;
  readonly problems: readonly FileProblems[];
}

/** `halftone check -c halftone.yaml`: needs no gateway, and changes nothing. */
export function checkCommand(context: CliContext): Command {
  return new Command("check")
    .description("check the configuration and all app documents it names")
    .requiredOption("-c, --config <file>", "configuration file", "halftone.yaml")
    .option("--json", "as JSON: {ok, apps, groups, servers, problems}")
    .action(async (options: { config: string; json?: boolean }) => {
      const checked = await check(options.config);
      if (options.json === true) printJson(context, checked);
      else if (checked.ok) {
        const counts = [
          counted(checked.apps, "app"),
          counted(checked.groups, "group"),
          counted(checked.servers, "server"),
        ];
        printLine(context, `${options.config} is valid: ${counts.join(", ")}`);
      }
      if (!checked.ok) throw new CliFailure(problemsText(checked.problems));
    });
}

async function check(file: string): Promise<Checked> {
  const nothing = { ok: false, apps: 0, groups: 0, servers: 0 };
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new CliFailure(`${file} cannot be read: ${(error as Error).message}`);
  }
  const config = parseHalftoneConfig(text, dirname(resolve(file)));
  // Which app files there are is known only from a configuration that can be read.
  if (!config.ok) return { ...nothing, problems: [{ file, problems: config.problems }] };
  const { documents, problems } = await loadAppFiles(config.value);
  const all = [
    ...(await tlsProblems(config.value.gateway)),
    ...problems,
    ...routeConflicts(documents),
    ...unknownTls(documents, config.value.gateway),
    ...unknownHooks(documents, config.value.hooks),
  ];
  const groups = documents.flatMap(({ document }) => Object.values(document.groups));
  const servers = groups.reduce((sum, group) => sum + group.servers.length, 0);
  return { ok: all.length === 0, apps: documents.length, groups: groups.length, servers, problems: all };
}

async function tlsProblems(settings: GatewaySettings): Promise<readonly FileProblems[]> {
  const { files, problems } = await readTlsFiles(settings);
  return [...problems, ...checkTls(settings, files, Date.now())].map(({ file, found, expected }) => ({
    file,
    problems: [{ path: "", found, expected }],
  }));
}

function unknownTls(apps: readonly LoadedApp[], settings: GatewaySettings): readonly FileProblems[] {
  return apps.flatMap(({ file, document }) =>
    unknownTlsOf([document], settings).map(({ problem }) => ({ file, problems: [problem] })),
  );
}

function unknownHooks(apps: readonly LoadedApp[], hooks: readonly HookSettings[]): readonly FileProblems[] {
  return apps.flatMap(({ file, document }) => {
    const problems = unknownHooksOf(document, hooks);
    return problems.length === 0 ? [] : [{ file, problems }];
  });
}

/** Two apps may not claim the same route; the gateway would refuse the second. */
function routeConflicts(apps: readonly LoadedApp[]): readonly FileProblems[] {
  const claims = new Map<string, LoadedApp>();
  return apps.flatMap((app) => {
    const problems: Problem[] = [];
    for (const [index, route] of compileApp(app.document, 1).routes.entries()) {
      const key = routeKey(route);
      const first = claims.get(key);
      if (first === undefined) claims.set(key, app);
      else {
        const expected = `another route: app ${first.document.name} of ${first.file} has this one`;
        problems.push({ path: `routes[${index}]`, found: JSON.stringify(key), expected });
      }
    }
    return problems.length === 0 ? [] : [{ file: app.file, problems }];
  });
}

function problemsText(files: readonly FileProblems[]): string {
  const count = files.reduce((sum, { problems }) => sum + problems.length, 0);
  return [
    `found ${counted(count, "problem")}; a running gateway keeps what is in force`,
    ...files.flatMap(({ file, problems }) => formatProblems(problems).map((line) => `  ${file}: ${line}`)),
  ].join("\n");
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
