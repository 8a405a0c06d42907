import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClientMarks, isAmong, MOST_CLIENTS } from "./client-marks.ts";

/** Clients as their hashes may be: many near each other, many that differ in high bits alone. */
const client = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 2047 }).map((high) => high << 20),
);
const happening = fc.oneof(
  { weight: 60, arbitrary: fc.record({ set: client, mark: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }) },
  { weight: 2, arbitrary: fc.constant("halve" as const) },
  { weight: 1, arbitrary: fc.constant("clear" as const) },
);

describe("marks of clients", () => {
  it("are those of a map that forgets who takes part no longer", () => {
    const happenings = fc.array(happening, { maxLength: 3000, size: "max" });
    fc.assert(
      fc.property(fc.integer(), happenings, (scatter, all) => {
        const marks = new ClientMarks(scatter);
        const known = new Map<number, number>();
        let part = 1;
        for (const one of all) {
          if (one === "halve") {
            marks.halve();
            part /= 2;
            for (const client of known.keys()) if (!isAmong(part, client)) known.delete(client);
          } else if (one === "clear") {
            marks.clear();
            part = 1;
            known.clear();
          } else if (isAmong(part, one.set)) {
            marks.set(one.set, one.mark);
            known.set(one.set, one.mark);
          }
          expect(marks.part).toBe(part);
        }
        for (const [client, mark] of known) expect(marks.get(client)).toBe(mark);
        for (const client of [1, 77, 2 ** 31 - 1]) expect(marks.get(client)).toBe(known.get(client) ?? 0);
      }),
      { numRuns: 100 },
    );
  });

  it("are kept of half of the clients from when there are too many, of the same ones everywhere", () => {
    const marks = new ClientMarks(5);
    const clients = Array.from(
      { length: MOST_CLIENTS + 1 },
      (_, index) => Math.imul(index + 1, 0x9e3779b1) >>> 1,
    );
    for (const client of clients.slice(0, -1)) {
      marks.set(client, 1);
      marks.set(client, client % 1000);
    }
    expect(marks.part).toBe(1);
    marks.set(clients.at(-1)!, clients.at(-1)! % 1000);
    expect(marks.part).toBe(1 / 2);
    const left = clients.filter((client) => marks.takesPart(client));
    expect(left.length / clients.length).toBeCloseTo(0.5, 2);
    expect(left.filter((client) => marks.get(client) !== client % 1000)).toEqual([]);
    // There is room again for as many as were left out.
    for (let client = 1; client <= left.length / 2; client += 1) marks.set(client, 1);
    expect(marks.part).toBe(1 / 2);
    expect(marks.takesPart(2 ** 30 - 1)).toBe(true);
    expect(marks.takesPart(2 ** 30)).toBe(false);
    marks.clear();
    expect([marks.part, marks.get(left[0]!)]).toEqual([1, 0]);
  });
});
