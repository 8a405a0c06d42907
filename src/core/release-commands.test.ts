import { describe, expect, it } from "vitest";
import { GOOD, MINUTE, play, refusalOf } from "./release.fixture.ts";

describe("continue", () => {
  it("ends what waits for a person", () => {
    const player = play().until("updating");
    player.say("continue");
    expect(player.state.stage.kind).toBe("checking");
    expect(player.state.groups[0]!.condition).toBe("new");
    expect(player.state.log.slice(-2).map(({ by, what }) => `${by}: ${what}`)).toEqual([
      "bob: continue",
      "bob: checking of group1 begins",
    ]);
    player.until("testing");
    player.report({ type: "converged", change: player.state.change });
    player.say("continue");
    expect(player.state.stage.kind).toBe("shifting");
    player.until("holding");
    player.say("continue");
    expect(player.state.stage).toMatchObject({ kind: "draining", turn: 1 });
  });

  it("is refused before every gateway applies the step", () => {
    expect(refusalOf(play().until("testing").say("continue"))).toEqual({
      code: "notReached",
      reason: "not every gateway applies this step yet; the release stays at testing of group1",
    });
  });

  it.each([
    ["draining", "every gateway to apply the change"],
    ["checking", "health checks"],
    ["merging", "every gateway to apply the change"],
  ] as const)("is refused while %s, which waits for no person", (kind, wait) => {
    const player = play().until(kind);
    expect(refusalOf(player.say("continue"))).toMatchObject({
      code: "nothingToContinue",
      reason: expect.stringContaining(`it waits for ${wait}, not for a person; `) as string,
    });
  });

  it("does not cut a step short that waits for time or a verdict", () => {
    const player = play().until("shifting");
    player.report({ type: "converged", change: player.state.change });
    expect(refusalOf(player.say("continue")).reason).toBe(
      "it waits for the verdict, not for a person; the release stays at shifting of group1 (10 %)",
    );
    player.report({ type: "verdict", step: player.state.step, verdict: "notWorse", reason: "e = 40" });
    player.report({ type: "converged", change: player.state.change });
    expect(refusalOf(player.say("continue")).reason).toBe(
      "it waits for its time to be over, not for a person; the release stays at shifting of group1 (50 %)",
    );
  });

  it("said to a step that has passed is refused, so that it never counts twice", () => {
    const player = play().until("testing");
    player.report({ type: "converged", change: player.state.change });
    const { step } = player.state;
    player.say("continue", { step });
    expect(refusalOf(player.say("continue", { step }))).toEqual({
      code: "stale",
      reason: `continue was said to step ${step}, but this is step ${step + 1}; the release stays at shifting of group1 (10 %)`,
    });
  });

  it("is refused with the guard's reason, and then has not been said", () => {
    const player = play().until("updating");
    player.facts = { ...GOOD, freeze: { until: player.now + MINUTE, reason: "a fair" } };
    expect(refusalOf(player.say("continue")).reason).toBe(
      "a freeze stops every step forward for another 1 min: a fair; the release stays at updating of group1, a rollback is possible",
    );
    player.facts = GOOD;
    player.wait(2 * MINUTE);
    expect(player.state.stage.kind).toBe("updating");
  });
});

describe("pause", () => {
  it("keeps everything where it is until resume, though reports are taken in", () => {
    const player = play();
    player.say("pause", { reason: "lunch" });
    expect(player.state.pause).toEqual({ by: "bob", reason: "lunch", at: player.now });
    player.report({ type: "converged", change: 1 });
    player.report({ type: "drain", step: 1, idle: true, busy: [] });
    player.wait(10 * MINUTE);
    expect(player.state.stage).toMatchObject({ kind: "draining", idle: true });
    player.say("resume");
    expect(player.state.stage.kind).toBe("draining");
    player.wait(0);
    expect(player.state.stage.kind).toBe("updating");
  });

  it("stops the time of a step", () => {
    const player = play().until("shifting");
    player.report({ type: "converged", change: player.state.change });
    player.report({ type: "verdict", step: player.state.step, verdict: "notWorse", reason: "e = 40" });
    player.report({ type: "converged", change: player.state.change });
    player.wait(MINUTE);
    player.say("pause");
    player.wait(60 * MINUTE);
    player.say("resume");
    player.wait(MINUTE - 1);
    expect(player.state.stage).toMatchObject({ share: 50 });
    player.wait(1);
    expect(player.state.stage).toMatchObject({ share: 100 });
  });

  it("that began before the step was reached lets its time begin at resume", () => {
    const player = play().until("shifting");
    player.say("pause");
    player.wait(MINUTE);
    player.report({ type: "converged", change: player.state.change });
    player.wait(60 * MINUTE);
    player.say("resume");
    expect(player.state.reachedAt).toBe(player.now);
  });

  it("refuses what would go on, and itself twice", () => {
    const player = play().until("updating");
    player.say("pause");
    const stays = "the release stays at updating of group1";
    expect(refusalOf(player.say("continue"))).toEqual({
      code: "paused",
      reason: `bob has paused it; expected resume before continue; ${stays}`,
    });
    expect(refusalOf(player.say("retry")).code).toBe("paused");
    expect(refusalOf(player.say("pause", { by: "ann" }))).toEqual({
      code: "alreadyPaused",
      reason: `bob has paused it already; ${stays}`,
    });
    player.say("resume");
    expect(refusalOf(player.say("resume"))).toEqual({
      code: "notPaused",
      reason: `nobody has paused it; it waits for a person to say continue; ${stays}`,
    });
  });
});

describe("retry", () => {
  it("is refused where no hook has failed", () => {
    expect(refusalOf(play({ update: "deploy" }).until("updating").say("retry"))).toEqual({
      code: "nothingToRetry",
      reason: "no hook has failed; it waits for its hook; the release stays at updating of group1",
    });
  });

  it("asks the guards, as servers are touched again", () => {
    const player = play({ update: "deploy" }).until("updating");
    player.report({ type: "hookBegun", run: "r1/update/1" });
    player.report({ type: "hookEnded", run: "r1/update/1", outcome: "failed", detail: "exit 1" });
    player.facts = { ...GOOD, freeze: { until: null, reason: "a fair" } };
    expect(refusalOf(player.say("retry")).code).toBe("frozen");
    player.facts = GOOD;
    player.say("retry");
    expect(player.state.stage).toMatchObject({ work: { run: "r1/update/2", progress: "wanted" } });
  });
});
