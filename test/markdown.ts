import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { globSync } from "tinyglobby";

/** The repository's root, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../", import.meta.url));

/** The documents of the repository, as paths from its root. */
export function markdownFiles(): readonly string[] {
  const folders = ["*.md", "docs/**/*.md", "bench/**/*.md", "examples/**/*.md"];
  // Those of packages that a benchmark has installed are not ours.
  return globSync(folders, { cwd: ROOT, ignore: ["**/node_modules/**"] }).sort();
}

export function read(path: string): string {
  return readFileSync(ROOT + path, "utf8");
}

/** A fenced block: "```yaml app" has the language `yaml` and the mark `app`. */
export interface Block {
  readonly language: string;
  readonly mark: string;
  readonly text: string;
}

export function blocksOf(markdown: string): readonly Block[] {
  return Array.from(markdown.matchAll(/^```(\w*)([^\n]*)\n([^]*?)^```$/gm), (match) => ({
    language: match[1] ?? "",
    mark: (match[2] ?? "").trim(),
    text: match[3] ?? "",
  }));
}

/** The cells of every row of every table, without heads; code spans keep their backticks. */
export function rowsOf(markdown: string): readonly (readonly string[])[] {
  const lines = markdown.split("\n");
  return lines.flatMap((line, index) => {
    const isHead = /^\|[ :|-]+\|$/.test(lines[index + 1] ?? "");
    if (!line.startsWith("|") || isHead || /^\|[ :|-]+\|$/.test(line)) return [];
    return [
      line
        .slice(1, line.lastIndexOf("|"))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    ];
  });
}

/** The part under the heading, up to the next one of the same or a higher level. */
export function sectionOf(markdown: string, heading: string): string {
  const lines = markdown.split("\n");
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
  if (start < 0) throw new Error(`there is no heading ${JSON.stringify(heading)}`);
  const level = /^#+/.exec(lines[start] ?? "")![0].length;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => new RegExp(`^#{1,${level}} `).test(line));
  return (end < 0 ? rest : rest.slice(0, end)).join("\n");
}

/** The texts of the code spans. */
export function spansOf(text: string): readonly string[] {
  return Array.from(text.matchAll(/`([^`\n]+)`/g), (match) => match[1] ?? "");
}
