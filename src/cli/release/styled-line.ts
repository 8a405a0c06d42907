/** A part of a line with its look: SGR codes, applied only with colour. */
export interface Piece {
  readonly text: string;
  readonly style?: Style;
}

export type Style = "bold" | "dim" | "good" | "bad" | "busy";

const SGR: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  good: [32, 39],
  bad: [31, 39],
  busy: [33, 39],
};

/** The line, cut to the width with an ellipsis, so that a terminal never wraps it. */
export function styledLine(pieces: readonly (Piece | string)[], width: number, colour: boolean): string {
  let room = pieces.reduce((sum, piece) => sum + columns(textOf(piece)), 0) > width ? width - 1 : width;
  let line = "";
  for (const piece of pieces) {
    const whole = textOf(piece);
    const text = columns(whole) <= room ? whole : cut(whole, room);
    const style = typeof piece === "string" ? undefined : piece.style;
    line +=
      style === undefined || !colour || text === ""
        ? text
        : `\u001b[${SGR[style][0]}m${text}\u001b[${SGR[style][1]}m`;
    room -= columns(text);
    if (text.length < whole.length) return `${line}…`;
  }
  return line.trimEnd();
}

/** The text in lines of at most that width, broken at spaces. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (columns(longer) > width && line !== "") {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line === "" ? lines : [...lines, line];
}

export function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - columns(text)));
}

/** Columns of a terminal that the text takes: two for East Asian wide characters and emoji. */
export function columns(text: string): number {
  let sum = 0;
  for (const character of text) sum += columnsOf(character);
  return sum;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

function columnsOf(character: string): number {
  if (/\p{Mn}/u.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

function cut(text: string, width: number): string {
  let room = width;
  let kept = "";
  for (const character of text) {
    room -= columnsOf(character);
    if (room < 0) break;
    kept += character;
  }
  return kept;
}

function textOf(piece: Piece | string): string {
  return typeof piece === "string" ? piece : piece.text;
}
