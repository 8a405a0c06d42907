import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addWindows } from "./compare-window.ts";
import { MEMORY, type Side, Tally, type TallySettings, type TallyWindow } from "./tally.ts";

const WINDOW = 10_000;
const SETTINGS: TallySettings = { release: "r1", window: WINDOW, slower: [100, 200, 300] };
const GOOD: Outcome = { side: "test", server: "t:1", failed: false, latency: 1, left: false };
const BAD: Outcome = { ...GOOD, failed: true, latency: undefined };

/** How a first try ended. */
interface Outcome {
  readonly side: Side;
  /** Undefined: nobody of that side could be asked. */
  readonly server: string | undefined;
  readonly failed: boolean;
  /** Undefined: there was no answer, or it was not timed. */
  readonly latency: number | undefined;
  readonly left: boolean;
}

class ToldTally extends Tally {
  tell(client: number, { side, server, failed, latency, left }: Outcome, now: number): boolean {
    return this.count(client, server ?? side, failed, latency ?? Number.NaN, left, now);
  }
}

function newTally(settings: Partial<TallySettings> = {}, now: number = 0): ToldTally {
  return new ToldTally({ ...SETTINGS, ...settings }, now, 7);
}

/** By number, the parts of each added up. */
function added(windows: readonly TallyWindow[]): ReadonlyMap<number, TallyWindow> {
  const sums = new Map<number, TallyWindow>();
  for (const one of windows) {
    const known = sums.get(one.window);
    sums.set(one.window, known === undefined ? one : addWindows(known, one));
  }
  return sums;
}

/** Of the one window that there is. */
function only(tally: Tally, now: number): TallyWindow {
  const windows = [...added(tally.take(now).windows).values()];
  expect(windows).toHaveLength(1);
  return windows[0]!;
}

describe("errors", () => {
  it("are told by client and server, beside all that was counted", () => {
    const tally = newTally();
    tally.tell(1, GOOD, 10);
    tally.tell(2, BAD, 20);
    tally.tell(3, { ...BAD, side: "rest", server: "r:1" }, 30);
    tally.tell(4, { ...BAD, server: undefined }, 40);
    expect(only(tally, 50)).toEqual({
      window: 0,
      part: 1,
      cells: {
        "t:1": [2, 1, 0, 1, 0, 1, 0],
        "r:1": [1, 0, 0, 0, 0, 0, 0],
        test: [1, 0, 0, 0, 0, 0, 0],
      },
      erring: [
        [2, "t:1"],
        [3, "r:1"],
        [4, "test"],
      ],
      met: [],
      testers: [0, 0],
    });
  });

  it("count once for a client in ten minutes, in which it counts no more at all", () => {
    const tally = newTally();
    tally.tell(1, BAD, 0);
    for (const outcome of [BAD, GOOD]) expect(tally.tell(1, outcome, WINDOW)).toBe(true);
    expect(added(tally.take(WINDOW).windows).get(1)).toMatchObject({
      cells: { "t:1": [0, 1, 0, 1, 0, 1, 0] },
      erring: [],
    });
    tally.tell(1, BAD, MEMORY - 1);
    expect(tally.take(MEMORY - 1).windows).toMatchObject([{ erring: [] }]);
    tally.tell(1, BAD, MEMORY);
    expect(only(tally, MEMORY)).toMatchObject({ window: 60, erring: [[1, "t:1"]] });
  });

  it("are remembered for whole windows, if those do not fit into ten minutes", () => {
    const window = 7000;
    const tally = newTally({ window });
    // The window from 595 s to 602 s belongs to the first ten minutes.
    tally.tell(1, BAD, MEMORY - 1000);
    tally.tell(1, BAD, MEMORY + 1999);
    expect(only(tally, MEMORY + 1999)).toMatchObject({ window: 85, erring: [[1, "t:1"]] });
    const late = newTally({ window }, MEMORY + 1000);
    late.tell(1, BAD, MEMORY + 1000);
    late.tell(1, BAD, MEMORY + 2000);
    const windows = added(late.take(MEMORY + 2000).windows);
    expect([...windows.keys()]).toEqual([85, 86]);
    expect(windows.get(86)).toMatchObject({ erring: [[1, "t:1"]] });
  });

  it("that show only when the answer breaks off make a good request a bad one", () => {
    const tally = newTally();
    tally.tell(1, GOOD, 0);
    tally.failLater(1, GOOD.server ?? GOOD.side, WINDOW);
    tally.failLater(1, GOOD.server ?? GOOD.side, WINDOW);
    tally.tell(1, BAD, WINDOW);
    const windows = added(tally.take(WINDOW).windows);
    expect(windows.get(0)).toMatchObject({ cells: { "t:1": [1, 1, 0, 1, 0, 1, 0] }, erring: [] });
    expect(windows.get(1)).toMatchObject({ erring: [[1, "t:1"]] });
    tally.failLater(2, "rest", WINDOW);
    expect(only(tally, WINDOW)).toMatchObject({ erring: [[2, "rest"]] });
  });

  it("that clients were answered with are told once, whatever was tried before", () => {
    const tally = newTally();
    tally.tell(1, BAD, 0);
    for (const client of [1, 2, 1]) tally.meet(client, 0);
    expect(only(tally, 0).met).toEqual([1, 2]);
    tally.meet(1, WINDOW);
    expect(tally.take(WINDOW).windows).toEqual([]);
  });

  it("of testers are counted apart", () => {
    const tally = newTally();
    tally.countTester(false, 0);
    tally.countTester(true, 0);
    expect(only(tally, 0)).toMatchObject({ cells: {}, erring: [], testers: [2, 1] });
  });
});

describe("a client that asks very often", () => {
  it("counts for twenty requests in a window", () => {
    const tally = newTally();
    const counted = Array.from({ length: 25 }, () => tally.tell(1, GOOD, WINDOW - 1));
    expect(counted.filter((one) => one)).toHaveLength(20);
    expect(tally.tell(2, GOOD, WINDOW - 1)).toBe(true);
    expect(tally.tell(1, BAD, WINDOW - 1)).toBe(false);
    expect(tally.tell(1, BAD, WINDOW)).toBe(true);
    const windows = added(tally.take(WINDOW).windows);
    expect(windows.get(0)?.cells["t:1"]?.[0]).toBe(21);
    expect(windows.get(1)).toMatchObject({ cells: { "t:1": [1, 0, 0, 0, 0, 0, 0] }, erring: [[1, "t:1"]] });
  });
});

describe("slow answers", () => {
  it("count by each threshold for itself, and a client once in ten minutes", () => {
    const tally = newTally();
    tally.tell(1, { ...GOOD, latency: 100 }, 0);
    tally.tell(1, { ...GOOD, latency: 250 }, 0);
    tally.tell(1, { ...GOOD, latency: 1000 }, 0);
    tally.tell(1, { ...GOOD, latency: 1 }, WINDOW);
    const windows = added(tally.take(WINDOW).windows);
    expect(windows.get(0)?.cells["t:1"]).toEqual([3, 2, 1, 2, 1, 3, 1]);
    expect(windows.get(1)?.cells["t:1"]).toEqual([1, 0, 0, 0, 0, 0, 0]);
    tally.tell(1, { ...GOOD, latency: 1000 }, MEMORY);
    expect(only(tally, MEMORY).cells["t:1"]).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });

  it("of a client that has failed count all the same, and those that came too late are both", () => {
    const tally = newTally();
    tally.tell(1, { ...BAD, latency: 5000 }, 0);
    tally.tell(2, BAD, 0);
    tally.tell(2, { ...GOOD, latency: 250 }, 0);
    expect(only(tally, 0)).toMatchObject({
      cells: { "t:1": [2, 2, 2, 2, 2, 2, 1] },
      erring: [
        [1, "t:1"],
        [2, "t:1"],
      ],
    });
  });

  it("are what a client leaves for, and one that leaves sooner says nothing", () => {
    const tally = newTally();
    const left = { ...GOOD, left: true };
    tally.tell(1, { ...left, latency: 100 }, 0);
    tally.tell(2, { ...left, latency: 250 }, 0);
    expect(only(tally, 0).cells["t:1"]).toEqual([0, 1, 1, 1, 1, 0, 0]);
  });

  it("are not known before it is settled what is slow: until then the old version's latencies are gathered", () => {
    const tally = newTally({ slower: undefined });
    const rest = { ...GOOD, side: "rest", server: "r:1" } as const;
    expect(tally.wantsLatencies).toBe(true);
    for (const latency of [1, 1.01, 64]) tally.addLatency(latency, 0);
    for (const client of [1, 2, 3]) tally.tell(client, { ...rest, latency: 64 }, 0);
    const { latencies, windows } = tally.take(0);
    expect(latencies).toEqual([
      [32, 2],
      [80, 1],
    ]);
    expect(added(windows).get(0)?.cells["r:1"]).toEqual([3, 0, 0, 0, 0, 0, 0]);
    expect(tally.take(0)).toMatchObject({ latencies: [], windows: [] });
    tally.settings = SETTINGS;
    expect(tally.wantsLatencies).toBe(false);
    tally.tell(1, { ...rest, latency: 150 }, 0);
    expect(tally.take(0)).toMatchObject({
      latencies: [],
      windows: [{ cells: { "r:1": [1, 1, 1, 1, 0, 1, 0] } }],
    });
  });
});

describe("where very many clients fail", () => {
  const CLIENTS = 16_000;
  const client = (index: number): number => Math.imul(index + 1, 0x9e3779b1) >>> 1;

  /** Each once in ten seconds, every other one to the new version, of which all fail. */
  function windowOf(tally: ToldTally, number: number): TallyWindow {
    const parts: TallyWindow[] = [];
    for (let second = 0; second < 10; second += 1) {
      const now = number * WINDOW + second * 1000;
      for (let index = second; index < CLIENTS; index += 10) {
        const isTest = (index >> 4) % 2 === 0;
        const where = isTest ? BAD : { ...GOOD, side: "rest" as const, server: "r:1" };
        tally.tell(client(index), where, now);
        if (isTest) tally.meet(client(index), now);
      }
      parts.push(...tally.take(now).windows);
    }
    const windows = added(parts);
    expect([...windows.keys()]).toEqual([number]);
    return windows.get(number)!;
  }

  it("a part of them stands for all, at once, and not too many are told of", () => {
    const tally = newTally();
    const { part, cells, erring, met } = windowOf(tally, 0);
    expect(part).toBeLessThan(1 / 4);
    expect(erring.length + met.length).toBeGreaterThan(500);
    expect(erring.length + met.length).toBeLessThan(4000);
    // Both sides are thinned alike, and so are those who failed and those who asked.
    expect(cells["t:1"]![0] / cells["r:1"]![0]).toBeCloseTo(1, 1);
    expect(erring.length / cells["t:1"]![0]).toBeCloseTo(1, 1);
    expect(met.length / part / (CLIENTS / 2)).toBeCloseTo(1, 0);
    expect(met.every((one) => one < part * 2 ** 31)).toBe(true);
  });

  it("not too many are told of who met an error", () => {
    const tally = newTally();
    for (let index = 0; index < CLIENTS; index += 1) tally.meet(client(index), 0);
    const { met, part } = only(tally, 0);
    expect(met.length).toBeLessThan(1001);
    expect(met.length / part / CLIENTS).toBeCloseTo(1, 0);
  });

  it("it is a matter of one window", () => {
    const tally = newTally();
    for (let index = 0; index < CLIENTS; index += 1) tally.tell(client(index), BAD, (index >> 9) * WINDOW);
    const windows = added(tally.take(WINDOW * 100).windows);
    expect(new Set(Array.from(windows.values(), ({ part, erring }) => `${part} ${erring.length}`))).toEqual(
      new Set(["1 512", `1 ${CLIENTS % 512}`]),
    );
  });

  it("nobody is left out for good", () => {
    const tally = newTally();
    windowOf(tally, 0);
    expect(windowOf(tally, 1).part).toBeLessThan(1 / 4);
    tally.tell(client(0), GOOD, MEMORY);
    expect(only(tally, MEMORY).part).toBe(1);
  });

  it("who takes no part does not count at all", () => {
    const tally = newTally();
    const { part } = windowOf(tally, 0);
    const out = 2 ** 31 - 1;
    expect(part).toBeLessThan(1);
    expect(tally.tell(out, BAD, WINDOW)).toBe(false);
    tally.failLater(out, GOOD.server ?? GOOD.side, WINDOW);
    tally.meet(out, WINDOW);
    expect(tally.take(WINDOW).windows).toEqual([]);
  });
});

/** The same by maps and sets, without a thought of what it costs. */
class PlainTally {
  readonly windows = new Map<number, { cells: Map<string, number[]>; erring: string[]; met: number[] }>();
  readonly #failed = new Set<string>();
  readonly #met = new Set<string>();
  readonly #slow = new Set<string>();
  readonly #asked = new Map<string, number>();

  count(client: number, outcome: Outcome, now: number): boolean {
    const [window, memory] = [Math.floor(now / WINDOW), Math.floor(now / MEMORY)];
    const asked = (this.#asked.get(`${client} ${window}`) ?? 0) + 1;
    if (asked > 20) return false;
    this.#asked.set(`${client} ${window}`, asked);
    const counted = this.#window(now);
    const name = outcome.server ?? outcome.side;
    const cell = counted.cells.get(name) ?? [0, 0, 0, 0, 0, 0, 0];
    counted.cells.set(name, cell);
    const failedBefore = this.#failed.has(`${client} ${memory}`);
    if (!outcome.left && !failedBefore) cell[0]! += 1;
    for (const [index, threshold] of SETTINGS.slower!.entries()) {
      const key = `${client} ${memory} ${index}`;
      if (outcome.latency === undefined || this.#slow.has(key)) continue;
      const isSlow = outcome.latency > threshold;
      if (isSlow) this.#slow.add(key);
      if (!outcome.left || isSlow) cell[1 + 2 * index]! += 1;
      if (isSlow) cell[2 + 2 * index]! += 1;
    }
    if (outcome.failed && !outcome.left) this.fail(client, name, now);
    return true;
  }

  fail(client: number, name: string, now: number): void {
    const key = `${client} ${Math.floor(now / MEMORY)}`;
    if (this.#failed.has(key)) return;
    this.#failed.add(key);
    this.#window(now).erring.push(`${client} ${name}`);
  }

  meet(client: number, now: number): void {
    const key = `${client} ${Math.floor(now / MEMORY)}`;
    if (this.#met.has(key)) return;
    this.#met.add(key);
    this.#window(now).met.push(client);
  }

  #window(now: number): { cells: Map<string, number[]>; erring: string[]; met: number[] } {
    const window = Math.floor(now / WINDOW);
    const known = this.windows.get(window) ?? { cells: new Map(), erring: [], met: [] };
    this.windows.set(window, known);
    return known;
  }
}

const outcome: fc.Arbitrary<Outcome> = fc
  .record({
    side: fc.constantFrom("test" as const, "rest" as const),
    server: fc.constantFrom("1", "2", undefined),
    end: fc.constantFrom("good" as const, "failed" as const, "left" as const),
    latency: fc.constantFrom(undefined, 1, 100, 150, 250, 1000),
  })
  .map(({ side, server, end, latency }) => ({
    side,
    server: server && `${side}:${server}`,
    failed: end === "failed",
    left: end === "left",
    latency,
  }));

describe("what a process counts", () => {
  it("is what maps and sets would count, however often it is taken", () => {
    const happening = fc.record({
      wait: fc.oneof(fc.nat(50), fc.nat(WINDOW), fc.nat(MEMORY / 3)),
      client: fc.integer({ min: 1, max: 9 }),
      does: fc.constantFrom("ask", "ask", "ask", "cut", "meet"),
      times: fc.constantFrom(1, 1, 1, 15),
      outcome,
      take: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 200, size: "max" }), (happenings) => {
        const tally = newTally();
        const plain = new PlainTally();
        const told: TallyWindow[] = [];
        let now = 0;
        for (const { wait, client, does, times, outcome, take } of happenings) {
          now += wait;
          for (let time = 0; time < times; time += 1) {
            if (does === "ask")
              expect(tally.tell(client, outcome, now)).toBe(plain.count(client, outcome, now));
            else if (does === "meet") {
              tally.meet(client, now);
              plain.meet(client, now);
            } else {
              tally.failLater(client, outcome.server ?? outcome.side, now);
              plain.fail(client, outcome.server ?? outcome.side, now);
            }
          }
          if (take) told.push(...tally.take(now).windows);
        }
        told.push(...tally.take(now).windows);
        const windows = added(told);
        // A window in which nothing came of what happened is not told.
        const expected = [...plain.windows].filter(
          ([, { cells, erring, met }]) => cells.size + erring.length + met.length > 0,
        );
        expect([...windows.keys()]).toEqual(expected.map(([window]) => window));
        for (const [window, { cells, erring, met }] of expected) {
          const found = windows.get(window)!;
          expect(found.cells).toEqual(Object.fromEntries(cells));
          expect(found.erring.map(([client, cell]) => `${client} ${cell}`)).toEqual(erring);
          expect(found.met).toEqual(met);
        }
      }),
    );
  });

  it("is all told when the clock goes back for a moment", () => {
    const tally = newTally({}, WINDOW);
    tally.tell(1, GOOD, WINDOW);
    tally.tell(2, GOOD, WINDOW - 50);
    tally.tell(3, BAD, WINDOW);
    const windows = added(tally.take(WINDOW + 1).windows);
    expect(windows.get(0)?.cells["t:1"]?.[0]).toBe(1);
    expect(windows.get(1)).toMatchObject({ cells: { "t:1": [2, 1, 0, 1, 0, 1, 0] }, erring: [[3, "t:1"]] });
  });
});
