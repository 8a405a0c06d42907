import type { VerdictJson } from "../../admin/verdict-schemas.ts";
import { printable } from "./release-words.ts";
import { columns, padded, styledLine, wrapped, type Piece } from "./styled-line.ts";

const LABEL = 9;
const BAR = 24;

type Line = readonly (Piece | string)[];

/** The evidence as a picture for a terminal of that width: both meters, each signal's numbers, and what it means. */
export function drawVerdict(verdict: VerdictJson, width: number, colour: boolean): readonly string[] {
  const lines: Line[] = [...metersOf(verdict), ...signalsOf(verdict), ...wordsOf(verdict, width)];
  return lines.map((pieces) => styledLine(pieces, width, colour));
}

/** The two meters alone, as the picture of a release has them; none before the first window. */
export function metersOf({ answer, unequal, beyond, notWorse }: VerdictJson): readonly Line[] {
  if (answer === "none") return [];
  const worse = unequal.part < beyond.part ? unequal : beyond;
  return [meterLine("worse", worse, "bad"), meterLine("not worse", notWorse, "good")];
}

function meterLine(
  label: string,
  { evidence, needed, part }: VerdictJson["unequal"],
  style: "good" | "bad",
): Line {
  const filled = Math.floor(part * BAR);
  return [
    { text: padded(label, LABEL + 1), style: "dim" },
    { text: "█".repeat(filled), style },
    { text: "░".repeat(BAR - filled), style: "dim" },
    ` ${shortNumber(evidence)} of ${shortNumber(needed)}`,
  ];
}

function signalsOf({ signals }: VerdictJson): readonly Line[] {
  if (signals.length === 0) return [];
  const name = Math.max(...signals.map((signal) => columns(printable(signal.name)))) + 2;
  const head: Line = [
    {
      text: `${padded("", name)}${padded("new version", 22)}${padded("others", 22)}times as often`,
      style: "dim",
    },
  ];
  const rows = signals.map(({ name: signal, test, rest, risk, interval }): Line => {
    const range = `${shortNumber(interval.low)} to ${interval.high === null ? "any" : shortNumber(interval.high)}`;
    return [
      { text: padded(printable(signal), name), style: "bold" },
      padded(`${test.bad} of ${test.total}`, 22),
      padded(`${rest.bad} of ${rest.total}`, 22),
      `${risk === null ? "?" : shortNumber(risk)} (${range})`,
    ];
  });
  return [[], head, ...rows];
}

function wordsOf({ words, testers }: VerdictJson, width: number): readonly Line[] {
  const { requests, failed } = testers;
  const apart = requests === 0 ? [] : [`Testers, apart: ${requests} requests, ${failed} failed.`];
  return [
    [],
    ...[...words, ...apart].flatMap((sentence) => wrapped(printable(sentence), width).map((line) => [line])),
  ];
}

/** Two digits that say something. */
function shortNumber(value: number): string {
  if (value >= 1e6) return "very many";
  if (value >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(2)));
}
