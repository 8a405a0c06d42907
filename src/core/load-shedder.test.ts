import { describe, expect, it } from "vitest";
import { LoadShedder } from "./load-shedder.ts";

/** A tick of 50 ms without rest, in turns of `turn` ms, while `requests` are asked about. */
function tick(shedder: LoadShedder, turn: number, requests = 20): void {
  for (let i = 0; i < requests; i++) shedder.refuses(i / requests);
  shedder.measure(50, turn, 1, Math.max(50, turn));
}

function ticks(count: number, turn: number, shedder = new LoadShedder()): LoadShedder {
  for (let i = 0; i < count; i++) tick(shedder, turn);
  return shedder;
}

describe("LoadShedder", () => {
  it("refuses nobody at rest, nor after a pause, however long", () => {
    const shedder = ticks(100, 2);
    expect(shedder.active).toBe(false);
    shedder.measure(5000, 5000, 1, 5000);
    expect(shedder.active).toBe(false);
    ticks(1, 2, shedder);
    ticks(1, 2, ticks(2, 400, shedder));
    expect(ticks(2, 5000, shedder).active).toBe(false);
  });

  it("refuses nobody while there is rest: it is others who keep the processor", () => {
    const shedder = new LoadShedder();
    for (let i = 0; i < 200; i++) shedder.measure(100, 100, i % 10 === 0 ? 0.9 : 1, 100);
    expect(shedder.active).toBe(false);
  });

  it("refuses nobody whose answer costs little more than a refusal", () => {
    const shedder = new LoadShedder();
    for (let i = 0; i < 200; i++) tick(shedder, 60, 1000);
    expect(shedder.active).toBe(false);
  });

  it("refuses only when turns have been long for a second, and never everybody", () => {
    const shedder = ticks(16, 60);
    expect(shedder.refuses(0)).toBe(false);
    ticks(1, 60, shedder);
    expect(shedder.refuses(0)).toBe(true);
    expect(shedder.refuses(0.95)).toBe(false);
  });

  it("finds out where refusing costs nearly as much as serving, and then serves", () => {
    const shedder = new LoadShedder();
    let refused = 0;
    for (let tick = 0; tick < 100; tick++) {
      let work = 0;
      for (let i = 0; i < 100; i++) {
        const isRefused = shedder.refuses(i / 100);
        if (isRefused && tick > 60) refused++;
        work += isRefused ? 0.4 : 0.5;
      }
      shedder.measure(work, 60, 1, 60);
    }
    expect(refused).toBe(0);
  });

  it("gives up soon after the load is gone", () => {
    const shedder = ticks(1000, 60);
    for (let i = 0; i < 5; i++) {
      shedder.refuses(0.99);
      shedder.measure(5, 0.1, 0.1, 50);
    }
    expect(shedder.active).toBe(false);
  });

  /** A worker that could serve `capacity` requests a tick is offered `load` times as many; a refusal costs 0.025 ms. */
  function balance(load: number, capacity: number): { goodput: number; worst: number } {
    const shedder = new LoadShedder();
    const cost = 50 / capacity;
    let queue = 0;
    let offered = 0;
    let served = 0;
    let worst = 0;
    let dice = 0;
    const steps = 4000;
    for (let step = 0; step < steps; step++) {
      const settled = step >= steps / 2;
      let time = 50;
      let turns = 0;
      // A turn works off what stands waiting when it begins.
      while (time > 0) {
        turns++;
        let turn = 0.05;
        // Clients have so many connections; who finds none free gives up.
        queue = Math.min(queue, 2000);
        const standing = Math.floor(queue);
        for (let i = 0; i < standing; i++) {
          dice = (dice + 0.618_033_988_7) % 1;
          const refused = shedder.refuses(dice);
          turn += refused ? 0.025 : cost;
          if (!refused && settled) served++;
        }
        queue += (turn / 50) * capacity * load - standing;
        offered += standing;
        time -= turn;
        if (settled) worst = Math.max(worst, turn);
      }
      shedder.measure(50 - time, (50 - time) / turns, 1, 50 - time);
    }
    expect(offered).toBeGreaterThan(0);
    return { goodput: served / (steps / 2) / capacity, worst };
  }

  it.each([1.5, 2, 3])("keeps a worker busy and its turns short at %s times what it can carry", (load) => {
    const { goodput, worst } = balance(load, 100);
    expect(goodput).toBeGreaterThan(0.85);
    expect(worst).toBeLessThan(60);
  });
});
