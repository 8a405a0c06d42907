import { Command } from "commander";
import type { AppDocument } from "../config/app-document.ts";
import { AdminClient, appPath, withAdminOptions, type AdminOptions } from "./admin-client.ts";
import { awaitEverywhere, withWait, type WaitOption } from "./wait-option.ts";
import { printJson, printLine, type CliContext } from "./cli-context.ts";
import { readDocuments } from "./read-documents.ts";

interface Applied {
  readonly name: string;
  readonly change: "created" | "updated";
  readonly revision: number;
}

/** `halftone app apply -f FILE [-f FILE]` */
export function appApplyCommand(context: CliContext): Command {
  return withAdminOptions(withWait(new Command("apply")))
    .description(
      "create or update apps from documents (YAML or JSON, canonical or one of the original's forms)",
    )
    .requiredOption(
      "-f, --file <file>",
      "a document, or several; - is standard input; may be repeated",
      collect,
    )
    .option("--force", "whatever stands, also what somebody changes in the meantime")
    .option("--json", "as JSON: [{name, change, revision}]")
    .action(
      async (options: AdminOptions & WaitOption & { file: string[]; force?: boolean; json?: boolean }) => {
        const documents: AppDocument[] = [];
        // All files are read first: a fault in the last one must not leave the others half applied.
        for (const file of options.file) {
          documents.push(...(await readDocuments(context, file, "nothing was applied")));
        }
        const client = await AdminClient.open(context, options);
        const applied: Applied[] = [];
        try {
          for (const document of documents) {
            const one = await apply(client, document, options.force === true);
            applied.push(one);
            await awaitEverywhere(client, one, options);
            const line = `${one.name} ${one.change}, revision ${one.revision}`;
            if (options.json !== true) printLine(context, line);
          }
        } finally {
          if (options.json === true) printJson(context, applied);
        }
      },
    );
}

async function apply(client: AdminClient, document: AppDocument, force: boolean): Promise<Applied> {
  const { name } = document;
  const headers = force ? { "If-Match": "*" } : await precondition(client, name);
  const answer = await client.request(appPath(name), { method: "PUT", headers, body: document });
  const revision = Number(answer.etag?.replaceAll('"', ""));
  return { name, change: answer.status === 201 ? "created" : "updated", revision };
}

async function precondition(client: AdminClient, name: string): Promise<Record<string, string>> {
  const { status, etag } = await client.request(appPath(name), { accept: [404] });
  return status === 404 || etag === undefined ? { "If-None-Match": "*" } : { "If-Match": etag };
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
