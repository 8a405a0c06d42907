import { describe, expect, it } from "vitest";
import type { Facts } from "./release-event.ts";
import { guardRefusals } from "./release-guards.ts";
import type { Routing } from "./release-routing.ts";
import { facts, GOOD, MINUTE, START } from "./release.fixture.ts";

const groups = [1, 2].map((deploy) => ({ name: `group${deploy}`, deploy }));
const closed: Routing = { deploy: 1, share: 0, testing: false, standby: [] };
const half: Routing = { deploy: 1, share: 50, testing: true, standby: [] };
const whole: Routing = { deploy: 1, share: 100, testing: true, standby: [] };

function refusals(routing: Routing, known: Facts, minCapacity = 40): readonly string[] {
  const guarded = { routing, groups, minCapacity, stays: "nothing changes" };
  return guardRefusals(guarded, known, START).map(({ code, reason }) => `${code}: ${reason}`);
}

/** Two groups of ten servers of weight 1, so many of which live. */
function tenServers(live1: number, live2: number, more: Partial<Facts> = {}): Facts {
  const group = (live: number) => ({ weight: 10, liveWeight: live, servers: 10, live });
  return { groups: { group1: group(live1), group2: group(live2) }, ...more };
}

describe("the guards of a step forward", () => {
  it("have nothing against enough servers", () => {
    expect(refusals(closed, GOOD, 30)).toEqual([]);
    expect(refusals(closed, tenServers(0, 8))).toEqual([]);
    expect(refusals(whole, tenServers(8, 0))).toEqual([]);
  });

  it("refuse in a freeze, until it is over", () => {
    const freeze = { until: START + 2 * MINUTE, reason: "a fair" };
    expect(refusals(closed, { ...GOOD, freeze }, 30)).toEqual([
      "frozen: a freeze stops every step forward for another 2 min: a fair; nothing changes, a rollback is possible",
    ]);
    expect(refusals(closed, { ...GOOD, freeze: { ...freeze, until: null } }, 30)).toEqual([
      "frozen: a freeze stops every step forward until it is lifted: a fair; nothing changes, a rollback is possible",
    ]);
    expect(refusals(closed, { ...GOOD, freeze: { ...freeze, until: START } }, 30)).toEqual([]);
  });

  it("refuse to leave less live weight than minCapacity to those who carry everybody", () => {
    expect(refusals(closed, tenServers(10, 7))).toEqual([
      "minCapacity: group2 would carry everybody with a live weight of 7 of 20 (35 %); expected at least 40 % (minCapacity 40 %); nothing changes",
    ]);
    expect(refusals(whole, tenServers(7, 10))).toHaveLength(1);
  });

  it("ask of a group that takes a share for that part of it", () => {
    expect(refusals(half, tenServers(4, 4))).toEqual([]);
    expect(refusals(half, tenServers(3, 4))).toEqual([
      "minCapacity: group1 would carry 50 % of the clients with a live weight of 3 of 20 (15 %); expected at least 20 % (minCapacity 40 %); nothing changes",
    ]);
    expect(refusals(half, tenServers(4, 3))).toHaveLength(1);
  });

  it("refuse to send anybody where nobody lives, whatever minCapacity is", () => {
    expect(refusals(half, facts({}, ["group2"]), 0)).toEqual([
      "nobodyLives: group2 would carry 50 % of the clients, but none of its 2 servers lives; nothing changes",
    ]);
    expect(refusals(half, facts({}, ["group1"]), 0)).toHaveLength(1);
  });

  it("refuse what no server was seen to carry", () => {
    const rates = { currentRate: 1000, peakPerServer: 110 };
    expect(refusals(closed, tenServers(10, 10, rates))).toEqual([]);
    expect(refusals(closed, tenServers(10, 9, rates))).toEqual([
      "peak: group2 would carry 1000 requests a second with 9 servers; expected at most 990, as the most that one server is known to carry is 110; nothing changes",
    ]);
    expect(refusals(half, tenServers(5, 5, rates))).toEqual([]);
    expect(refusals(half, tenServers(5, 4, rates))).toHaveLength(1);
  });

  it("do not guess what was not measured", () => {
    expect(refusals(closed, tenServers(10, 9, { currentRate: 1000 }))).toEqual([]);
    expect(refusals(closed, tenServers(10, 9, { peakPerServer: 1 }))).toEqual([]);
  });

  it("refuse to rely on groups of which nothing is known", () => {
    expect(refusals(closed, { groups: { group2: GOOD.groups["group2"]! } })).toEqual([
      "noFacts: nothing is known of the servers of group1; expected how many live; nothing changes",
    ]);
  });
});
