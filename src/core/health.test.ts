import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  abandonProbe,
  adoptDeath,
  adoptLife,
  isAvailable,
  isSurelyDead,
  newHealth,
  recordCheck,
  recordFailure,
  recordSuccess,
  startProbe,
  type Health,
} from "./health.ts";

const policy = { maxFails: 1, dieTime: 10_000, maxDieTime: 300_000 };
/** The middle of the jitter: die times come out as configured. */
const MIDDLE = 0.5;

const fresh = (): Health => newHealth({ value: 0 });

/** Dies, and fails each probe: the die times in order. */
function dieTimes(count: number, dice: number): number[] {
  const health = fresh();
  const times: number[] = [];
  let now = 1000;
  for (let death = 0; death < count; death++) {
    if (health.deadUntil !== 0) startProbe(health);
    recordFailure(health, policy, now, dice);
    times.push(Math.round(health.deadUntil - now));
    now = health.deadUntil;
  }
  return times;
}

describe("health", () => {
  it("leaves a server out from its failure to the end of its die time", () => {
    const health = fresh();
    expect(isAvailable(health, 0)).toBe(true);
    expect(recordFailure(health, policy, 1000, MIDDLE)).toBe(true);
    expect(isAvailable(health, 10_999)).toBe(false);
    expect(isAvailable(health, 11_000)).toBe(true);
  });

  it("doubles the die time with each failed probe, up to the bound", () => {
    expect(dieTimes(7, MIDDLE)).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    expect(dieTimes(2000, MIDDLE).at(-1)).toBe(300_000);
  });

  it("varies die times by a tenth to both sides, at the bound too", () => {
    expect(dieTimes(6, 0)).toEqual([9000, 18_000, 36_000, 72_000, 144_000, 270_000]);
    expect(dieTimes(6, 1)).toEqual([11_000, 22_000, 44_000, 88_000, 176_000, 330_000]);
  });

  it("lets one request through after the die time, and no other until that one has an outcome", () => {
    const health = fresh();
    recordFailure(health, policy, 0, MIDDLE);
    startProbe(health);
    expect(isAvailable(health, 10_000)).toBe(false);
    abandonProbe(health);
    expect(isAvailable(health, 10_000)).toBe(true);
    startProbe(health);
    expect(recordSuccess(health, 0)).toBe(true);
    expect(isAvailable(health, 10_000)).toBe(true);
    expect(recordSuccess(health, 0)).toBe(false);
  });

  it("forgets everything with one success", () => {
    const health = fresh();
    recordFailure(health, policy, 0, MIDDLE);
    startProbe(health);
    recordFailure(health, policy, 10_000, MIDDLE);
    recordSuccess(health, 0);
    recordFailure(health, policy, 100_000, MIDDLE);
    expect(health.deadUntil).toBe(110_000);
  });

  it("takes the failures of many requests in flight for one event", () => {
    const health = fresh();
    recordFailure(health, policy, 1000, MIDDLE);
    for (let late = 1; late < 64; late++) {
      expect(recordFailure(health, policy, 1000 + late, MIDDLE)).toBe(false);
    }
    expect(health).toMatchObject({ streak: 1, deadUntil: 11_000 });
  });

  it("does not take a request sent before the death for the probe, however late it fails", () => {
    const health = fresh();
    recordFailure(health, policy, 1000, MIDDLE, 900);
    startProbe(health);
    expect(recordFailure(health, policy, 15_000, MIDDLE, 950)).toBe(false);
    expect(health.probing).toBe(true);
    expect(recordFailure(health, policy, 16_000, MIDDLE, 12_000)).toBe(true);
    expect(health).toMatchObject({ streak: 2, probing: false, deadUntil: 36_000 });
  });

  it("counts maxFails failures within one die time", () => {
    const patient = { ...policy, maxFails: 3 };
    const health = fresh();
    expect(recordFailure(health, patient, 0, MIDDLE)).toBe(false);
    expect(recordFailure(health, patient, 5000, MIDDLE)).toBe(false);
    expect(recordFailure(health, patient, 10_001, MIDDLE)).toBe(false);
    expect(isAvailable(health, 10_001)).toBe(true);
    expect(recordFailure(health, patient, 10_002, MIDDLE)).toBe(false);
    expect(recordFailure(health, patient, 10_003, MIDDLE)).toBe(true);
  });

  it("needs one failed probe, not maxFails of them, to stay dead", () => {
    const patient = { ...policy, maxFails: 2 };
    const health = fresh();
    recordFailure(health, patient, 0, MIDDLE);
    recordFailure(health, patient, 0, MIDDLE);
    startProbe(health);
    expect(recordFailure(health, patient, 10_000, MIDDLE)).toBe(true);
  });

  it("keeps a server out that the active check calls unhealthy, whatever traffic says", () => {
    const health = fresh();
    expect(recordCheck(health, true, 0)).toBe(false);
    expect(recordCheck(health, false, 0)).toBe(true);
    recordSuccess(health, 0);
    expect(isAvailable(health, 0)).toBe(false);
    recordFailure(health, policy, 0, MIDDLE);
    expect(recordCheck(health, true, 0)).toBe(true);
    expect(isAvailable(health, 0)).toBe(true);
  });

  it("adopts another's finding without adding it to its own of the same death", () => {
    const health = fresh();
    recordFailure(health, policy, 0, MIDDLE);
    expect(adoptDeath(health, 9500, 1)).toBe(false);
    expect(adoptDeath(health, 10_500, 1)).toBe(true);
    expect(health).toMatchObject({ streak: 1, deadUntil: 10_500 });
    expect(adoptLife(health, 0)).toBe(true);
    expect(adoptLife(health, 0)).toBe(false);
    expect(isAvailable(health, 0)).toBe(true);
    adoptDeath(health, 40_000, 3);
    startProbe(health);
    recordFailure(health, policy, 40_000, MIDDLE);
    expect(health.deadUntil).toBe(40_000 + 80_000);
  });

  it("counts each change of availability in the epoch, so that no pool misses one", () => {
    const event = fc.constantFrom<(health: Health, now: number) => unknown>(
      (health, now) => recordFailure(health, policy, now, MIDDLE),
      (health) => recordSuccess(health, 0),
      (health) => startProbe(health),
      (health) => abandonProbe(health),
      (health) => recordCheck(health, false, 0),
      (health) => recordCheck(health, true, 0),
      (health, now) => adoptDeath(health, now + 5000, 1),
      (health) => adoptLife(health, 0),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(20_000))), (events) => {
        const health = fresh();
        let now = 1;
        for (const [happen, wait] of events) {
          now += wait;
          const before = { available: isAvailable(health, now), epoch: health.epoch.value };
          happen(health, now);
          if (isAvailable(health, now) !== before.available) {
            expect(health.epoch.value).toBeGreaterThan(before.epoch);
          }
        }
      }),
    );
  });
});

describe("a server", () => {
  it("is surely dead by three failures in a row or by its check, and no more when it answers", () => {
    const deaths = (maxFails: number, failures: number): boolean => {
      const health = fresh();
      for (let failure = 0; failure < failures; failure += 1) {
        const now = health.deadUntil;
        if (now !== 0) startProbe(health);
        recordFailure(health, { ...policy, maxFails }, now, MIDDLE);
      }
      return isSurelyDead(health, { maxFails });
    };
    expect([1, 2, 3].map((failures) => deaths(1, failures))).toEqual([false, false, true]);
    expect([1, 2, 3].map((failures) => deaths(2, failures))).toEqual([false, false, true]);
    expect([4, 5].map((failures) => deaths(5, failures))).toEqual([false, true]);
    const health = fresh();
    recordCheck(health, false, 0);
    expect(isSurelyDead(health, policy)).toBe(true);
    recordCheck(health, true, 0);
    adoptDeath(health, 1000, 3);
    expect(isSurelyDead(health, policy)).toBe(true);
    recordSuccess(health, 2000);
    expect(isSurelyDead(health, policy)).toBe(false);
  });
});
