import { StringDecoder } from "node:string_decoder";
import { harmlessText } from "./harmless-text.ts";

/** Characters of a line that are kept; the rest of it is left out. */
const LONGEST_LINE = 1000;
/** Of what was printed, at least the last so many bytes are kept. */
const KEPT = 64 * 1024;
/** At so many the oldest are dropped: not line by line, which would copy all others for each. */
const MOST_KEPT = KEPT + KEPT / 4;

/** What a program prints: handed on line by line, its end kept. What is held is bounded, whatever it prints. */
export class OutputTail {
  private lines: string[] = [];
  private size = 0;
  private readonly onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.onLine = onLine;
  }

  /** One of the program's streams: its lines are put together apart from those of others. */
  stream(): { write(bytes: Buffer): void; end(): void } {
    const decoder = new StringDecoder("utf8");
    let begun = "";
    const take = (text: string): void => {
      // A bare CR begins the line anew on a terminal: progress bars. Each state of them is a line here.
      const parts = text.split(/[\r\n]/);
      const last = parts.pop()!;
      for (const part of parts) {
        this.add(begun + part.slice(0, LONGEST_LINE + 1));
        begun = "";
      }
      begun = (begun + last.slice(0, LONGEST_LINE + 1)).slice(0, LONGEST_LINE + 1);
    };
    return {
      write: (bytes) => take(decoder.write(bytes)),
      end: () => {
        take(decoder.end());
        this.add(begun);
        begun = "";
      },
    };
  }

  /** All that is kept. */
  get text(): string {
    return this.lines.join("\n");
  }

  /** The last lines, in at most so many characters. */
  lastLines(most: number, characters: number): readonly string[] {
    const chosen: string[] = [];
    let size = 0;
    for (const line of this.lines.slice(-most).reverse()) {
      size += line.length + 1;
      if (size > characters && chosen.length > 0) break;
      chosen.unshift(line);
    }
    return chosen;
  }

  /** Blank lines are left out. */
  private add(raw: string): void {
    const line = harmlessText(raw.length > LONGEST_LINE ? `${raw.slice(0, LONGEST_LINE)}…` : raw).trimEnd();
    if (line === "") return;
    this.onLine(line);
    this.lines.push(line);
    this.size += Buffer.byteLength(line) + 1;
    if (this.size <= MOST_KEPT) return;
    let dropped = 0;
    while (this.size > KEPT) this.size -= Buffer.byteLength(this.lines[dropped++]!) + 1;
    this.lines = this.lines.slice(dropped);
  }
}
