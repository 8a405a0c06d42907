import { isAmong } from "./client-marks.ts";
import { addCounts, NO_COUNTS, type Counts } from "./counts.ts";
import type { SignalWindow, VerdictWindow } from "./evidence.ts";
import type { Cell, Side, TallyWindow } from "./tally.ts";

/** Which side each server is on; one that is on none is passed over. */
export type SideOf = ReadonlyMap<string, Side>;

const NO_CELL: Cell = [0, 0, 0, 0, 0, 0, 0];

/** What several processes or gateways counted in the same window, or one of them in parts of it. */
export function addWindows(one: TallyWindow, other: TallyWindow): TallyWindow {
  const names = new Set([...Object.keys(one.cells), ...Object.keys(other.cells)]);
  const cells = Object.fromEntries(
    Array.from(names, (name) => {
      const [first, second] = [one.cells[name] ?? NO_CELL, other.cells[name] ?? NO_CELL];
      return [name, first.map((count, index) => count + second[index]!) as unknown as Cell];
    }),
  );
  const part = Math.min(one.part, other.part);
  return {
    window: one.window,
    part,
    cells,
    erring: [...one.erring, ...other.erring],
    // Each stands for as many others.
    met: [...one.met, ...other.met].filter((client) => isAmong(part, client)),
    testers: [one.testers[0] + other.testers[0], one.testers[1] + other.testers[1]],
  };
}

/**
 * A window as the tests take it. `seen` holds the clients that are known to have failed in the present ten minutes, and
 * gets those of this window: a client that failed at several processes is one.
 */
export function compareWindow(window: TallyWindow, sideOf: SideOf, seen: Set<number>): VerdictWindow {
  const failed = new Map<string, number>();
  for (const [client, cell] of window.erring) {
    if (seen.has(client)) continue;
    seen.add(client);
    failed.set(cell, (failed.get(cell) ?? 0) + 1);
  }
  const names = new Set([...Object.keys(window.cells), ...failed.keys()]);
  const counted = Array.from(names, (name) => ({
    side: name === "test" || name === "rest" ? name : sideOf.get(name),
    server: sideOf.has(name) ? name : undefined,
    cell: window.cells[name] ?? NO_CELL,
    failed: failed.get(name) ?? 0,
  }));
  const signal = (countsOf: (one: (typeof counted)[number]) => Counts): SignalWindow => {
    const sums = { test: NO_COUNTS, rest: NO_COUNTS };
    const servers: Record<string, Counts> = {};
    for (const one of counted) {
      if (one.side === undefined) continue;
      const counts = countsOf(one);
      sums[one.side] = addCounts(sums[one.side], counts);
      if (one.side === "test" && one.server !== undefined) servers[one.server] = counts;
    }
    return { ...sums, servers };
  };
  return {
    errors: signal(({ cell, failed: bad }) => ({ total: cell[0], bad })),
    slow50: signal(({ cell }) => ({ total: cell[1], bad: cell[2] })),
    slow90: signal(({ cell }) => ({ total: cell[3], bad: cell[4] })),
    slow99: signal(({ cell }) => ({ total: cell[5], bad: cell[6] })),
  };
}
