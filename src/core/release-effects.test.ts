import { describe, expect, it } from "vitest";
import { newEffects, outstanding } from "./release-effects.ts";
import { play } from "./release.fixture.ts";

describe("what is outstanding", () => {
  it("is the routing until every gateway applies it, and then what the stage waits for", () => {
    const player = play();
    const { routing } = player.state;
    expect(outstanding(player.state)).toEqual([
      { kind: "route", change: 1, routing },
      { kind: "converge", change: 1 },
    ]);
    const result = player.report({ type: "converged", change: 1 });
    expect(result).toMatchObject({ effects: [{ kind: "drain", group: "group1" }] });
    const checking = player.until("checking").state;
    expect(outstanding(checking)).toEqual([
      { kind: "health", step: checking.step, group: "group1", times: 3 },
    ]);
    const shifting = player.until("shifting").state;
    expect(outstanding(shifting)).toEqual([
      { kind: "verdict", step: shifting.step, group: "group1", share: 10 },
      { kind: "route", change: shifting.change, routing: shifting.routing },
      { kind: "converge", change: shifting.change },
    ]);
    expect(outstanding(player.until("holding").state)).toMatchObject([{ kind: "verdict", share: 100 }]);
    expect(outstanding(player.until("done").state)).toEqual([]);
  });

  it("tells a weight together with the routing that it belongs to", () => {
    const kinds = outstanding(play().until("merging").state).map(({ kind }) => kind);
    expect(kinds).toEqual(["weight", "verdict", "route", "converge"]);
  });

  it("is told once, when it becomes outstanding", () => {
    const player = play();
    const before = player.state;
    player.say("pause");
    expect(newEffects(before, player.state)).toEqual([]);
    expect(newEffects(before, before)).toEqual([]);
  });
});
