import type { CliContext } from "./cli-context.ts";

const TO_OTHER_SCREEN = "\u001b[?1049h\u001b[?25l";
const BACK_TO_FIRST_SCREEN = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** The terminal's other screen, of which nothing is left afterwards; whole frames, so that it does not flicker. */
export class FullScreen {
  private readonly context: CliContext;
  private isOpen = false;

  constructor(context: CliContext) {
    this.context = context;
  }

  /** Draws over the last frame; lines that do not fit are left out. */
  draw(lines: readonly string[]): void {
    const { stdout } = this.context;
    // The last row stays free: a line feed there would scroll the picture away.
    const shown = lines.slice(0, (stdout.rows ?? 24) - 1);
    const frame = HOME + shown.map((line) => `${line}${CLEAR_LINE}\n`).join("") + CLEAR_BELOW;
    stdout.write(this.isOpen ? frame : TO_OTHER_SCREEN + frame);
    this.isOpen = true;
  }

  /** Back to what stood there before, if anything was drawn. */
  close(): void {
    if (this.isOpen) this.context.stdout.write(BACK_TO_FIRST_SCREEN);
    this.isOpen = false;
  }
}
