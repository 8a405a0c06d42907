import { describe, expect, it } from "vitest";
import { LoadShedder } from "./load-shedder.ts";

function measured(...waits: readonly number[]): LoadShedder {
  const shedder = new LoadShedder();
  for (const wait of waits) shedder.measure(wait, 1);
  return shedder;
}

const times = (count: number, wait: number): number[] => Array.from({ length: count }, () => wait);

describe("LoadShedder", () => {
  it("refuses nobody at rest, nor after one pause, however long", () => {
    expect(measured(...times(100, 2)).active).toBe(false);
    expect(measured(0, 0, 0, 5000, 0, 0, 0).active).toBe(false);
    expect(measured(...times(19, 400), 0, ...times(19, 400), 0).active).toBe(false);
  });

  it("refuses nobody while there is rest: it is others who keep the processor", () => {
    const shedder = new LoadShedder();
    for (let i = 0; i < 200; i++) shedder.measure(100, i % 10 === 0 ? 0.9 : 1);
    expect(shedder.active).toBe(false);
  });

  it("refuses more and more while work stands waiting, but never everybody", () => {
    const shedder = measured(...times(21, 60));
    expect(shedder.refuses(0)).toBe(true);
    expect(shedder.refuses(0.9)).toBe(false);
    for (const wait of times(1000, 60)) shedder.measure(wait, 1);
    expect(shedder.refuses(0.94)).toBe(true);
    expect(shedder.refuses(0.96)).toBe(false);
  });

  it("gives up soon after the wait is over", () => {
    const shedder = measured(...times(1000, 60));
    for (const wait of times(100, 1)) shedder.measure(wait, 1);
    expect(shedder.active).toBe(false);
  });

  /** A worker that serves `capacity` a measurement, offered `offered`; what is refused costs a fifth. */
  function balance(offered: number, capacity: number): { goodput: number; worst: number } {
    const shedder = new LoadShedder();
    const turn = 50;
    let queue = 0;
    let served = 0;
    let worst = 0;
    const steps = 2000;
    for (let step = 0; step < steps; step++) {
      queue += offered;
      let time = turn;
      const settled = step >= steps / 2;
      while (queue > 0 && time > 0) {
        queue--;
        const refused = shedder.refuses((queue * 0.618_033_988_7) % 1);
        time -= (refused ? 0.2 : 1) * (turn / capacity);
        if (!refused && settled) served++;
      }
      const wait = (queue / capacity) * turn * 0.4;
      if (settled) worst = Math.max(worst, wait);
      shedder.measure(wait, 1);
    }
    return { goodput: served / (steps / 2) / capacity, worst };
  }

  it.each([1.5, 2, 3])("keeps a worker busy and the wait short at %s times what it can carry", (load) => {
    const { goodput, worst } = balance(load * 300, 300);
    // What is left of the capacity when all that cannot be served is refused.
    const best = (1 - 0.2 * load) / 0.8;
    expect(goodput).toBeGreaterThan(0.9 * best);
    expect(worst).toBeLessThan(150);
  });
});
