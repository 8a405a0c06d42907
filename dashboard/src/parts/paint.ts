/** A canvas as it is drawn: sizes in CSS pixels, `ink` the colour of its text. */
export interface Paper {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly ink: string;
}

const waiting = new Map<HTMLCanvasElement, (paper: Paper) => void>();
let picture: number | undefined;

/**
 * Draws with the next picture; the last word counts. All canvases of a picture are measured before the first of them is
 * written, as each measure after that would lay out the page anew.
 */
export function paint(canvas: HTMLCanvasElement, draw: (paper: Paper) => void): void {
  waiting.set(canvas, draw);
  picture ??= requestAnimationFrame(paintAll);
}

function paintAll(): void {
  picture = undefined;
  const measured = Array.from(waiting, ([canvas, draw]) => ({
    canvas,
    draw,
    width: canvas.clientWidth,
    height: canvas.clientHeight,
    ink: getComputedStyle(canvas).color,
  }));
  waiting.clear();
  for (const { canvas, draw, width, height, ink } of measured) {
    const context = canvas.getContext("2d");
    if (context === null || width === 0) continue;
    const [across, down] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    if (canvas.width !== across || canvas.height !== down) {
      canvas.width = across;
      canvas.height = down;
    }
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, width, height);
    draw({ context, width, height, ink });
  }
}
