import { describe, expect, it } from "vitest";
import { outstanding } from "./release-effects.ts";
import type { Facts } from "./release-event.ts";
import { publicPools } from "./release-routing.ts";
import { stageInWords } from "./release-state.ts";
import { answerTo, facts, GOOD, groupNames, play, refusalOf, type Player } from "./release.fixture.ts";

const hooks = { update: "deploy", restore: "undo" };
const three = { appGroups: groupNames(3) };

/** Every stage on the way back, and who serves the public in it. */
function wayBack(player: Player): readonly string[] {
  const seen: string[] = [];
  let step = 0;
  for (let rounds = 0; rounds < 200; rounds++) {
    const { state, now } = player;
    if (state.step !== step) {
      const pools = publicPools(state.routing, state.groups).map(({ groups }) => groups.join(" "));
      seen.push(`${stageInWords(state)}: ${pools.join(", ")}`);
      ({ step } = state);
    }
    if (state.stage.kind === "rolledBack") return seen;
    const answer = answerTo(state, now, player.facts);
    player.wait(answer.now - now);
    if (player.state === state) player.happen(answer.event);
  }
  throw new Error(seen.join("\n"));
}

function rolledBackFrom(player: Player, known: Facts = GOOD): readonly string[] {
  player.facts = known;
  expect(player.say("rollback").kind).toBe("next");
  player.facts = GOOD;
  return wayBack(player);
}

describe("a rollback", () => {
  it("of a group that was only drained lets it serve again, with nothing to restore", () => {
    const end = ["merging of group1: group1 group2", "rolled back: group1 group2"];
    expect(rolledBackFrom(play(hooks).until("draining"))).toEqual(end);
    expect(rolledBackFrom(play(hooks).until("updating"))).toEqual(end);
    const player = play(hooks).until("updating");
    player.say("rollback");
    expect(outstanding(player.state)).toContainEqual({ kind: "weight", group: "group1", factor: 1 });
  });

  it.each(["checking", "testing", "shifting", "holding"] as const)(
    "from %s sends everybody to the old group at once, and then restores the first",
    (kind) => {
      const player = play(hooks).until(kind);
      player.say("rollback");
      expect(player.state.routing).toEqual({ deploy: 1, share: 0, testing: false, standby: [] });
      expect(wayBack(player)).toEqual([
        "draining of group1: group2",
        "restoring of group1: group2",
        "checking of group1: group2",
        "merging of group1: group1 group2",
        "rolled back: group1 group2",
      ]);
    },
  );

  it("from the draining of the second group needs no more than from holding", () => {
    expect(rolledBackFrom(play(hooks).until("draining", 1))).toEqual([
      "draining of group1: group2",
      "restoring of group1: group2",
      "checking of group1: group2",
      "merging of group1: group1 group2",
      "rolled back: group1 group2",
    ]);
  });

  it.each(["checking", "testing", "merging"] as const)(
    "from %s of the second group restores that first, while the new one serves",
    (kind) => {
      expect(rolledBackFrom(play(hooks).until(kind, 1))).toEqual([
        "draining of group2: group1",
        "restoring of group2: group1",
        "checking of group2: group1",
        "draining of group1: group2",
        "restoring of group1: group2",
        "checking of group1: group2",
        "merging of group1: group1 group2",
        "rolled back: group1 group2",
      ]);
    },
  );

  it("of three groups sends everybody to the old one as soon as there is one", () => {
    expect(rolledBackFrom(play({ ...hooks, ...three }).until("testing", 1))).toEqual([
      "draining of group2: group3",
      "restoring of group2: group3",
      "checking of group2: group3",
      "draining of group1: group2 group3",
      "restoring of group1: group2 group3",
      "checking of group1: group2 group3",
      "merging of group1: group1 group2 group3",
      "rolled back: group1 group2 group3",
    ]);
    expect(rolledBackFrom(play({ ...hooks, ...three }).until("merging", 2))).toEqual([
      "draining of group3: group1 group2",
      "restoring of group3: group1 group2",
      "checking of group3: group1 group2",
      "draining of group2: group3",
      "restoring of group2: group3",
      "checking of group2: group3",
      "draining of group1: group2 group3",
      "restoring of group1: group2 group3",
      "checking of group1: group2 group3",
      "merging of group1: group1 group2 group3",
      "rolled back: group1 group2 group3",
    ]);
  });

  it("leaves everybody on the new version while the old one could not carry them", () => {
    const weak = { weight: 20, liveWeight: 5, servers: 4, live: 1 };
    const player = play({ ...hooks, ...three }).until("testing", 1);
    expect(rolledBackFrom(player, { groups: { ...GOOD.groups, group3: weak } }).slice(0, 4)).toEqual([
      "draining of group2: group1",
      "restoring of group2: group1",
      "checking of group2: group1",
      "draining of group1: group2 group3",
    ]);
  });

  it("takes the old version all the same if the new one has fewer servers alive", () => {
    const weak = { weight: 20, liveWeight: 5, servers: 4, live: 1 };
    const player = play({ ...hooks, ...three }).until("testing", 1);
    player.facts = { groups: { ...GOOD.groups, group1: { ...weak, liveWeight: 4 }, group3: weak } };
    player.say("rollback");
    expect(publicPools(player.state.routing, player.state.groups)[0]!.groups).toEqual(["group3"]);
  });

  it("does not take the public to a group of which no server lives, until one does", () => {
    const player = play(hooks).until("holding");
    player.facts = facts({}, ["group2"]);
    expect(player.say("rollback").kind).toBe("next");
    expect(player.state.stage).toMatchObject({ kind: "returning", turned: false });
    expect(player.state.routing.share).toBe(100);
    player.wait(60_000);
    player.report({ type: "drain", step: player.state.step, idle: true, busy: [] });
    expect(player.state.stage).toMatchObject({ turned: false, idle: false });
    player.facts = GOOD;
    player.wait(1000);
    expect(player.state.stage).toMatchObject({ kind: "returning", turned: true });
    expect(player.state.routing).toMatchObject({ deploy: 1, share: 0, testing: false });
  });

  it("takes it there when a person insists", () => {
    const player = play(hooks).until("holding");
    player.facts = facts({}, ["group2"]);
    player.say("rollback");
    player.say("continue");
    expect(player.state.routing).toMatchObject({ deploy: 1, share: 0, testing: false });
  });

  it("does not wait for life where there is none on either side, nor for facts", () => {
    for (const known of [facts({}, ["group1", "group2"]), { groups: {} }]) {
      const player = play(hooks).until("holding");
      player.facts = known;
      player.say("rollback");
      expect(player.state.routing.share).toBe(0);
    }
  });

  it("is stopped by no freeze, no pause, no trouble, and no guard", () => {
    const freeze = { until: null, reason: "a fair" };
    const player = play(hooks).until("updating");
    player.happen(answerTo(player.state, player.now, GOOD).event);
    player.report({ type: "hookEnded", run: "r1/update/1", outcome: "failed", detail: "exit 1" });
    player.say("pause");
    player.facts = { ...facts({}, groupNames(3)), freeze };
    expect(player.say("rollback", { step: 0 }).kind).toBe("next");
    expect(player.state).toMatchObject({ pause: null, trouble: null, direction: "back" });
    for (let rounds = 0; rounds < 100 && player.state.stage.kind !== "rolledBack"; rounds++) {
      const answer = answerTo(player.state, player.now, player.facts);
      player.wait(answer.now - player.now);
      player.happen(answer.event);
    }
    expect(player.state.stage.kind).toBe("rolledBack");
  });

  it("ends a hook that runs before it restores anything", () => {
    const player = play(hooks).until("updating");
    player.happen(answerTo(player.state, player.now, GOOD).event);
    player.say("rollback");
    expect(outstanding(player.state)).toContainEqual({
      kind: "stopHook",
      group: "group1",
      run: "r1/update/1",
    });
    player.report({ type: "drain", step: player.state.step, idle: true, busy: [] });
    player.wait(1000);
    expect(player.state.stage.kind).toBe("returning");
    player.report({ type: "hookEnded", run: "r1/update/1", outcome: "done", detail: "0" });
    expect(player.state.stage).toMatchObject({
      kind: "restoring",
      work: { run: "r1/restore/2", progress: "wanted" },
    });
  });

  it("asks a person when nobody knows whether that hook has ended", () => {
    const player = play({ update: "again", restore: "undo" }).until("updating");
    player.happen(answerTo(player.state, player.now, GOOD).event);
    player.say("rollback");
    player.report({ type: "drain", step: player.state.step, idle: true, busy: [] });
    player.report({ type: "hookEnded", run: "r1/update/1", outcome: "unknown", detail: "killed" });
    player.wait(60 * 60_000);
    expect(player.state.trouble).toMatchObject({ code: "hookUnknown" });
    expect(player.state.trouble!.reason).toBe(
      "nobody knows whether the hook of group1 still runs: killed; continue when nothing of it runs any more",
    );
    expect(refusalOf(player.say("retry")).code).toBe("nothingToRetry");
    player.say("continue");
    expect(player.state.stage.kind).toBe("restoring");
  });

  it("waits for a person where a drain, a hook or checks do not end", () => {
    const player = play(hooks).until("holding");
    player.say("rollback");
    player.report({ type: "converged", change: player.state.change });
    player.wait(30_000);
    expect(player.state.trouble).toMatchObject({ code: "drainTimedOut" });
    player.say("continue");
    expect(player.state.stage.kind).toBe("restoring");
    player.report({ type: "hookBegun", run: "r1/restore/2" });
    player.report({ type: "hookEnded", run: "r1/restore/2", outcome: "failed", detail: "exit 1" });
    player.say("continue");
    expect(player.state.stage).toMatchObject({ work: { run: "r1/restore/3", progress: "wanted" } });
    player.report({ type: "hookBegun", run: "r1/restore/3" });
    player.report({ type: "hookEnded", run: "r1/restore/3", outcome: "unknown", detail: "killed" });
    player.say("continue");
    expect(player.state.stage.kind).toBe("checking");
    player.wait(60 * 60_000);
    expect(player.state.stage.kind).toBe("checking");
    player.say("continue");
    expect(player.state.stage.kind).toBe("merging");
  });

  it("cannot be paused, and said again changes nothing", () => {
    const player = play().until("holding");
    player.say("rollback");
    expect(refusalOf(player.say("pause"))).toEqual({
      code: "rollingBack",
      reason: "it goes back, which cannot be paused; the release stays at draining of group1",
    });
    const { state } = player;
    expect(player.say("rollback")).toEqual({ kind: "next", state, effects: [] });
    expect(player.state).toBe(state);
  });

  it("has the restored group rise slowly where it joins others", () => {
    const player = play(hooks).until("holding");
    player.say("rollback");
    player.until("merging");
    expect(outstanding(player.state)).toContainEqual({ kind: "weight", group: "group1", factor: 0.1 });
    player.report({ type: "converged", change: player.state.change });
    player.wait(0);
    expect(player.state.stage.kind).toBe("merging");
  });
});
