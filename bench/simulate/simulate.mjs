// @ts-check
// What the verdicts do on simulated traffic: tables on the standard output, or into docs/verdicts.md.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { commandLine, UsageError } from "../command-line.mjs";
import { STUDIES } from "./studies/catalogue.mjs";

const USAGE = `npm run simulate -- [options]
  --releases N   simulated releases of each row (10000)
  --seed N       the same seed draws the same traffic (20261126)
  --only IDS     ${STUDIES.map(({ id }) => id).join(",")}
  --write        put tables and pictures into docs/verdicts.md and docs/images
`;
const DOCUMENT = new URL("../../docs/verdicts.md", import.meta.url);
const IMAGES = new URL("../../docs/images/", import.meta.url);

try {
  main();
} catch (error) {
  process.stderr.write(`simulate: ${/** @type {Error} */ (error).message}\n`);
  if (error instanceof UsageError) process.stderr.write(USAGE);
  process.exit(error instanceof UsageError ? 2 : 1);
}

function main() {
  const { help, flag, text, whole } = commandLine(["releases", "seed", "only"], ["write"]);
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  const run = { releases: whole("releases", 10_000, 1), seed: whole("seed", 20_261_126, 0) };
  const studies = chosen(text("only"));
  process.stdout.write(`seed ${run.seed}, ${run.releases} releases a row\n`);
  for (const { id, title, run: study } of studies) {
    const started = performance.now();
    const { head, rows, picture } = study(run);
    const table = markdown(head, rows);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    process.stdout.write(`\n${title} (${id}, ${seconds} s)\n\n${table}`);
    if (!flag("write")) continue;
    replaceTable(id, `${table}\nSeed ${run.seed}, ${run.releases.toLocaleString("en")} releases a row.\n`);
    if (picture === undefined) continue;
    mkdirSync(IMAGES, { recursive: true });
    writeFileSync(new URL(`verdicts-${id}.svg`, IMAGES), picture);
  }
}

/** @param {string | undefined} list */
function chosen(list) {
  if (list === undefined) return STUDIES;
  const ids = list.split(",");
  const unknown = ids.find((id) => !STUDIES.some((study) => study.id === id));
  if (unknown !== undefined) throw new UsageError(`--only: no study is called "${unknown}"`);
  return STUDIES.filter(({ id }) => ids.includes(id));
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
function markdown(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

/**
 * Between the marks of that study.
 * @param {string} id
 * @param {string} table
 */
function replaceTable(id, table) {
  const document = readFileSync(DOCUMENT, "utf8");
  const [begin, end] = [`<!-- simulated: ${id} -->\n`, `<!-- end -->`];
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`docs/verdicts.md has no place for "${id}"`);
  writeFileSync(DOCUMENT, `${document.slice(0, from + begin.length)}\n${table}\n${document.slice(to)}`);
}
