import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";
import type { AppCell } from "../data/app-cell.ts";
import { connection } from "../data/feed.ts";
import { isDark } from "../preferences.ts";
import { paint, type Paper } from "./paint.ts";

/** Requests a second over the last minute; the number beside it says the same in words. */
export function Sparkline({ cell }: { readonly cell: AppCell }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const version = cell.changed.value;
  const dark = isDark.value;
  const isLost = connection.value.kind === "lost";
  useEffect(() => {
    if (canvas.current === null) return;
    // While nothing is heard the line stands: zeros would be a lie.
    const values = cell.spark.values(isLost ? cell.heardAt : Date.now());
    paint(canvas.current, (paper) => drawLine(paper, values));
  }, [cell, version, dark, isLost]);
  return <canvas ref={canvas} class="sparkline" aria-hidden="true" />;
}

function drawLine({ context, width, height, ink }: Paper, values: readonly (number | undefined)[]): void {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const points = values.flatMap((value, index): (readonly [x: number, y: number])[] =>
    value === undefined
      ? []
      : [[(index / (values.length - 1)) * (width - 4), height - 2 - (value / most) * (height - 5)]],
  );
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return;
  context.strokeStyle = ink;
  context.fillStyle = ink;
  context.lineWidth = 1.4;
  context.lineJoin = "round";
  context.beginPath();
  for (const point of points) context.lineTo(...point);
  context.stroke();
  context.lineTo(last[0], height);
  context.lineTo(first[0], height);
  context.globalAlpha = 0.09;
  context.fill();
  context.globalAlpha = 1;
  context.beginPath();
  context.arc(...last, 2, 0, Math.PI * 2);
  context.fill();
}
