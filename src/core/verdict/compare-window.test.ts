import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addWindows, compareWindow, type SideOf } from "./compare-window.ts";
import { addCounts, NO_COUNTS, type Counts } from "./counts.ts";
import type { SignalWindow } from "./evidence.ts";
import type { Cell, TallyWindow } from "./tally.ts";

const SIDES: SideOf = new Map([
  ["t:1", "test"],
  ["t:2", "test"],
  ["r:1", "rest"],
]);
const EMPTY: TallyWindow = { window: 3, part: 1, cells: {}, erring: [], met: [], testers: [0, 0] };
const cellOf = (requests: number): Cell => [requests, 0, 0, 0, 0, 0, 0];

function errorsOf(window: Partial<TallyWindow>, seen: Set<number> = new Set()): SignalWindow {
  return compareWindow({ ...EMPTY, ...window }, SIDES, seen)["errors"]!;
}

const name = fc.constantFrom("t:1", "t:2", "r:1", "test", "rest", "unknown:1");
const window: fc.Arbitrary<TallyWindow> = fc.record({
  window: fc.constant(3),
  part: fc.constantFrom(1, 1 / 2, 1 / 8),
  cells: fc.dictionary(
    name,
    fc.array(fc.nat(50), { minLength: 7, maxLength: 7 }).map((cell) => cell as unknown as Cell),
  ),
  erring: fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), name), { maxLength: 12 }),
  met: fc.array(fc.integer({ min: 1, max: 2 ** 31 - 1 }), { maxLength: 5 }),
  testers: fc.tuple(fc.nat(9), fc.nat(9)),
});

const sum = (all: readonly Counts[]): Counts => all.reduce(addCounts, NO_COUNTS);

describe("a window that is compared", () => {
  it("has the requests and failures of each side, and of each server under test", () => {
    const window = {
      cells: {
        "t:1": cellOf(100),
        "t:2": cellOf(50),
        "r:1": cellOf(300),
        test: cellOf(4),
        "gone:1": cellOf(7),
      },
      erring: [
        [1, "t:1"],
        [2, "t:1"],
        [3, "r:1"],
        [4, "test"],
        [5, "gone:1"],
      ],
    } as const;
    expect(errorsOf(window)).toEqual({
      test: { total: 154, bad: 3 },
      rest: { total: 300, bad: 1 },
      servers: { "t:1": { total: 100, bad: 2 }, "t:2": { total: 50, bad: 0 } },
    });
  });

  it("counts a client that failed at several processes, or in windows before, once", () => {
    const seen = new Set<number>([7]);
    const window = {
      cells: { "t:1": cellOf(10), "t:2": cellOf(10) },
      erring: [
        [7, "t:1"],
        [8, "t:1"],
        [8, "t:2"],
      ],
    } as const;
    expect(errorsOf(window, seen).servers).toEqual({
      "t:1": { total: 10, bad: 1 },
      "t:2": { total: 10, bad: 0 },
    });
    expect([...seen]).toEqual([7, 8]);
    expect(errorsOf(window, seen).test).toEqual({ total: 20, bad: 0 });
  });

  it("has the failure of a request that was counted in a window before", () => {
    expect(errorsOf({ erring: [[1, "t:1"]] })).toMatchObject({
      test: { total: 1, bad: 1 },
      servers: { "t:1": { bad: 1 } },
    });
  });

  it("has for slow answers its own counts", () => {
    const cells = { "t:1": [9, 8, 7, 6, 5, 4, 3], "r:1": [90, 80, 70, 60, 50, 40, 30] } as const;
    const compared = compareWindow({ ...EMPTY, cells }, SIDES, new Set());
    expect(compared).toMatchObject({
      slow50: { test: { total: 8, bad: 7 }, rest: { total: 80, bad: 70 } },
      slow90: { test: { total: 6, bad: 5 }, rest: { total: 60, bad: 50 } },
      slow99: { test: { total: 4, bad: 3 }, rest: { total: 40, bad: 30 } },
    });
  });

  it("has everything that was counted on its side, and nothing else", () => {
    fc.assert(
      fc.property(window, (counted) => {
        const compared = compareWindow(counted, SIDES, new Set());
        const sideOf = (one: string): string | undefined =>
          one === "test" || one === "rest" ? one : SIDES.get(one);
        const clients = new Map<number, string>();
        for (const [client, cell] of counted.erring) if (!clients.has(client)) clients.set(client, cell);
        for (const side of ["test", "rest"] as const) {
          const cells = Object.entries(counted.cells).filter(([one]) => sideOf(one) === side);
          const failed = [...clients.values()].filter((cell) => sideOf(cell) === side).length;
          const requests = cells.reduce((all, [, cell]) => all + cell[0], 0);
          const found = compared["errors"]![side];
          expect(found.bad).toBe(failed);
          expect(found.total).toBeGreaterThanOrEqual(Math.max(requests, failed));
          expect(found.total).toBeLessThanOrEqual(requests + failed);
          const slow = cells.reduce((all, [, cell]) => all + cell[6], 0);
          expect(compared["slow99"]![side].bad).toBe(slow);
        }
        for (const { test, servers } of Object.values(compared)) {
          const ofServers = sum(Object.values(servers!));
          expect(ofServers.bad).toBeLessThanOrEqual(test.bad);
          expect(ofServers.total).toBeLessThanOrEqual(test.total);
          expect(Object.keys(servers!).every((one) => SIDES.get(one) === "test")).toBe(true);
        }
      }),
    );
  });
});

describe("windows of several processes", () => {
  it("add up in any order, and with nothing to themselves", () => {
    const canonical = ({ erring, met, ...rest }: TallyWindow): unknown => ({
      ...rest,
      erring: erring.map(String).sort(),
      met: met.map(String).sort(),
    });
    fc.assert(
      fc.property(window, window, window, (one, other, third) => {
        expect(canonical(addWindows(one, other))).toEqual(canonical(addWindows(other, one)));
        expect(canonical(addWindows(addWindows(one, other), third))).toEqual(
          canonical(addWindows(one, addWindows(other, third))),
        );
        const { met: _, ...whole } = addWindows(one, EMPTY);
        expect(whole).toEqual({ ...one, met: undefined });
      }),
    );
  });

  it("tell of those clients who met an error that take part everywhere", () => {
    const [half, all] = [
      { ...EMPTY, part: 1 / 2, met: [5] },
      { ...EMPTY, met: [2 ** 30 - 1, 2 ** 30] },
    ];
    expect(addWindows(half, all)).toMatchObject({ part: 1 / 2, met: [5, 2 ** 30 - 1] });
  });
});
