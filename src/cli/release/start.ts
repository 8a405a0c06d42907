import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { Command } from "commander";
import type { ReleaseJson } from "../../admin/release-schemas.ts";
import { readDocumentText } from "../../config/document-text.ts";
import { formatProblems } from "../../config/format-problems.ts";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "../admin-client.ts";
import type { CliContext } from "../cli-context.ts";
import { CliFailure } from "../cli-failure.ts";
import { awaited, tellAndAwait, withAwait, type AwaitOptions } from "./await-release.ts";

interface StartOptions extends AdminOptions, AwaitOptions {
  readonly version: string;
  readonly plan?: string;
  readonly groups?: string;
  readonly update?: string;
  readonly restore?: string;
}

/** `halftone release start NAME --version V [--plan FILE] [--until PHASE] [--wait]` */
export function startCommand(context: CliContext): Command {
  return withAwait(
    withAdminOptions(new Command("start"))
      .description("begin a release: its first group is drained")
      .argument("<name>", "name of the app")
      .requiredOption("--version <version>", "what is released; hooks are told it")
      .option(
        "--plan <file>",
        "its steps, YAML or JSON: [{testers: wait}, {share: 10, for: 5m}, …]; - is standard input",
      )
      .option(
        "--groups <names>",
        "all groups in the order of their turns, like blue,green (default: the app's)",
      )
      .option(
        "--update <hook>",
        "hook of halftone.yaml that updates servers (default: a person does, and says continue)",
      )
      .option("--restore <hook>", "hook of halftone.yaml that brings the version before back"),
    true,
  ).action(async (name: string, options: StartOptions) => {
    const asked = awaited(options);
    const { version, plan, groups, update, restore } = options;
    const body = {
      version,
      ...(plan !== undefined && { steps: await stepsOf(context, plan) }),
      ...(groups !== undefined && { groups: groups.split(",").map((group) => group.trim()) }),
      ...(update !== undefined && { update }),
      ...(restore !== undefined && { restore }),
    };
    const client = await AdminClient.open(context, options);
    const answer = await client.request(appPath(name, "/release"), { method: "POST", body });
    await tellAndAwait(context, client, answer.body as ReleaseJson, asked);
  });
}

/** A list of steps, or a map with them as `steps`; whether they make sense is the release's affair. */
async function stepsOf(context: CliContext, file: string): Promise<unknown> {
  const read = readDocumentText(await textOf(context, file));
  const nothing = "nothing was begun";
  if (!read.ok) {
    const lines = formatProblems(read.problems).map((line) => `  ${line}`);
    throw new CliFailure([`${file} cannot be read; ${nothing}`, ...lines].join("\n"));
  }
  const { value } = read;
  const isMap = typeof value === "object" && value !== null && "steps" in value;
  const steps = isMap ? value.steps : value;
  if (Array.isArray(steps)) return steps as unknown;
  throw new CliFailure(
    `${file} holds no steps, expected a list of them, or one under the key steps; ${nothing}`,
  );
}

async function textOf(context: CliContext, file: string): Promise<string> {
  if (file === "-") return await text(context.stdin);
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new CliFailure(`${file} cannot be read: ${(error as Error).message}; nothing was begun`);
  }
}
