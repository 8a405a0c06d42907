import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Comparison } from "./counts.ts";
import { addReading, type Added, type RisingCounts } from "./rising-counts.ts";

type Numbers = readonly [testTotal: number, testBad: number, restTotal: number, restBad: number];

function comparison([testTotal, testBad, restTotal, restBad]: Numbers): Comparison {
  return { test: { total: testTotal, bad: testBad }, rest: { total: restTotal, bad: restBad } };
}

/** What each reading brought. */
function read(...readings: readonly Numbers[]): readonly Added[] {
  let counts: RisingCounts | undefined;
  return readings.map((numbers) => {
    const { next, added } = addReading(counts, comparison(numbers));
    counts = next;
    return added;
  });
}

const counted = (...numbers: Numbers): Added => ({ kind: "counted", comparison: comparison(numbers) });
const NOTHING: Added = { kind: "nothing" };
const unsure = (why: string): Added => ({ kind: "unsure", why });

describe("counts that rise", () => {
  it("are told by what came since the last reading", () => {
    expect(read([1000, 10, 5000, 20], [1010, 11, 5090, 20], [1020, 11, 5190, 25])).toEqual([
      NOTHING,
      counted(10, 1, 90, 0),
      counted(10, 0, 100, 5),
    ]);
  });

  it("tell nothing of the window in which one of them goes down", () => {
    expect(read([10, 1, 50, 2], [15, 1, 8, 2], [18, 2, 12, 2])).toEqual([
      NOTHING,
      unsure("rest.total went down from 50 to 8"),
      counted(3, 1, 4, 0),
    ]);
    expect(read([10, 5, 50, 2], [15, 4, 60, 2])[1]).toEqual(unsure("test.bad went down from 5 to 4"));
  });

  it("tell nothing of the window in which a server comes back with all that it had", () => {
    const away: readonly Numbers[] = [
      [10, 1, 1_000_000, 5000],
      [15, 1, 500_000, 2500],
      [18, 2, 500_010, 2500],
    ];
    expect(read(...away, [20, 2, 1_000_030, 5000], [21, 2, 1_000_040, 5001])).toEqual([
      NOTHING,
      unsure("rest.total went down from 1000000 to 500000"),
      counted(3, 1, 10, 0),
      unsure("rest.total, once 1000000, came back from 500010 to 1000030"),
      counted(1, 0, 10, 1),
    ]);
  });

  it("are not left out for what the outcomes were: bad ones may rise past where they once were", () => {
    expect(read([10, 3, 50, 2], [1, 0, 60, 2], [5, 4, 70, 2])[2]).toEqual(counted(4, 4, 10, 0));
  });

  it("are held while one side stands still, as where they are asked for more often than they change", () => {
    expect(read([10, 1, 50, 2], [20, 3, 50, 2], [20, 3, 90, 4], [30, 3, 90, 4])).toEqual([
      NOTHING,
      NOTHING,
      counted(10, 2, 40, 2),
      NOTHING,
    ]);
  });

  it("are not held for ever: what is long past is compared with nothing that comes", () => {
    const still = Array.from({ length: 13 }, (_, index): Numbers => [10, 1, 50 + index, 2]);
    expect(read(...still, [15, 1, 63, 2]).slice(-3)).toEqual([
      NOTHING,
      counted(0, 0, 12, 0),
      counted(5, 0, 1, 0),
    ]);
  });

  it("that go down while they are held are noticed", () => {
    expect(read([10, 1, 50, 2], [20, 1, 50, 2], [15, 1, 60, 2])[2]).toEqual(
      unsure("test.total went down from 20 to 15"),
    );
  });

  it("have no more bad ones than there were", () => {
    expect(read([10, 1, 50, 2], [12, 5, 60, 3])[1]).toEqual(counted(2, 2, 10, 1));
  });

  it("lose nothing and invent nothing, whatever comes when", () => {
    const step = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const sum = [7, 3, 90, 4];
        const readings = steps.map(([testGood, testBad, restGood, restBad]) => {
          const came = [testGood + testBad, testBad, restGood + restBad, restBad];
          for (const [index, more] of came.entries()) sum[index]! += more;
          return [...sum] as unknown as Numbers;
        });
        let counts = addReading(undefined, comparison([7, 3, 90, 4])).next;
        const given = [7, 3, 90, 4];
        for (const numbers of readings) {
          const { next, added } = addReading(counts, comparison(numbers));
          counts = next;
          expect(added.kind).not.toBe("unsure");
          if (added.kind !== "counted") continue;
          const { test, rest } = added.comparison;
          for (const [index, more] of [test.total, test.bad, rest.total, rest.bad].entries()) {
            expect(more).toBeGreaterThanOrEqual(0);
            given[index]! += more;
          }
          expect(given).toEqual(numbers);
        }
      }),
    );
  });
});
