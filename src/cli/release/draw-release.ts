import type { ReleaseJson } from "../../admin/release-schemas.ts";
import type { ServerRow } from "../../admin/schemas.ts";
import type { VerdictJson } from "../../admin/verdict-schemas.ts";
import type { GroupTraffic } from "../../fleet/group-traffic.ts";
import { metersOf } from "./draw-verdict.ts";
import { publicOnNew, type Stop, type StopMark, stopsOf } from "../../core/release-stops.ts";
import { needOf } from "./release-need.ts";
import { phaseInWords, printable, waitInWords } from "./release-words.ts";
import { columns, padded, styledLine, wrapped, type Piece } from "./styled-line.ts";

/** What a group does now. */
export type Traffic = Pick<GroupTraffic, "group" | "perSecond" | "failuresPerSecond">;

const LABEL = 9;
/** Narrower terminals get less words. */
const ROOMY = 76;
const WIDEST_BAR = 40;
const LOG_LINES = 5;

/**
 * A release as a picture for a terminal of that width: each group's way, who is on the new version, every server, how far
 * the evidence is, what it waits for, and the last lines of its log. No line is wider; without `colour` there is no escape sequence.
 */
export function drawRelease(
  view: ReleaseJson,
  servers: readonly ServerRow[],
  groups: readonly Traffic[],
  width: number,
  colour: boolean,
  verdict?: VerdictJson,
): readonly string[] {
  const parts: readonly (readonly (readonly (Piece | string)[])[])[] = [
    [headOf(view)],
    waysOf(view, width),
    [shareOf(view, width)],
    groupsOf(view, servers, groups, width),
    verdict === undefined ? [] : metersOf(verdict),
    wordsOf(view, width),
    logOf(view),
  ];
  const lines: string[] = [];
  for (const part of parts) {
    if (lines.length > 0 && part.length > 0) lines.push("");
    for (const pieces of part) lines.push(styledLine(pieces, width, colour));
  }
  return lines;
}

function headOf({ app, version, status, id }: ReleaseJson): readonly (Piece | string)[] {
  const style = status === "done" ? "good" : status === "running" ? "busy" : "bad";
  const words = {
    running: "running",
    paused: "paused",
    done: "done",
    rollingBack: "going back",
    rolledBack: "rolled back",
  };
  return [
    { text: printable(`${app} ${version}`), style: "bold" },
    "  ",
    { text: words[status], style },
    { text: `  release ${id}`, style: "dim" },
  ];
}

const MARKS: Readonly<Record<StopMark, string>> = { was: "✔", is: "▶", comes: "·" };

/** What was, is and comes of every group; names of what is not now are left out where they do not fit. */
function waysOf(view: ReleaseJson, width: number): readonly (readonly (Piece | string)[])[] {
  const name = Math.max(...view.groups.map((group) => columns(group.name))) + 2;
  const ways = view.groups.map((group) => ({ group: group.name, stops: stopsOf(view, group.name) }));
  const full = ways.map(({ group, stops }) => wayLine(padded(group, name), stops, false));
  const fits = full.every((line) => line.reduce((sum, piece) => sum + columns(textOf(piece)), 0) <= width);
  return fits ? full : ways.map(({ group, stops }) => wayLine(padded(group, name), stops, true));
}

function wayLine(name: string, stops: readonly Stop[], isShort: boolean): readonly (Piece | string)[] {
  const pieces = stops.flatMap(({ text, mark }): (Piece | string)[] => {
    const style = mark === "was" ? "good" : mark === "is" ? "busy" : "dim";
    if (mark === "is") return [{ text: `${MARKS.is} ${text}`, style }, "  "];
    return isShort ? [{ text: MARKS[mark], style }, " "] : [{ text: `${MARKS[mark]} ${text}`, style }, "  "];
  });
  return [{ text: name, style: "bold" }, ...pieces.slice(0, -1)];
}

function shareOf(view: ReleaseJson, width: number): readonly (Piece | string)[] {
  const share = publicOnNew(view);
  const words = ` ${share} % of the clients on ${printable(view.version)}`;
  const length = Math.max(4, Math.min(WIDEST_BAR, width - LABEL - columns(words)));
  const filled = share === 0 ? 0 : Math.max(1, Math.floor((share / 100) * length));
  return [
    { text: padded("share", LABEL), style: "dim" },
    { text: "█".repeat(filled), style: "good" },
    { text: "░".repeat(length - filled), style: "dim" },
    words,
  ];
}

const SERVES = {
  public: "serves everybody",
  testers: "serves testers",
  standby: "stands by",
  nobody: "serves nobody",
} as const;

function groupsOf(
  view: ReleaseJson,
  servers: readonly ServerRow[],
  traffic: readonly Traffic[],
  width: number,
): readonly (readonly (Piece | string)[])[] {
  const name = Math.max(...view.groups.map((group) => columns(group.name))) + 2;
  const own = servers.map(({ server }) => columns(server));
  const address = Math.max(...own, name) + 2;
  return view.groups.flatMap((group) => {
    const shares = view.phase === "shifting" && view.share < 100 && group.serves === "public";
    const serves = shares ? "serves a part" : SERVES[group.serves];
    const rate = traffic.find((one) => one.group === group.name);
    const failures = rate?.failuresPerSecond ?? 0;
    const head: (Piece | string)[] = [
      { text: padded(group.name, name), style: "bold" },
      width < ROOMY ? padded(group.condition, 10) : padded(`${group.condition}, ${serves}`, 26),
      ...(rate === undefined ? [] : [padded(`${rate.perSecond} requests/s`, width < ROOMY ? 16 : 18)]),
      ...(rate === undefined
        ? []
        : [{ text: `${failures} errors/s`, ...(failures > 0 && { style: "bad" as const }) }]),
    ];
    const rows = servers.filter((server) => server.group === group.name);
    const state = Math.max(6, ...rows.map((row) => row.state.length + 1));
    return [head, ...rows.map((server) => serverLine(server, address, state))];
  });
}

function serverLine(
  { server, state, inFlight, lastError }: ServerRow,
  address: number,
  stateWidth: number,
): readonly (Piece | string)[] {
  const isUp = state === "up";
  return [
    `  ${padded(server, address)}`,
    { text: padded(state, stateWidth), style: isUp ? "good" : "bad" },
    padded(`${inFlight} in flight`, 15),
    { text: isUp || lastError === null ? "" : printable(lastError), style: "bad" },
  ];
}

function wordsOf(view: ReleaseJson, width: number): readonly (readonly (Piece | string)[])[] {
  const need = needOf(view);
  const rows: readonly (readonly [label: string, text: string | undefined | null])[] = [
    ["now", [phaseInWords(view), waitInWords(view)].filter((part) => part !== undefined).join("; ")],
    ["reason", view.reason],
    ["needed", need?.what],
    ...(need?.commands ?? []).map(([command, does]) => ["", `${command}  (${does})`] as const),
    [
      "return",
      need === undefined && view.cheapReturn ? `cheap: halftone release rollback ${view.app}` : undefined,
    ],
  ];
  return rows.flatMap(([label, text]) => {
    if (text === undefined || text === null) return [];
    return wrapped(printable(text), Math.max(10, width - LABEL)).map((line, index) => [
      { text: padded(index === 0 ? label : "", LABEL), style: "dim" as const },
      line,
    ]);
  });
}

function logOf({ log }: ReleaseJson): readonly (readonly (Piece | string)[])[] {
  const shown = log.slice(-LOG_LINES);
  const by = Math.max(0, ...shown.map((entry) => columns(printable(entry.by))));
  return shown.map((entry) => [
    { text: `${entry.at.slice(11, 19)}Z  `, style: "dim" },
    padded(printable(entry.by), by + 2),
    printable(entry.what),
  ]);
}

function textOf(piece: Piece | string): string {
  return typeof piece === "string" ? piece : piece.text;
}
