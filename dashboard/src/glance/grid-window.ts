/** The part of a grid that is to be drawn. */
export interface GridWindow {
  readonly columns: number;
  /** At least as many as items are ever drawn at a time: an item is drawn in the slot of its index modulo this. */
  readonly slots: number;
  /** Index of the first item drawn, and of the one after the last. */
  readonly first: number;
  readonly end: number;
  /** Of all rows, in px. */
  readonly height: number;
  /** Of the first row drawn, in px. */
  readonly top: number;
}

export interface GridMeasures {
  readonly count: number;
  /** Of the grid, in px. */
  readonly width: number;
  readonly leastWidth: number;
  readonly gap: number;
  readonly rowHeight: number;
  /** What is seen of the grid, in px from its top. */
  readonly from: number;
  readonly to: number;
}

/** Rows drawn above and below what is seen, so that a quick scroll finds them there. */
const SPARE = 2;

export function gridWindow(measures: GridMeasures): GridWindow {
  const { count, width, leastWidth, gap, rowHeight, from, to } = measures;
  const columns = Math.max(1, Math.floor((width + gap) / (leastWidth + gap)));
  const rows = Math.ceil(count / columns);
  const pitch = rowHeight + gap;
  const firstRow = Math.min(Math.max(0, Math.floor(from / pitch) - SPARE), Math.max(0, rows - 1));
  const endRow = Math.min(rows, Math.max(firstRow + 1, Math.ceil(to / pitch) + SPARE));
  return {
    columns,
    slots: columns * (Math.ceil((to - from) / pitch) + 2 * SPARE + 1),
    first: firstRow * columns,
    end: Math.min(count, endRow * columns),
    height: Math.max(0, rows * pitch - gap),
    top: firstRow * pitch,
  };
}

/** The item to which an arrow key leads; undefined: the key leads nowhere. */
export function itemAfter(key: string, index: number, columns: number, count: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    Home: -index,
    End: count - 1 - index,
  };
  const step = steps[key];
  if (step === undefined || count === 0) return undefined;
  const next = index + step;
  return next < 0 || next >= count ? undefined : next;
}
