import { INPUT_KINDS, type InputKind } from "./batch.ts";
import type { Tally } from "./tally.ts";

/** The result as a Markdown table: one column for each kind of input, as it stands in docs/fuzzing.md. */
export function resultTable(tallies: Readonly<Record<InputKind, Tally>>): string {
  const rows: [string, readonly number[]][] = [];
  const add = (name: string, read: (tally: Tally) => number): void => {
    rows.push([name, INPUT_KINDS.map((kind) => read(tallies[kind]))]);
  };
  const addAll = (title: string, counts: (tally: Tally) => Readonly<Record<string, number>>): void => {
    const names = new Set(INPUT_KINDS.flatMap((kind) => Object.keys(counts(tallies[kind]))));
    const total = (name: string): number =>
      INPUT_KINDS.reduce((sum, kind) => sum + (counts(tallies[kind])[name] ?? 0), 0);
    for (const name of [...names].sort((a, b) => total(b) - total(a))) {
      add(`${title}: \`${name}\``, (tally) => counts(tally)[name] ?? 0);
    }
  };
  add("inputs", (tally) => tally.inputs);
  add("accepted by both", (tally) => tally.bothAccept);
  add("refused by both", (tally) => tally.bothRefuse);
  add("incomplete", (tally) => tally.incomplete);
  addAll("stricter", (tally) => tally.stricter);
  addAll("explained", (tally) => tally.explained);
  add("written anew and read again", (tally) => tally.roundTrips);
  add("parts parsed", (tally) => tally.splits);
  add("unsafe differences", (tally) => tally.unsafe);
  add("exceptions", (tally) => tally.exceptions);

  const cells = [
    ["", "requests", "responses", "chunked bodies"],
    ...rows.map(([name, counts]) => [name].concat(counts.map(grouped))),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map(
    (row) =>
      `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`,
  );
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

function grouped(number: number): string {
  return number.toLocaleString("en-GB");
}
