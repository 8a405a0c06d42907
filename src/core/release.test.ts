import { describe, expect, it } from "vitest";
import { outstanding } from "./release-effects.ts";
import { stageInWords } from "./release-state.ts";
import { transition } from "./release.ts";
import {
  answerTo,
  facts,
  FROZEN,
  GOOD,
  groupNames,
  MINUTE,
  PLAN,
  play,
  refusalOf,
} from "./release.fixture.ts";

/** Every stage with its routing, on the way on which all goes well. */
function course(player: ReturnType<typeof play>, end: "done" | "rolledBack"): readonly string[] {
  const seen: string[] = [];
  let step = 0;
  for (let rounds = 0; rounds < 200; rounds++) {
    const { state, now } = player;
    if (state.step !== step) {
      const { deploy, share, testing, standby } = state.routing;
      const open = deploy > 0 && !testing ? " closed" : "";
      const waiting = standby.length > 0 ? ` standby ${standby.join(" ")}` : "";
      seen.push(`${stageInWords(state)}: ${deploy} ${share} %${open}${waiting}`);
      ({ step } = state);
    }
    if (state.stage.kind === end) return seen;
    const answer = answerTo(state, now, GOOD);
    player.wait(answer.now - now);
    if (player.state === state) player.happen(answer.event);
  }
  throw new Error(seen.join("\n"));
}

describe("a release", () => {
  it("of two groups goes its course", () => {
    expect(course(play({ update: "deploy" }), "done")).toEqual([
      "draining of group1: 1 0 % closed",
      "updating of group1: 1 0 % closed",
      "checking of group1: 1 0 % closed",
      "testing of group1: 1 0 %",
      "shifting of group1 (10 %): 1 10 %",
      "shifting of group1 (50 %): 1 50 %",
      "shifting of group1 (100 %): 1 100 %",
      "holding of group1: 1 100 %",
      "draining of group2: 2 0 % closed",
      "updating of group2: 2 0 % closed",
      "checking of group2: 2 0 % closed",
      "testing of group2: 2 0 %",
      "merging of group2: 0 0 %",
      "done: 0 0 %",
    ]);
  });

  it("of three groups has old ones stand by from the second on", () => {
    expect(course(play({ appGroups: groupNames(3) }), "done").slice(8)).toEqual([
      "draining of group2: 2 0 % closed standby group3",
      "updating of group2: 2 0 % closed standby group3",
      "checking of group2: 2 0 % closed standby group3",
      "testing of group2: 2 0 % standby group3",
      "merging of group2: 0 0 % standby group3",
      "draining of group3: 3 0 % closed",
      "updating of group3: 3 0 % closed",
      "checking of group3: 3 0 % closed",
      "testing of group3: 3 0 %",
      "merging of group3: 0 0 %",
      "done: 0 0 %",
    ]);
  });

  it("leaves out what its plan leaves out", () => {
    const steps = [{ kind: "share", share: 100, wait: { until: "continue" } }] as const;
    expect(course(play({ plan: { ...PLAN, steps } }), "done")).toEqual([
      "draining of group1: 1 0 % closed",
      "updating of group1: 1 0 % closed",
      "checking of group1: 1 0 % closed",
      "shifting of group1 (100 %): 1 100 %",
      "draining of group2: 2 0 % closed",
      "updating of group2: 2 0 % closed",
      "checking of group2: 2 0 % closed",
      "merging of group2: 0 0 %",
      "done: 0 0 %",
    ]);
  });

  it("counts a step's time from when every gateway applies it", () => {
    const player = play().until("shifting");
    player.report({ type: "converged", change: player.state.change });
    player.report({ type: "verdict", step: player.state.step, verdict: "notWorse", reason: "e = 40" });
    expect(player.state.stage).toMatchObject({ kind: "shifting", share: 50 });
    player.wait(10 * MINUTE);
    expect(player.state.stage).toMatchObject({ share: 50 });
    player.report({ type: "converged", change: player.state.change });
    player.wait(2 * MINUTE - 1);
    expect(player.state.stage).toMatchObject({ share: 50 });
    player.wait(1);
    expect(player.state.stage).toMatchObject({ share: 100 });
  });

  it("takes one step by one event, however late", () => {
    const player = play().until("shifting");
    player.report({ type: "converged", change: player.state.change });
    player.report({ type: "verdict", step: player.state.step, verdict: "notWorse", reason: "e = 40" });
    player.report({ type: "converged", change: player.state.change });
    player.wait(24 * 60 * MINUTE);
    expect(player.state.stage).toMatchObject({ kind: "shifting", share: 100 });
    player.wait(24 * 60 * MINUTE);
    expect(player.state.stage).toMatchObject({ kind: "shifting", share: 100 });
  });

  it("does not move when the clock goes back", () => {
    const player = play().until("shifting").until("holding");
    player.wait(-60 * MINUTE);
    expect(player.state.stage.kind).toBe("holding");
  });

  it("raises the weight of a group that merges tenth by tenth, never by more at once", () => {
    const player = play().until("merging");
    const weights = (): unknown => outstanding(player.state).filter(({ kind }) => kind === "weight");
    expect(weights()).toEqual([{ kind: "weight", group: "group2", factor: 0.1 }]);
    player.wait(60 * MINUTE);
    expect(weights()).toEqual([{ kind: "weight", group: "group2", factor: 0.1 }]);
    player.report({ type: "converged", change: player.state.change });
    player.wait(PLAN.slowStart / 10);
    expect(weights()).toEqual([{ kind: "weight", group: "group2", factor: 0.1 }]);
    player.wait(PLAN.slowStart / 10);
    expect(weights()).toEqual([{ kind: "weight", group: "group2", factor: 0.2 }]);
    player.wait(60 * MINUTE);
    expect(weights()).toEqual([{ kind: "weight", group: "group2", factor: 0.3 }]);
    for (let tick = 0; tick < 7; tick++) player.wait(0);
    expect(weights()).toEqual([{ kind: "weight", group: "group2", factor: 1 }]);
    player.wait(0);
    expect(player.state.stage.kind).toBe("done");
    expect(outstanding(player.state)).toEqual([]);
  });

  it("takes no step in a freeze, says why, and goes on when it is over", () => {
    const player = play().until("merging");
    player.report({ type: "converged", change: player.state.change });
    player.facts = FROZEN;
    player.wait(60 * MINUTE);
    expect(player.state.stage).toMatchObject({ kind: "merging", tenths: 1 });
    player.facts = GOOD;
    player.until("done");

    const shifting = play().until("shifting").until("holding");
    shifting.facts = FROZEN;
    expect(refusalOf(shifting.say("continue")).code).toBe("frozen");
    expect(shifting.state.stage.kind).toBe("holding");
  });

  it("keeps in the state why a guard stops it, and forgets it when it does not any more", () => {
    const player = play().until("shifting");
    player.report({ type: "converged", change: player.state.change });
    player.facts = facts({}, ["group1"]);
    player.report({ type: "verdict", step: player.state.step, verdict: "notWorse", reason: "e = 40" });
    expect(player.state.stage).toMatchObject({ share: 10, proven: true });
    expect(player.state.blocked).toEqual({
      code: "nobodyLives",
      reason:
        "group1 would carry 50 % of the clients, but none of its 2 servers lives; the release stays at shifting of group1 (10 %)",
    });
    const { log } = player.state;
    const again = player.wait(1000);
    expect(again).toMatchObject({ effects: [] });
    expect(player.state.log).toBe(log);
    player.facts = GOOD;
    player.wait(1000);
    expect(player.state.stage).toMatchObject({ share: 50 });
    expect(player.state.blocked).toBeNull();
  });

  it("keeps the newest entries of its log", () => {
    const player = play();
    for (let round = 0; round < 150; round++) {
      player.say("pause", { reason: `round ${round}` });
      player.say("resume");
    }
    expect(player.state.log).toHaveLength(200);
    expect(player.state.log.at(-2)).toEqual({ at: player.now, by: "bob", what: "paused: round 149" });
  });

  it("says that it is over to people and to hooks, and nothing to others", () => {
    const { state, now } = play().until("done");
    const over = refusalOf(transition(state, { type: "rollback", by: "ann", facts: GOOD }, now));
    expect(over).toEqual({
      code: "over",
      reason: "release r1 is done; expected rollback before that; begin another release",
    });
    expect(refusalOf(transition(state, { type: "hookBegun", run: "x", facts: GOOD }, now)).code).toBe("over");
    expect(transition(state, { type: "tick", facts: GOOD }, now)).toEqual({
      kind: "next",
      state,
      effects: [],
    });
  });
});
