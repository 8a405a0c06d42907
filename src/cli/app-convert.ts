import { Command } from "commander";
import { toOriginal } from "../config/original-form.ts";
import { formatProblems } from "../config/format-problems.ts";
import { printJson, type CliContext } from "./cli-context.ts";
import { CliFailure } from "./cli-failure.ts";
import { readDocuments } from "./read-documents.ts";

/** `halftone app convert FILE`: needs no gateway. */
export function appConvertCommand(context: CliContext): Command {
  return new Command("convert")
    .description("print an app's document as the value the original's gateways read from Redis")
    .argument("<file>", "a document in any form; - is standard input")
    .action(async (file: string) => {
      const documents = await readDocuments(context, file, "nothing was converted");
      const [document] = documents;
      if (document === undefined || documents.length > 1) {
        throw new CliFailure(
          `${file}: found ${documents.length} documents, expected one: it becomes the value of one key`,
        );
      }
      const original = toOriginal(document);
      if (!original.ok) {
        const lines = formatProblems(original.problems).map((line) => `  ${line}`);
        throw new CliFailure([`${file} has what the original's form cannot carry`, ...lines].join("\n"));
      }
      printJson(context, original.value);
    });
}
