import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gridWindow, itemAfter } from "./grid-window.ts";

const MEASURES = { count: 1000, width: 1000, leastWidth: 320, gap: 16, rowHeight: 200 };

describe("the part of a grid that is drawn", () => {
  it("is what is seen, and a little more", () => {
    const part = gridWindow({ ...MEASURES, from: 2160, to: 2960 });
    expect(part.columns).toBe(3);
    expect(part.first).toBe(3 * 8);
    expect(part.end).toBe(3 * 16);
    expect(part.height).toBe(334 * 216 - 16);
    expect(part.top).toBe(8 * 216);
  });

  it("holds every item that is seen, and never many, wherever it is scrolled to", () => {
    fc.assert(
      fc.property(
        fc.nat(2000),
        fc.integer({ min: 300, max: 2500 }),
        fc.integer(),
        (count, width, scrolled) => {
          const from = scrolled % 500_000;
          const part = gridWindow({
            ...MEASURES,
            count,
            width,
            leastWidth: Math.min(320, width),
            from,
            to: from + 900,
          });
          expect(part.first).toBeLessThanOrEqual(part.end);
          expect(part.end - part.first).toBeLessThanOrEqual(part.columns * 11);
          expect(part.end - part.first).toBeLessThanOrEqual(part.slots);
          if (count > 0) expect(part.end).toBeGreaterThan(part.first);
          for (let item = 0; item < count; item += 1) {
            const top = Math.floor(item / part.columns) * 216;
            if (top + 200 <= from || top >= from + 900) continue;
            expect(item >= part.first && item < part.end).toBe(true);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("is walked by arrow keys to its ends, not beyond", () => {
    expect(itemAfter("ArrowDown", 1, 3, 10)).toBe(4);
    expect(itemAfter("ArrowDown", 8, 3, 10)).toBeUndefined();
    expect(itemAfter("ArrowLeft", 0, 3, 10)).toBeUndefined();
    expect(itemAfter("End", 4, 3, 10)).toBe(9);
    expect(itemAfter("Home", 4, 3, 10)).toBe(0);
    expect(itemAfter("a", 4, 3, 10)).toBeUndefined();
  });
});
