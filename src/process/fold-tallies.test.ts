import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AppDocument } from "../config/app-document.ts";
import type { Cell, TallyReport, TallyWindow } from "../core/verdict/tally.ts";
import { FoldedTallies } from "./fold-tallies.ts";

const LENGTH = 10_000;

function shop(draw: string | undefined): AppDocument {
  const groups = { one: { servers: ["10.0.0.1"] } };
  const counted = draw === undefined ? {} : { draw, tally: { window: "10s" } };
  return { name: "shop", groups, ...counted };
}

function part(window: number, requests: number, more: Partial<TallyWindow> = {}): TallyWindow {
  const cell: Cell = [requests, 0, 0, 0, 0, 0, 0];
  return { window, part: 1, cells: { "t:1": cell }, erring: [], met: [], testers: [0, 0], ...more };
}

function report(windows: readonly TallyWindow[], more: Partial<TallyReport> = {}): TallyReport {
  return { release: "r1", length: LENGTH, windows, latencies: [], ...more };
}

/** Requests by window, as the app's tally is told at that moment. */
function told(tallies: FoldedTallies, now: number): Record<number, number> {
  const windows = tallies.tell("shop", now)?.windows ?? [];
  return Object.fromEntries(windows.map(({ window, cells }) => [window, cells["t:1"]![0]]));
}

function following(draw: string | undefined = "r1"): FoldedTallies {
  const tallies = new FoldedTallies();
  tallies.follow(shop(draw));
  return tallies;
}

describe("what the processes of a gateway counted", () => {
  it("is added up window by window, and told when the window is over", () => {
    const tallies = following();
    tallies.take("shop", report([part(0, 1, { erring: [[5, "t:1"]] }), part(1, 10)]));
    tallies.take("shop", report([part(0, 2, { erring: [[6, "t:1"]] })]));
    expect([...tallies.news(LENGTH + 1999)]).toEqual([]);
    expect(tallies.tell("shop", LENGTH + 1999)).toBeUndefined();
    expect([...tallies.news(LENGTH + 2000)]).toEqual(["shop"]);
    expect(tallies.tell("shop", LENGTH + 2000)).toEqual({
      release: "r1",
      length: LENGTH,
      windows: [
        part(0, 3, {
          erring: [
            [5, "t:1"],
            [6, "t:1"],
          ],
        }),
      ],
      latencies: [],
    });
    expect([...tallies.news(LENGTH + 2001)]).toEqual([]);
    expect(told(tallies, 2 * LENGTH + 2000)).toEqual({ 0: 3, 1: 10 });
  });

  it("is not changed after it was told, by a process that is late", () => {
    const tallies = following();
    tallies.take("shop", report([part(3, 1)]));
    expect(told(tallies, 4 * LENGTH + 2000)).toEqual({ 3: 1 });
    tallies.take("shop", report([part(2, 8), part(3, 8), part(4, 8)]));
    expect(told(tallies, 5 * LENGTH + 2000)).toEqual({ 3: 1, 4: 8 });
  });

  it("is not changed by a clock that goes back either", () => {
    const tallies = following();
    tallies.take("shop", report([part(2, 1), part(3, 1)]));
    expect(told(tallies, 4 * LENGTH + 2000)).toEqual({ 2: 1, 3: 1 });
    expect(told(tallies, 3 * LENGTH + 2000)).toEqual({ 2: 1, 3: 1 });
    tallies.take("shop", report([part(3, 8)]));
    expect(told(tallies, 4 * LENGTH + 2000)).toEqual({ 2: 1, 3: 1 });
  });

  it("is told for some time, so that nobody misses it, and then no more", () => {
    const tallies = following();
    tallies.take("shop", report([part(0, 1), part(3, 1)]));
    expect(told(tallies, LENGTH + 40_000)).toEqual({ 0: 1, 3: 1 });
    expect(told(tallies, LENGTH + 40_001)).toEqual({ 3: 1 });
    expect(tallies.tell("shop", 10 * LENGTH)).toBeUndefined();
  });

  it("is told of the release that runs alone", () => {
    const tallies = following();
    tallies.take("shop", report([part(0, 1)], { latencies: [[40, 7]] }));
    tallies.take("shop", report([part(0, 5)], { release: "r0", latencies: [[40, 5]] }));
    expect(tallies.tell("shop", LENGTH + 2000)).toMatchObject({ release: "r1", latencies: [[40, 7]] });
    tallies.follow(shop("r1"));
    expect(told(tallies, LENGTH + 2000)).toEqual({ 0: 1 });
    tallies.follow(shop("r2"));
    expect(tallies.tell("shop", LENGTH + 2000)).toBeUndefined();
    // One process has not followed yet.
    tallies.take("shop", report([part(0, 9)], { release: "r2" }));
    tallies.take("shop", report([part(0, 9)]));
    tallies.take("shop", report([part(0, 9)], { release: "r2" }));
    expect(tallies.tell("shop", LENGTH + 2000)?.release).toBe("r2");
    expect(told(tallies, LENGTH + 2000)).toEqual({ 0: 18 });
  });

  it("is nothing when the release is over, or the app is gone", () => {
    for (const end of ["over", "gone"]) {
      const tallies = following();
      tallies.take("shop", report([part(0, 1)], { latencies: [[40, 7]] }));
      if (end === "over") tallies.follow(shop(undefined));
      else tallies.forget("shop");
      tallies.take("shop", report([part(0, 1)]));
      expect([...tallies.news(LENGTH + 2000)]).toEqual([]);
      expect(tallies.tell("shop", LENGTH + 2000)).toBeUndefined();
    }
  });

  it("keeps all latencies of the release", () => {
    const tallies = following();
    const latencies = [
      [40, 2],
      [41, 1],
    ] as const;
    for (let time = 0; time < 3; time += 1) tallies.take("shop", report([part(0, 1)], { latencies }));
    expect(tallies.tell("shop", 1)?.latencies).toEqual([
      [40, 6],
      [41, 3],
    ]);
    expect(tallies.tell("shop", 100 * LENGTH)).toMatchObject({
      windows: [],
      latencies: [
        [40, 6],
        [41, 3],
      ],
    });
  });

  it("is told once and for all, and whole unless somebody was late or died", () => {
    const second = fc.record({
      /** Requests at each of three processes. */
      requests: fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5)),
      /** Of which process nothing is heard in this second, and what it counted is told the next time. */
      silent: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined, freq: 4 }),
      dies: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined, freq: 20 }),
    });
    fc.assert(
      fc.property(fc.array(second, { minLength: 30, maxLength: 120, size: "max" }), (seconds) => {
        const tallies = following();
        const [counted, lost] = [new Map<number, number>(), new Set<number>()];
        const waiting = Array.from({ length: 3 }, () => new Map<number, number>());
        const seen = new Map<number, number>();
        for (const [index, { requests, silent, dies }] of seconds.entries()) {
          const window = Math.floor(index / 10);
          for (const [process, count] of requests.entries()) {
            const own = waiting[process]!;
            if (count > 0) {
              own.set(window, (own.get(window) ?? 0) + count);
              counted.set(window, (counted.get(window) ?? 0) + count);
            }
            if (process === dies) {
              for (const gone of own.keys()) lost.add(gone);
              own.clear();
            }
            if (process === silent || own.size === 0) continue;
            tallies.take("shop", report(Array.from(own, ([number, sum]) => part(number, sum))));
            own.clear();
          }
          for (const [number, sum] of Object.entries(told(tallies, (index + 1) * 1000))) {
            expect(seen.get(Number(number)) ?? sum, `window ${number} is told twice alike`).toBe(sum);
            seen.set(Number(number), sum);
            expect(sum).toBeLessThanOrEqual(counted.get(Number(number))!);
            const late = seconds
              .slice(Number(number) * 10 + 9, Number(number) * 10 + 13)
              .some((one) => one.silent !== undefined);
            if (!lost.has(Number(number)) && !late) expect(sum).toBe(counted.get(Number(number)));
          }
        }
      }),
    );
  });
});
