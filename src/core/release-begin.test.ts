import { describe, expect, it } from "vitest";
import { begin, type ReleaseInput } from "./release-begin.ts";
import { outsideSignal } from "./verdict/verdict-settings.ts";
import { facts, FROZEN, GOOD, groupNames, input, PLAN, play, START } from "./release.fixture.ts";

function refusals(changes: Partial<ReleaseInput>): readonly string[] {
  const beginning = begin(input(changes), START);
  if (beginning.kind === "begun") return [];
  return beginning.refusals.map(({ code, reason }) => `${code}: ${reason}`);
}

describe("the beginning of a release", () => {
  it("takes the first group out of traffic", () => {
    const beginning = begin(input({ update: "deploy", restore: "again" }), START);
    if (beginning.kind === "refused") throw new Error("refused");
    const { state, effects } = beginning;
    expect(state).toMatchObject({
      format: 1,
      stage: { kind: "draining", turn: 0 },
      routing: { deploy: 1, share: 0, testing: false, standby: [] },
      reachedAt: null,
      hooks: { update: { name: "deploy", idempotent: false }, restore: { name: "again", idempotent: true } },
    });
    expect(state.groups.map(({ condition }) => condition)).toEqual(["out", "old"]);
    expect(state.log).toEqual([
      { at: START, by: "ann", what: "release of version 2.0; draining of group1 begins" },
    ]);
    expect(effects.map(({ kind }) => kind)).toEqual(["route", "converge"]);
    expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
  });

  it("takes any order of all groups", () => {
    const beginning = begin(input({ groups: ["group2", "group1"] }), START);
    expect(beginning).toMatchObject({
      kind: "begun",
      state: {
        groups: [
          { name: "group2", deploy: 2 },
          { name: "group1", deploy: 1 },
        ],
        routing: { deploy: 2 },
      },
    });
  });

  it("is refused while another one runs, not after it", () => {
    const player = play();
    expect(refusals({ last: player.state })).toEqual([
      "releaseRunning: release r1 of shop is at draining of group1; expected one release at a time; nothing was begun",
    ]);
    player.say("rollback");
    expect(refusals({ last: player.state })).toHaveLength(1);
    expect(refusals({ last: player.until("rolledBack").state })).toEqual([]);
    expect(refusals({ last: play().until("done").state })).toEqual([]);
  });

  it("is refused by signals that are not there", () => {
    const { settings } = PLAN.verdict;
    const signals = [...settings.signals, outsideSignal("carts"), outsideSignal("stock")];
    const plan = { ...PLAN, verdict: { ...PLAN.verdict, settings: { ...settings, signals } } };
    expect(refusals({ plan, signals: ["stock", "queue"] })).toEqual([
      "unknownSignal: there is no signal carts; expected errors, latency, stock and queue; nothing was begun",
    ]);
    expect(refusals({ plan, signals: ["stock", "carts"] })).toEqual([]);
    expect(refusals({ plan })).toHaveLength(2);
  });

  it("has judged nothing, and taken nobody out", () => {
    expect(play().state).toMatchObject({ quarantined: [], slower: null });
  });

  it("is refused to apps that it cannot update while they serve", () => {
    expect(refusals({ appGroups: ["group1"] })).toEqual([
      "tooFewGroups: shop has 1 group; expected at least 2, as one serves while another is updated; nothing was begun",
    ]);
    expect(refusals({ deploy: 2 })).toEqual([
      "deployNotZero: deploy of shop is 2; expected 0, as somebody is updating a group by hand; nothing was begun",
    ]);
  });

  it("is refused for groups and hooks that there are not", () => {
    expect(refusals({ groups: ["group1", "group3"] })).toEqual([
      "unknownGroup: there is no group group3; expected group1 and group2; nothing was begun",
      "groupMissing: group2 would stay on the old version; expected every group in the order of their turns; nothing was begun",
    ]);
    expect(refusals({ groups: ["group1", "group2", "group1"] })).toEqual([
      "groupTwice: group1 is named twice; expected every group once; nothing was begun",
    ]);
    expect(refusals({ update: "x", restore: "undo" })).toEqual([
      "unknownHook: there is no hook x; expected deploy, undo and again; nothing was begun",
    ]);
    expect(refusals({ restore: "x", hooks: [] })).toEqual([
      "unknownHook: there is no hook x; expected none, as none is configured; nothing was begun",
    ]);
  });

  it("is refused for all reasons at once", () => {
    const steps = [{ kind: "share", share: 50, wait: { until: "continue" } }] as const;
    const codes = refusals({
      deploy: 1,
      update: "x",
      last: play().state,
      plan: { ...PLAN, steps, checks: 0 },
    }).map((refusal) => refusal.split(":")[0]);
    expect(codes).toEqual(["releaseRunning", "deployNotZero", "unknownHook", "badPlan", "badPlan"]);
  });

  it("is refused in a freeze, and where nobody would serve", () => {
    const codes = refusals({ facts: { ...FROZEN, groups: facts({}, ["group2"]).groups } });
    expect(codes.map((refusal) => refusal.split(":")[0])).toEqual(["frozen", "nobodyLives"]);
    expect(refusals({ facts: { groups: {} } })).toEqual([
      "noFacts: nothing is known of the servers of group1 and group2; expected how many live; nothing was begun",
    ]);
  });

  it("tells at once of a group too small for the way ahead, not when everybody is to go there", () => {
    const small = { weight: 5, liveWeight: 5, servers: 1, live: 1 };
    const known = { groups: { ...GOOD.groups, group1: small } };
    expect(refusals({ facts: known })).toEqual([
      "minCapacity: group1 would carry everybody with a live weight of 5 of 25 (20 %); expected at least 30 % (minCapacity 30 %); nothing was begun",
    ]);
    expect(refusals({ appGroups: groupNames(3), plan: { ...PLAN, minCapacity: 40 } })).toHaveLength(1);
    expect(refusals({ appGroups: groupNames(3) })).toEqual([]);
  });

  it("does not take a server that is dead now for one that is dead when its turn comes", () => {
    const one = { weight: 20, liveWeight: 5, servers: 4, live: 1 };
    expect(refusals({ facts: { groups: { ...GOOD.groups, group1: one } } })).toEqual([]);
    expect(refusals({ facts: { groups: { ...GOOD.groups, group2: one } } })).toHaveLength(1);
  });
});
