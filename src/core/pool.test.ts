import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BalanceMethod } from "./app.ts";
import {
  abandonProbe,
  adoptDeath,
  isAvailable,
  newHealth,
  recordCheck,
  recordFailure,
  recordSuccess,
  type HealthEpoch,
} from "./health.ts";
import { Pool, type Member } from "./pool.ts";

const policy = { maxFails: 1, dieTime: 10_000, maxDieTime: 300_000 };
const NONE: readonly Member[] = [];
const methods: readonly BalanceMethod[] = ["roundRobin", "leastConnections", "hash"];

interface Scene {
  readonly members: readonly Member[];
  readonly epoch: HealthEpoch;
  readonly pool: Pool<Member>;
}

function scene(weights: readonly number[], method: BalanceMethod = "roundRobin"): Scene {
  const epoch = { value: 0 };
  const members = weights.map((weight, n) => ({
    server: { id: `10.0.4.${n}:80`, weight, target: { kind: "ip", host: `10.0.4.${n}`, port: 80 } as const },
    health: newHealth(epoch),
    inFlight: 0,
  }));
  return { members, epoch, pool: new Pool<Member>(members, method, epoch) };
}

const fail = (member: Member, now: number): boolean => recordFailure(member.health, policy, now, 0.5);

/** Indices of the next picks. */
const picks = ({ members, pool }: Scene, now: number, count: number): number[] =>
  Array.from({ length: count }, (_, n) => members.indexOf(pool.pick(now, `client-${n}`, NONE)!));

describe("Pool", () => {
  it("follows nginx's sequence", () => {
    expect(picks(scene([5, 1, 1]), 0, 7)).toEqual([0, 0, 1, 0, 2, 0, 0]);
  });

  it("keeps its position while the set of the living stays the same", () => {
    const stage = scene([5, 1, 1, 1]);
    recordCheck(stage.members[3]!.health, false, 0);
    const taken = picks(stage, 0, 3);
    stage.epoch.value++;
    taken.push(...picks(stage, 60_000, 4));
    expect(taken).toEqual([0, 0, 1, 0, 2, 0, 0]);
  });

  it.each(methods)("never chooses who has no weight, dead or alive, tried or not (%s)", (method) => {
    const weights = fc.array(fc.constantFrom(0, 1, 3, 100), { minLength: 1, maxLength: 8 });
    const deaths = fc.array(fc.nat(7), { maxLength: 8 });
    fc.assert(
      fc.property(weights, deaths, (weights, deaths) => {
        const stage = scene(weights, method);
        for (const index of deaths) {
          const member = stage.members[index];
          if (member !== undefined && member.health.deadUntil === 0) fail(member, 0);
        }
        const usable = stage.members.filter(({ server }) => server.weight > 0);
        expect(stage.pool.hasLive(1)).toBe(usable.some(({ health }) => health.deadUntil === 0));
        const tried: Member[] = [];
        for (let tries = 0; tries < usable.length; tries++) {
          const member = stage.pool.pick(1, `client-${tries}`, tried);
          expect(usable).toContain(member);
          tried.push(member!);
        }
        expect(stage.pool.pick(1, "client", tried)).toBeUndefined();
      }),
    );
  });

  it.each(methods)("gives a server that came back a part that rises (%s)", (method) => {
    const stage = scene([1, 1, 1], method);
    const [back] = stage.members as [Member];
    back.health.slowStart = 10_000;
    fail(back, 0);
    recordSuccess(back.health, 20_000);
    const partAt = (now: number): number =>
      picks(stage, now, 3000).filter((index) => index === 0).length / 3000;
    const parts = [20_000, 25_000, 29_000, 30_000].map(partAt);
    const whole = partAt(31_000);
    expect(parts[0]! / whole).toBeCloseTo(0.1, 1);
    expect(parts[1]!).toBeGreaterThan(parts[0]! * 3);
    expect(parts[2]!).toBeGreaterThan(parts[1]! * 1.2);
    expect(parts[3]!).toBeCloseTo(whole, 2);
  });

  it("gives it every request when nobody else is left", () => {
    const stage = scene([1, 1]);
    const [back, other] = stage.members as [Member, Member];
    back.health.slowStart = 10_000;
    fail(back, 0);
    recordSuccess(back.health, 20_000);
    fail(other, 20_000);
    expect(picks(stage, 20_001, 20)).toEqual(Array.from({ length: 20 }, () => 0));
  });

  it("takes the members' weights at its construction", () => {
    const stage = scene([1, 1]);
    Object.assign(stage.members[0]!, { server: { ...stage.members[0]!.server, weight: 100 } });
    expect(picks(stage, 0, 4)).toEqual([0, 1, 0, 1]);
  });

  it("lets exactly one request through after the die time, as the probe", () => {
    const stage = scene([1, 1]);
    const [dead] = stage.members as [Member, Member];
    fail(dead, 0);
    expect(picks(stage, 9999, 4)).toEqual([1, 1, 1, 1]);
    const due = picks(stage, 10_000, 6);
    expect(due.filter((index) => index === 0)).toHaveLength(1);
    recordSuccess(dead.health, 0);
    expect(picks(stage, 10_000, 6).filter((index) => index === 0)).toHaveLength(3);
  });

  it("says which pick is the probe, and offers another when that one is abandoned", () => {
    const stage = scene([1]);
    const { pool } = stage;
    const [only] = stage.members as [Member];
    pool.pick(0, "", NONE);
    expect(pool.probing).toBe(false);
    fail(only, 0);
    pool.pick(10_000, "", NONE);
    expect([pool.probing, pool.panicking, pool.hasLive(10_000)]).toEqual([true, false, false]);
    abandonProbe(only.health);
    expect(pool.hasLive(10_000)).toBe(true);
    pool.pick(10_000, "", NONE);
    expect(pool.probing).toBe(true);
  });

  it("shares deaths and probes with the other pools of the same servers", () => {
    const { members, epoch, pool } = scene([1, 1]);
    const other = new Pool(members.slice(0, 1), "roundRobin", epoch);
    expect(other.hasLive(0)).toBe(true);
    fail(members[0]!, 0);
    expect(other.hasLive(1)).toBe(false);
    expect(other.hasLive(10_000)).toBe(true);
    while (pool.pick(10_000, "", NONE) !== members[0]) expect(other.hasLive(10_000)).toBe(true);
    expect(other.hasLive(10_000)).toBe(false);
    recordSuccess(members[0]!.health, 0);
    expect(other.hasLive(10_000)).toBe(true);
  });

  it("uses all members when all are dead, and no longer when one comes back", () => {
    const stage = scene([1, 1, 1]);
    for (const member of stage.members) fail(member, 0);
    expect(new Set(picks(stage, 1, 3))).toEqual(new Set([0, 1, 2]));
    expect(stage.pool.panicking).toBe(true);
    expect(stage.members.some(({ health }) => health.probing)).toBe(false);
    recordSuccess(stage.members[1]!.health, 0);
    expect(picks(stage, 2, 3)).toEqual([1, 1, 1]);
    expect(stage.pool.panicking).toBe(false);
  });

  it("takes a dead member rather than none when the living were tried", () => {
    const { members, pool } = scene([1, 1, 0]);
    fail(members[1]!, 0);
    expect(pool.pick(1, "", [members[0]!])).toBe(members[1]);
    expect(pool.panicking).toBe(true);
    expect(pool.pick(1, "", members.slice(0, 2))).toBeUndefined();
    expect(pool.panicking).toBe(false);
  });

  it("has nobody without members or weights", () => {
    for (const { pool } of [scene([]), scene([0, 0])]) {
      expect(pool.hasLive(0)).toBe(false);
      expect(pool.pick(0, "", NONE)).toBeUndefined();
    }
  });

  it("notices each die time as it ends", () => {
    const stage = scene([1, 1, 1]);
    adoptDeath(stage.members[0]!.health, 5000, 1);
    adoptDeath(stage.members[1]!.health, 8000, 1);
    expect(new Set(picks(stage, 4999, 6))).toEqual(new Set([2]));
    expect(new Set(picks(stage, 5000, 6))).toEqual(new Set([0, 2]));
    expect(new Set(picks(stage, 8000, 6))).toEqual(new Set([1, 2]));
  });
});

describe.each(methods)("Pool with %s", (method) => {
  const event = fc.record({
    wait: fc.nat(8000),
    member: fc.nat(11),
    kind: fc.constantFrom("fail", "succeed", "abandon", "unhealthy", "healthy", "adopt", "pick", "retry"),
  });

  it("keeps its promises whatever happens to the servers", () => {
    const weights = fc.array(fc.nat(3), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(weights, fc.array(event, { maxLength: 60 }), (weights, events) => {
        const { members, pool } = scene(weights, method);
        const usable = members.filter(({ server }) => server.weight > 0);
        let now = 1;
        for (const { wait, member: n, kind } of events) {
          now += wait;
          const member = members[n % members.length]!;
          if (kind === "fail") fail(member, now);
          else if (kind === "succeed") recordSuccess(member.health, 0);
          else if (kind === "abandon") abandonProbe(member.health);
          else if (kind === "unhealthy") recordCheck(member.health, false, 0);
          else if (kind === "healthy") recordCheck(member.health, true, 0);
          else if (kind === "adopt") adoptDeath(member.health, now + 3000, 1);
          const tried = kind === "retry" ? [member] : [];
          const live = usable.filter(({ health }) => isAvailable(health, now));
          const wanted = live.filter((one) => !tried.includes(one));
          const allowed = wanted.length > 0 ? wanted : usable.filter((one) => !tried.includes(one));
          expect(pool.hasLive(now)).toBe(live.length > 0);
          const wasDue = live.filter(({ health }) => health.deadUntil !== 0);
          const picked = pool.pick(now, `client-${n}`, tried);
          if (allowed.length === 0) expect(picked).toBeUndefined();
          else expect(allowed).toContain(picked);
          expect(pool.panicking).toBe(wanted.length === 0 && allowed.length > 0);
          expect(pool.probing).toBe(picked !== undefined && wasDue.includes(picked));
          if (picked !== undefined && pool.probing) expect(picked.health.probing).toBe(true);
        }
      }),
    );
  });
});
