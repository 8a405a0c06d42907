import { describe, expect, it } from "vitest";
import { courseOf, isReached, placeMeant, placeOf, type CoursePhase } from "./release-course.ts";
import { describe as viewOf, type ReleaseView } from "./release-view.ts";
import { groupNames, PLAN, play, type Player } from "./release.fixture.ts";

const seen = ({ state, now }: Player): ReleaseView => viewOf(state, now);

/** Where a command that began at `from` with `--until phase` ends. */
function end(from: Player, phase: CoursePhase): string {
  const { group, phase: found } = courseOf(seen(from))[placeMeant(seen(from), phase)]!;
  return group === null ? found : `${found} of ${group}`;
}

describe("the course of a release", () => {
  it.each([
    ["two groups", {}],
    ["three groups", { appGroups: groupNames(3) }],
    [
      "a plan of one share",
      { plan: { ...PLAN, steps: [{ kind: "share", share: 100, wait: { until: "continue" } }] } },
    ],
  ] as const)("of %s is the one it goes", (_, changes) => {
    const player = play(changes);
    for (const [place, { group, phase }] of courseOf(seen(player)).entries()) {
      player.until(phase, group === null ? undefined : Number(group.slice(-1)) - 1);
      expect(placeOf(seen(player)), `${phase} of ${group}`).toBe(place);
    }
  });

  it("is left by a rollback", () => {
    const player = play().until("holding");
    player.say("rollback");
    expect([placeOf(seen(player)), isReached(seen(player), 0)]).toEqual([-1, false]);
  });
});

describe("--until", () => {
  it("means the present phase or the next of that name", () => {
    expect(end(play(), "testing")).toBe("testing of group1");
    expect(end(play().until("testing"), "testing")).toBe("testing of group1");
    expect(end(play().until("shifting"), "testing")).toBe("testing of group2");
    expect(end(play(), "merging")).toBe("merging of group2");
    expect(end(play(), "done")).toBe("done");
  });

  it("means the end when that phase does not come any more", () => {
    expect(end(play().until("updating", 1), "holding")).toBe("done");
    expect(end(play().until("merging"), "testing")).toBe("done");
  });

  it("is reached when every gateway has it in force, or when it is behind", () => {
    const player = play().until("testing");
    const place = placeOf(seen(player));
    expect(isReached(seen(player), place)).toBe(false);
    player.report({ type: "converged", change: player.state.change });
    expect(isReached(seen(player), place)).toBe(true);
    player.say("pause");
    expect(isReached(seen(player), place)).toBe(false);
    player.until("shifting");
    expect(isReached(seen(player), place)).toBe(true);
    expect(isReached(seen(player.until("done")), place)).toBe(true);
  });
});
