import { useEffect, useMemo, useRef } from "preact/hooks";
import type { JSX } from "preact";
import { isDark, isStill } from "../preferences.ts";
import { darkness, DOTS, dotOrder } from "./dot-order.ts";
import { paint, type Paper } from "./paint.ts";

/** Ms that a dot takes to turn. */
const TURN = 700;
const SMALL = 0.17;
const LARGE = 0.46;

export interface HalftoneProps {
  readonly app: string;
  /** Names the draw: the release's id. */
  readonly draw: string;
  /** Percentage of the public on the new version. */
  readonly share: number;
  /** 10 or 20. */
  readonly columns: number;
  /** The same in words. */
  readonly label: string;
}

/** The clients of an app as a field of dots: dark ones are on the new version. */
export function Halftone({ app, draw, share, columns, label }: HalftoneProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const order = useMemo(() => dotOrder(app, draw), [app, draw]);
  const shown = useRef<{ readonly order: Uint8Array; readonly levels: Float32Array } | undefined>(undefined);
  const dark = isDark.value;
  const still = isStill.value;
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const goal = Float32Array.from(order, (rank) => darkness(rank, share));
    // Only from its own dots to its own dots.
    const before = shown.current;
    const start = before?.order !== order || still ? goal : before.levels;
    const begun = performance.now();
    let isOver = false;
    const turn = (paper: Paper): void => {
      const part = still ? 1 : Math.min(1, (performance.now() - begun) / TURN);
      const eased = 1 - (1 - part) ** 3;
      const levels = Float32Array.from(goal, (level, dot) => start[dot]! + (level - start[dot]!) * eased);
      shown.current = { order, levels };
      drawField(paper, levels, columns);
      if (!isOver && part < 1 && levels.some((level, dot) => level !== goal[dot])) paint(element, turn);
    };
    paint(element, turn);
    const repaint = (): void => paint(element, turn);
    addEventListener("resize", repaint);
    return () => {
      isOver = true;
      removeEventListener("resize", repaint);
    };
  }, [order, share, columns, dark, still]);
  return <canvas ref={canvas} class={`halftone columns-${columns}`} role="img" aria-label={label} />;
}

function drawField({ context, width, height, ink }: Paper, levels: Float32Array, columns: number): void {
  const rows = DOTS / columns;
  const pitch = Math.min(width / columns, height / rows);
  const left = (width - pitch * columns) / 2;
  const top = (height - pitch * rows) / 2;
  context.fillStyle = ink;
  for (const [dot, level] of levels.entries()) {
    context.globalAlpha = 0.38 + 0.62 * level;
    context.beginPath();
    const x = left + ((dot % columns) + 0.5) * pitch;
    const y = top + (Math.floor(dot / columns) + 0.5) * pitch;
    context.arc(x, y, pitch * (SMALL + (LARGE - SMALL) * level), 0, Math.PI * 2);
    context.fill();
  }
  context.globalAlpha = 1;
}
