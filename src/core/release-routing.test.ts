import { describe, expect, it } from "vitest";
import { ALL_SERVE, publicPools, routingAtTurn, routingWithout, sameRouting } from "./release-routing.ts";

const groups = [1, 2, 3].map((deploy) => ({ name: `group${deploy}`, deploy }));

describe("routing of a release", () => {
  it("has the other groups serve while the first is worked on, and then a growing share on the first", () => {
    expect(routingAtTurn(groups, 0, "closed")).toEqual({ deploy: 1, share: 0, testing: false, standby: [] });
    expect(routingAtTurn(groups, 0, "testers")).toEqual({ deploy: 1, share: 0, testing: true, standby: [] });
    expect(routingAtTurn(groups, 0, { share: 25 })).toEqual({
      deploy: 1,
      share: 25,
      testing: true,
      standby: [],
    });
  });

  it("has old groups stand by from the second turn on, so that nobody goes back to them", () => {
    expect(routingAtTurn(groups, 1, "closed")).toEqual({
      deploy: 2,
      share: 0,
      testing: false,
      standby: ["group3"],
    });
    expect(routingAtTurn(groups, 1, "merged")).toEqual({ ...ALL_SERVE, standby: ["group3"] });
    expect(routingAtTurn(groups, 2, "testers")).toEqual({ deploy: 3, share: 0, testing: true, standby: [] });
    expect(routingAtTurn(groups, 2, "merged")).toEqual(ALL_SERVE);
  });

  it("visits groups in any order, by their place in the app", () => {
    const turned = [...groups].reverse();
    expect(routingAtTurn(turned, 0, "closed").deploy).toBe(3);
    expect(routingAtTurn(turned, 1, "closed")).toMatchObject({ deploy: 2, standby: ["group1"] });
  });

  it("sends the public to some groups alone while one is restored", () => {
    expect(routingWithout(groups, groups[1]!, ["group3"])).toEqual({
      deploy: 2,
      share: 0,
      testing: false,
      standby: ["group1"],
    });
  });

  it.each([
    [ALL_SERVE, [{ groups: ["group1", "group2", "group3"], load: 100 }]],
    [{ ...ALL_SERVE, standby: ["group3"] }, [{ groups: ["group1", "group2"], load: 100 }]],
    [{ deploy: 1, share: 0, testing: true, standby: [] }, [{ groups: ["group2", "group3"], load: 100 }]],
    [
      { deploy: 1, share: 25, testing: true, standby: [] },
      [
        { groups: ["group1"], load: 25 },
        { groups: ["group2", "group3"], load: 75 },
      ],
    ],
    [{ deploy: 1, share: 100, testing: true, standby: [] }, [{ groups: ["group1"], load: 100 }]],
    [{ deploy: 2, share: 0, testing: false, standby: ["group3"] }, [{ groups: ["group1"], load: 100 }]],
  ])("%j is served by %j", (routing, pools) => {
    expect(publicPools(routing, groups)).toEqual(pools);
  });

  it("is the same only if all of it is", () => {
    const routing = { deploy: 1, share: 5, testing: true, standby: ["group3"] };
    expect(sameRouting(routing, { ...routing, standby: ["group3"] })).toBe(true);
    expect(sameRouting(routing, { ...routing, deploy: 2 })).toBe(false);
    expect(sameRouting(routing, { ...routing, share: 6 })).toBe(false);
    expect(sameRouting(routing, { ...routing, testing: false })).toBe(false);
    expect(sameRouting(routing, { ...routing, standby: ["group2"] })).toBe(false);
    expect(sameRouting(routing, { ...routing, standby: [] })).toBe(false);
  });
});
