import { describe, expect, it } from "vitest";
import { describe as view } from "./release-view.ts";
import { groupNames, MINUTE, PLAN, play, START, type Player } from "./release.fixture.ts";

const viewOf = ({ state, now }: Player) => view(state, now);

describe("the view of a release", () => {
  it("has what the API promises", () => {
    expect(viewOf(play())).toEqual({
      id: "r1",
      app: "shop",
      version: "2.0",
      status: "running",
      phase: "draining",
      group: "group1",
      share: 0,
      since: START,
      step: 1,
      waitingFor: "convergence",
      reason: null,
      left: 30_000,
      cheapReturn: true,
      groups: [
        { name: "group1", condition: "out", serves: "nobody" },
        { name: "group2", condition: "old", serves: "public" },
      ],
      quarantined: [],
      plan: PLAN,
      log: [{ at: START, by: "ann", what: "release of version 2.0; draining of group1 begins" }],
    });
  });

  it.each([
    ["updating", "continue"],
    ["checking", "health"],
    ["testing", "convergence"],
    ["holding", "continue"],
    ["done", null],
  ] as const)("of %s says that it waits for %s", (kind, wait) => {
    expect(viewOf(play().until(kind)).waitingFor).toBe(wait);
  });

  it("follows a step: convergence, the verdict, time, and how much of it is left", () => {
    const player = play().until("shifting");
    expect(viewOf(player)).toMatchObject({ waitingFor: "convergence", left: 30 * MINUTE, share: 10 });
    player.report({ type: "converged", change: player.state.change });
    player.wait(MINUTE);
    expect(viewOf(player)).toMatchObject({ waitingFor: "verdict", left: 29 * MINUTE });
    player.report({ type: "verdict", step: player.state.step, verdict: "notWorse", reason: "e = 40" });
    player.report({ type: "converged", change: player.state.change });
    player.wait(MINUTE);
    expect(viewOf(player)).toMatchObject({ waitingFor: "time", left: MINUTE, share: 50 });
    player.say("pause", { reason: "lunch" });
    player.wait(MINUTE);
    expect(viewOf(player)).toMatchObject({
      status: "paused",
      waitingFor: null,
      left: MINUTE,
      reason: "paused by bob: lunch",
    });
  });

  it("tells drain, hook and trouble", () => {
    const player = play({ update: "deploy" });
    player.report({ type: "converged", change: 1 });
    player.report({ type: "drain", step: 1, idle: false, busy: ["10.0.4.175:80"] });
    expect(viewOf(player)).toMatchObject({ waitingFor: "drain", reason: "under way: 10.0.4.175:80" });
    player.wait(MINUTE);
    player.say("pause");
    expect(viewOf(player)).toMatchObject({ status: "paused", waitingFor: null, left: null });
    expect(viewOf(player).reason).toMatch(
      /^paused by bob; after 30 s requests are still under way on group1/,
    );
    player.say("resume");
    expect(viewOf(player)).toMatchObject({ status: "paused", waitingFor: "continue" });
    player.say("continue");
    expect(viewOf(player)).toMatchObject({ status: "running", waitingFor: "hook", phase: "updating" });
  });

  it("shows the last point of cheap return as such", () => {
    const player = play().until("holding");
    expect(viewOf(player)).toMatchObject({
      cheapReturn: true,
      reason: "everybody is on group1, group2 untouched: the last point of cheap return",
    });
    player.say("continue");
    expect(viewOf(player).cheapReturn).toBe(false);
  });

  it("says of every group what it runs and whom it serves", () => {
    const groups = (player: Player) =>
      viewOf(player).groups.map(({ name, condition, serves }) => `${name} ${condition} ${serves}`);
    const player = play({ appGroups: groupNames(3) }).until("testing");
    expect(groups(player)).toEqual(["group1 new testers", "group2 old public", "group3 old public"]);
    player.until("updating", 1);
    expect(groups(player)).toEqual(["group1 new public", "group2 updating nobody", "group3 old standby"]);
  });

  it("of a rollback has the phases of the way back, and its reason to the end", () => {
    const player = play({ restore: "undo" }).until("shifting");
    player.say("rollback", { reason: "prices are wrong" });
    expect(viewOf(player)).toMatchObject({
      status: "rollingBack",
      phase: "draining",
      waitingFor: "convergence",
      reason: "goes back because: prices are wrong",
      cheapReturn: false,
    });
    expect(viewOf(player.until("restoring"))).toMatchObject({ status: "rollingBack", waitingFor: "hook" });
    expect(viewOf(player.until("rolledBack"))).toMatchObject({
      status: "rolledBack",
      phase: "rolledBack",
      group: null,
      reason: "goes back because: prices are wrong",
      left: null,
    });
  });

  it("says why a rollback is held", () => {
    const player = play().until("holding");
    player.facts = {
      groups: { ...player.facts.groups, group2: { weight: 20, liveWeight: 0, servers: 2, live: 0 } },
    };
    player.say("rollback");
    expect(viewOf(player)).toMatchObject({ status: "rollingBack", waitingFor: "health", left: null });
    expect(viewOf(player).reason).toBe(
      "no server of any other group lives; the public stays where it is, with group1, until one does or a person says continue; " +
        "goes back because: bob asked for it",
    );
  });
});
