import { describe, expect, it } from "vitest";
import { LoadShedder } from "./load-shedder.ts";

const TICK = 50;

/** A tick without rest, in turns of `turn` ms, in which `requests` come and as many end. */
function tick(shedder: LoadShedder, turn: number, requests = 20): void {
  const begun: number[] = [];
  for (let i = 0; i < requests; i++) if (!shedder.refuses()) begun.push(shedder.begin());
  shedder.measure(TICK, turn, 1, Math.max(TICK, turn));
  for (const period of begun) shedder.end(period);
}

function ticks(count: number, turn: number, shedder = new LoadShedder(), requests = 20): LoadShedder {
  for (let i = 0; i < count; i++) tick(shedder, turn, requests);
  return shedder;
}

/** How many of `count` requests that come at once are served. */
function served(shedder: LoadShedder, count: number): number {
  let begun = 0;
  for (let i = 0; i < count; i++) {
    if (shedder.refuses()) continue;
    shedder.begin();
    begun++;
  }
  return begun;
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
    expect(served(shedder, 1000)).toBe(1000);
  });

  it("refuses nobody while there is rest: it is others who keep the processor", () => {
    const shedder = new LoadShedder();
    for (let i = 0; i < 200; i++) {
      shedder.end(shedder.begin());
      shedder.measure(100, 100, i % 10 === 0 ? 0.9 : 1, 100);
    }
    expect(shedder.active).toBe(false);
  });

  it("refuses nobody whose answer costs little more than a refusal", () => {
    expect(ticks(200, 60, new LoadShedder(), 1000).active).toBe(false);
  });

  it("refuses when turns have been long for a second, those beyond a number that makes them short", () => {
    const shedder = ticks(16, 60);
    expect(shedder.active).toBe(false);
    ticks(1, 60, shedder);
    expect(shedder.active).toBe(true);
    // Of twenty at a time that made turns of 60 ms, a quarter.
    expect(served(shedder, 100)).toBe(5);
  });

  it("always serves some", () => {
    const shedder = ticks(17, 60);
    for (let i = 0; i < 15; i++) tick(shedder, 40);
    expect(served(shedder, 100)).toBe(4);
  });

  it("does not count what has been under way for two seconds: tunnels, streams of events", () => {
    const shedder = new LoadShedder();
    const old = Array.from({ length: 10_000 }, () => shedder.begin());
    for (let i = 0; i < 40; i++) shedder.measure(TICK, 1, 0.5, TICK);
    ticks(17, 60, shedder);
    expect(served(shedder, 100)).toBe(5);
    for (const period of old) shedder.end(period);
    ticks(40, 20, shedder, 0);
    expect(shedder.active).toBe(false);
  });

  it("gives up for five minutes when turns stay long: it is not new requests that take the time", () => {
    const shedder = ticks(17 + 83, 60);
    expect(shedder.active).toBe(true);
    ticks(1, 60, shedder);
    expect(shedder.active).toBe(false);
    ticks(4990, 60, shedder);
    expect(shedder.active).toBe(false);
    expect(ticks(20, 60, shedder).active).toBe(true);
  });

  it("gives up when nobody had to be refused for a second, and when serving is cheap again", () => {
    const shedder = ticks(10, 20, ticks(17, 60));
    for (let i = 0; i < 19; i++) shedder.measure(5, 0.1, 0.1, TICK);
    expect(shedder.active).toBe(true);
    shedder.measure(5, 0.1, 0.1, TICK);
    expect(shedder.active).toBe(false);
    expect(ticks(10, 40, ticks(17, 60), 2000).active).toBe(false);
  });

  /** A worker that could serve `capacity` requests a tick, each in `steps` turns, is offered `load` times as many. */
  function balance(load: number, capacity: number, steps: number): { goodput: number; worst: number } {
    const shedder = new LoadShedder();
    const cost = TICK / capacity / steps;
    const rounds = 1000;
    let coming = 0;
    let done = 0;
    let worst = 0;
    /** Requests under way, by the turns they still need. */
    const underWay: { left: number; period: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const settled = round >= rounds / 2;
      let time = 0;
      let turns = 0;
      while (time < TICK) {
        turns++;
        let turn = 0.05;
        // Clients have so many connections; who finds none free gives up.
        for (let come = Math.min(2000 - underWay.length, Math.floor(coming)); come > 0; come--) {
          turn += 0.03;
          if (!shedder.refuses()) underWay.push({ left: steps, period: shedder.begin() });
        }
        coming %= 1;
        for (let i = underWay.length - 1; i >= 0; i--) {
          const request = underWay[i]!;
          turn += cost;
          if (--request.left > 0) continue;
          shedder.end(request.period);
          underWay.splice(i, 1);
          if (settled) done++;
        }
        coming += (turn / TICK) * capacity * load;
        time += turn;
        if (settled) worst = Math.max(worst, turn);
      }
      shedder.measure(time, time / turns, 1, time);
    }
    return { goodput: done / (rounds / 2) / capacity, worst };
  }

  it.each([
    [1.5, 100, 1],
    [2, 100, 5],
    [3, 100, 1],
    [3, 100, 5],
    [3, 100, 20],
    [3, 20, 3],
  ])(
    "keeps a worker busy and its turns short at %s times the %s requests it can carry",
    (load, capacity, steps) => {
      const { goodput, worst } = balance(load, capacity, steps);
      expect(goodput).toBeGreaterThan(0.85);
      expect(worst).toBeLessThan(60);
    },
  );
});
