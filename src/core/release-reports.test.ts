import { describe, expect, it } from "vitest";
import { outstanding } from "./release-effects.ts";
import { describe as describeRelease } from "./release-view.ts";
import type { ReleaseInput } from "./release-begin.ts";
import type { Facts } from "./release-event.ts";
import { groupInTurn } from "./release-state.ts";
import { facts, FROZEN, GOOD, MINUTE, PLAN, play, refusalOf, type Player } from "./release.fixture.ts";

const hooks = { update: "deploy", restore: "undo" };

function reasonOf(player: Player): string | null {
  return describeRelease(player.state, player.now).reason;
}

/** A release whose update hook has begun. */
function updating(update = "deploy"): Player {
  const player = play({ ...hooks, update }).until("updating");
  expect(player.report({ type: "hookBegun", run: "r1/update/1" }).kind).toBe("next");
  return player;
}

describe("a drain", () => {
  it("counts only after every gateway sends nobody there any more", () => {
    const player = play();
    const early = player.report({ type: "drain", step: 1, idle: true, busy: [] });
    expect(early).toMatchObject({ effects: [] });
    expect(player.state.stage).toMatchObject({ idle: false });
    player.report({ type: "converged", change: 1 });
    expect(outstanding(player.state)).toEqual([
      { kind: "drain", step: 1, group: "group1", deadline: player.now + 30_000 },
    ]);
    player.report({ type: "drain", step: 1, idle: true, busy: [] });
    expect(player.state.stage.kind).toBe("updating");
  });

  it("that is not over in time names who is busy, and waits for a person", () => {
    const player = play();
    player.report({ type: "converged", change: 1 });
    player.report({
      type: "drain",
      step: 1,
      idle: false,
      busy: ["10.0.4.175:80: 2 in flight", "10.0.4.176:80: 1 tunnel"],
    });
    player.wait(29_999);
    expect(player.state.trouble).toBeNull();
    player.wait(1);
    expect(player.state.trouble).toEqual({
      code: "drainTimedOut",
      at: player.now,
      reason:
        "after 30 s requests are still under way on group1: 10.0.4.175:80: 2 in flight and 10.0.4.176:80: 1 tunnel; " +
        "continue goes on all the same, and the work on the group may cut them off",
    });
    player.report({ type: "drain", step: 1, idle: true, busy: [] });
    expect(reasonOf(player)).toBe("group1 became idle, but only after its 30 s; continue goes on");
    expect(player.state.stage.kind).toBe("draining");
    player.say("continue");
    expect(player.state.stage.kind).toBe("updating");
    expect(player.state.trouble).toBeNull();
  });

  it("of which nothing was heard says so", () => {
    const player = play();
    player.report({ type: "converged", change: 1 });
    player.wait(MINUTE);
    expect(reasonOf(player)).toContain("nobody says where");
    player.say("rollback");
    expect(player.state.direction).toBe("back");
  });
});

describe("a hook", () => {
  it("is begun once, by leave", () => {
    const player = play(hooks).until("updating");
    const [wanted] = outstanding(player.state);
    expect(wanted).toEqual({
      kind: "hook",
      hook: "update",
      name: "deploy",
      group: "group1",
      run: "r1/update/1",
      begun: false,
    });
    expect(player.state.groups[0]!.condition).toBe("out");
    player.report({ type: "hookBegun", run: "r1/update/1" });
    expect(player.state.groups[0]!.condition).toBe("updating");
    expect(outstanding(player.state)).toEqual([{ ...wanted, begun: true }]);
    expect(refusalOf(player.report({ type: "hookBegun", run: "r1/update/1" }))).toEqual({
      code: "hookNotWanted",
      reason:
        "run r1/update/1 is not wanted (any more), it must not be begun; the release stays at updating of group1",
    });
  });

  it("gets no leave in a pause, a freeze, or when a guard refuses", () => {
    const player = play(hooks).until("updating");
    player.say("pause");
    expect(outstanding(player.state)).toEqual([]);
    expect(refusalOf(player.report({ type: "hookBegun", run: "r1/update/1" })).code).toBe("paused");
    player.say("resume");
    player.facts = FROZEN;
    expect(refusalOf(player.report({ type: "hookBegun", run: "r1/update/1" })).code).toBe("frozen");
    player.facts = facts({}, ["group2"]);
    expect(refusalOf(player.report({ type: "hookBegun", run: "r1/update/1" })).code).toBe("nobodyLives");
    player.wait(1000);
    expect(reasonOf(player)).toContain(
      "none of its 2 servers lives; the release stays at updating of group1",
    );
    player.facts = GOOD;
    player.wait(1000);
    expect(reasonOf(player)).toBeNull();
  });

  it("that is done leads to the checks, also if it ended in a pause", () => {
    const player = updating();
    player.say("pause");
    player.report({ type: "hookEnded", run: "r1/update/1", outcome: "done", detail: "exit 0" });
    expect(player.state.stage.kind).toBe("updating");
    expect(player.state.groups[0]!.condition).toBe("new");
    player.say("resume");
    player.wait(0);
    expect(player.state.stage.kind).toBe("checking");
  });

  it("that failed waits for a person; continue runs it again under another name", () => {
    const player = updating();
    player.report({ type: "hookEnded", run: "r1/update/1", outcome: "failed", detail: "exit 1" });
    expect(reasonOf(player)).toBe(
      "the hook of group1 failed: exit 1; continue runs it again, rollback returns",
    );
    player.wait(60 * MINUTE);
    expect(outstanding(player.state)).toEqual([]);
    player.say("continue");
    expect(outstanding(player.state)).toMatchObject([{ kind: "hook", run: "r1/update/2", begun: false }]);
    expect(player.state.groups[0]!.condition).toBe("updating");
    player.report({ type: "hookEnded", run: "r1/update/1", outcome: "done", detail: "late" });
    expect(player.state.stage.kind).toBe("updating");
  });

  it("of which nobody knows how it ended is never repeated unasked", () => {
    const player = updating();
    player.report({ type: "hookEnded", run: "r1/update/1", outcome: "unknown", detail: "controller died" });
    player.wait(60 * MINUTE);
    expect(outstanding(player.state)).toEqual([]);
    expect(reasonOf(player)).toBe(
      "nobody knows how the hook of group1 ended: controller died; continue if its work is done, retry to run it again, " +
        "rollback to return (see first that nothing of it runs)",
    );
    player.say("continue");
    expect(player.state.stage.kind).toBe("checking");
    expect(player.state.groups[0]!.condition).toBe("new");

    const other = updating();
    other.report({ type: "hookEnded", run: "r1/update/1", outcome: "unknown", detail: "controller died" });
    other.say("retry");
    expect(outstanding(other.state)).toMatchObject([{ run: "r1/update/2", begun: false }]);
  });

  it("of which nobody knows how it ended is repeated if it is idempotent", () => {
    const player = updating("again");
    player.report({ type: "hookEnded", run: "r1/update/1", outcome: "unknown", detail: "controller died" });
    expect(player.state.trouble).toBeNull();
    expect(outstanding(player.state)).toMatchObject([{ run: "r1/update/2", begun: false }]);
  });

  it("has its output cut before it is stored", () => {
    const player = updating();
    player.report({ type: "hookEnded", run: "r1/update/1", outcome: "failed", detail: "x".repeat(1e6) });
    expect(JSON.stringify(player.state).length).toBeLessThan(5000);
  });
});

describe("health checks", () => {
  it("let nobody to a group before each of its servers has passed in a row", () => {
    const player = play().until("checking");
    const { step } = player.state;
    const report = (...passed: number[]) =>
      player.report({
        type: "health",
        step,
        servers: passed.map((passed, index) => ({ id: `10.0.4.${index}:80`, passed })),
      });
    report();
    report(3, 2);
    player.wait(60 * MINUTE);
    expect(player.state.stage.kind).toBe("checking");
    report(3, 3);
    expect(player.state.stage.kind).toBe("testing");
  });

  it("name every server that fails, with its last error", () => {
    const player = play().until("checking");
    const servers = [
      { id: "10.0.4.175:80", passed: 0, error: "503" },
      { id: "10.0.4.176:80", passed: 9 },
      { id: "10.0.4.177:80", passed: 0, error: "refused" },
    ];
    player.report({ type: "health", step: player.state.step, servers });
    expect(reasonOf(player)).toBe("checks fail: 10.0.4.175:80: 503 and 10.0.4.177:80: refused");
  });

  it("passed before a pause do not count when they fail after it", () => {
    const player = play().until("checking");
    const { step } = player.state;
    player.say("pause");
    player.report({ type: "health", step, servers: [{ id: "a:80", passed: 3 }] });
    player.report({ type: "health", step, servers: [{ id: "a:80", passed: 0, error: "reset" }] });
    player.say("resume");
    player.wait(0);
    expect(player.state.stage.kind).toBe("checking");
  });
});

describe("a verdict", () => {
  const judged = (): Player => {
    const player = play(hooks).until("shifting");
    player.report({ type: "converged", change: player.state.change });
    return player;
  };

  it("that the new version is worse rolls back with its reason, even paused and frozen", () => {
    for (const kind of ["shifting", "holding", "merging"] as const) {
      const player = play(hooks).until(kind);
      player.say("pause");
      player.facts = FROZEN;
      player.report({
        type: "verdict",
        step: player.state.step,
        verdict: "worse",
        reason: "errors 4 %, were 0.1 %",
      });
      expect(player.state).toMatchObject({ direction: "back", rollbackReason: "errors 4 %, were 0.1 %" });
    }
  });

  it("on a step that is over, or on testers alone, changes nothing", () => {
    const player = judged();
    const { state } = player;
    player.report({ type: "verdict", step: state.step - 1, verdict: "worse", reason: "late" });
    expect(player.state).toBe(state);
    const testing = play(hooks).until("testing");
    testing.report({ type: "verdict", step: testing.state.step, verdict: "worse", reason: "x" });
    expect(testing.state.direction).toBe("forward");
  });

  it("that it is not worse ends a step that waits for it, and no other", () => {
    const player = judged();
    player.report({ type: "verdict", step: player.state.step, verdict: "notWorse", reason: "e = 40" });
    expect(player.state.stage).toMatchObject({ share: 50 });
    player.report({ type: "converged", change: player.state.change });
    player.report({ type: "verdict", step: player.state.step, verdict: "notWorse", reason: "e = 40" });
    expect(player.state.stage).toMatchObject({ share: 50, wait: { until: "time" } });
  });

  it("is no proof before every gateway applies the step", () => {
    const player = play(hooks).until("shifting");
    player.report({ type: "verdict", step: player.state.step, verdict: "notWorse", reason: "e = 40" });
    player.report({ type: "converged", change: player.state.change });
    player.wait(MINUTE);
    expect(player.state.stage).toMatchObject({ share: 10 });
  });

  it("that does not come in time promotes nobody; a person decides", () => {
    const player = judged();
    const { step } = player.state;
    player.report({ type: "verdict", step, verdict: "none", reason: "2000 more requests are needed" });
    expect(reasonOf(player)).toBe("2000 more requests are needed");
    player.wait(30 * MINUTE);
    expect(reasonOf(player)).toBe(
      "no proof within 30 min that the new version is not worse (2000 more requests are needed); the share stays at 10 %, " +
        "continue goes on without proof, rollback returns",
    );
    player.report({ type: "verdict", step, verdict: "notWorse", reason: "e = 40" });
    player.wait(60 * MINUTE);
    expect(player.state.stage).toMatchObject({ share: 10 });
    player.say("continue");
    expect(player.state.stage).toMatchObject({ share: 50 });
  });
});

describe("a server that is broken while the version is not", () => {
  const SERVER = "10.0.1.2:80";
  /** Of two servers each; one of group1, or of group2, is taken out. */
  const without = (group: string, changes: Partial<Facts> = {}): Facts => {
    const { groups, ...rest } = facts(changes);
    return { ...rest, groups: { ...groups, [group]: { ...groups[group]!, liveWeight: 10, live: 1 } } };
  };
  const judged = (kind: "shifting" | "holding" | "merging", changes: Partial<ReleaseInput> = {}): Player => {
    const player = play({ ...hooks, ...changes }).until(kind);
    player.report({ type: "converged", change: player.state.change });
    player.facts = without(groupInTurn(player.state)!.name);
    return player;
  };
  const found = (player: Player, server = SERVER, step = player.state.step): void => {
    player.report({ type: "badServer", step, server, reason: "5 errors in 40 requests" });
  };

  it("goes into quarantine, and the step begins again without it", () => {
    for (const kind of ["shifting", "holding", "merging"] as const) {
      const player = judged(kind, { plan: { ...PLAN, minCapacity: 20 } });
      const { state } = player;
      found(player);
      expect(player.state).toMatchObject({
        direction: "forward",
        stage: state.stage,
        routing: state.routing,
        step: state.step + 1,
        change: state.change + 1,
        reachedAt: null,
        quarantined: [SERVER],
      });
      expect(player.state.log.at(-1)).toEqual({
        at: player.now,
        by: "verdict",
        what: `${SERVER} goes into quarantine: 5 errors in 40 requests`,
      });
      expect(describeRelease(player.state, player.now)).toMatchObject({ quarantined: [SERVER] });
      // Every gateway has to apply that before anything counts.
      expect(outstanding(player.state).map(({ kind }) => kind)).toContain("route");
      player.until("done");
    }
  });

  it("takes its time and its proof with it", () => {
    const player = judged("shifting");
    player.wait(29 * MINUTE);
    player.report({
      type: "verdict",
      step: player.state.step,
      verdict: "none",
      reason: "2000 more requests",
    });
    found(player);
    expect(player.state.stage).toMatchObject({ proven: false, evidence: null });
    player.report({ type: "converged", change: player.state.change });
    player.wait(29 * MINUTE);
    expect(player.state.trouble).toBeNull();
    player.wait(MINUTE);
    expect(player.state.trouble?.code).toBe("noVerdict");
    // A step that waits for a person goes on by itself without it.
    found(player);
    expect(player.state).toMatchObject({ trouble: null, stage: { share: 10 } });
  });

  it("is taken out in a pause and in a freeze too, and both stay", () => {
    const player = judged("shifting");
    player.say("pause");
    player.facts = without("group1", FROZEN);
    found(player);
    expect(player.state).toMatchObject({ quarantined: [SERVER], pause: { by: "bob" } });
    player.report({ type: "converged", change: player.state.change });
    player.report({ type: "verdict", step: player.state.step, verdict: "notWorse", reason: "e = 40" });
    player.wait(60 * MINUTE);
    expect(player.state.stage).toMatchObject({ share: 10, proven: true });
    player.say("resume");
    player.wait(MINUTE);
    expect(describeRelease(player.state, player.now).reason).toContain("a fair");
  });

  it("makes the release go back where the others would be too few, with both reasons", () => {
    const few = without("group1");
    const fewer = { ...facts({}, ["group1"]).groups, group2: without("group2").groups["group2"]! };
    for (const [kind, known, why] of [
      ["shifting", facts({}, ["group1"]), "no other server of group1 lives"],
      ["holding", few, "group1 would carry everybody with a live weight of 10 of 40 (25 %)"],
      [
        "merging",
        { groups: fewer },
        "group1 and group2 would carry everybody with a live weight of 10 of 40",
      ],
    ] as const) {
      const player = judged(kind);
      player.facts = known;
      found(player);
      expect(player.state).toMatchObject({ direction: "back", quarantined: [] });
      const reason = player.state.rollbackReason!;
      expect(reason).toMatch(/^10\.0\.1\.2:80 is broken and cannot be taken out: /);
      expect(reason).toContain(why);
      expect(reason).toContain("5 errors in 40 requests");
    }
  });

  it("is taken out whatever those lack who do not serve with it: to go back would burden them more", () => {
    const player = judged("shifting");
    const few = { weight: 20, liveWeight: 1, servers: 2, live: 1 };
    player.facts = { groups: { ...without("group1").groups, group2: few } };
    found(player);
    expect(player.state).toMatchObject({ direction: "forward", quarantined: [SERVER] });
  });

  it("is not taken out when nobody of its group would be left, though others serve", () => {
    const player = judged("merging");
    player.facts = facts({}, ["group2"]);
    found(player);
    expect(player.state.rollbackReason).toContain("no other server of group2 lives");
  });

  it("is found once for a step, and not before it is in force everywhere, nor elsewhere, nor on the way back", () => {
    const player = judged("shifting");
    const { step } = player.state;
    found(player);
    for (const late of [step, step + 1]) {
      const { state } = player;
      found(player, "10.0.1.1:80", late);
      expect(player.state).toBe(state);
    }
    for (const kind of ["draining", "updating", "checking", "testing"] as const) {
      const early = play(hooks).until(kind);
      early.report({ type: "converged", change: early.state.change });
      const { state } = early;
      found(early);
      expect(early.state).toBe(state);
    }
    const back = judged("holding");
    back.say("rollback");
    const { state } = back;
    found(back);
    expect(back.state).toBe(state);
  });

  it("may be found again after a person has put it back", () => {
    const player = judged("shifting");
    for (const server of [SERVER, "10.0.1.1:80", SERVER]) {
      found(player, server);
      player.report({ type: "converged", change: player.state.change });
    }
    expect(player.state.quarantined).toEqual([SERVER, "10.0.1.1:80", SERVER]);
    expect(describeRelease(player.state, player.now).quarantined).toEqual([SERVER, "10.0.1.1:80"]);
  });
});

describe("what is slow", () => {
  it("is settled once, and nothing else follows from it", () => {
    for (const kind of ["draining", "testing", "shifting"] as const) {
      const player = play(hooks).until(kind);
      player.say("pause");
      const { state } = player;
      player.report({ type: "slower", slower: [10, 20, 30] });
      expect(player.state).toEqual({ ...state, slower: [10, 20, 30] });
      const settled = player.state;
      player.report({ type: "slower", slower: [1, 2, 3] });
      expect(player.state).toBe(settled);
    }
  });
});
