import { describe, expect, it } from "vitest";
import { decided, mergeDocuments } from "./three-way.ts";

const BASE = { port: 80, groups: { a: { weight: 1, servers: ["x"] }, b: { weight: 1 } }, share: 0 };

describe("two changes of one document", () => {
  it("of different fields go together", () => {
    const mine = { ...BASE, groups: { ...BASE.groups, a: { weight: 1, servers: ["x", "y"] } } };
    const theirs = { ...BASE, port: 81, groups: { ...BASE.groups, b: { weight: 9 } } };
    const { merged, conflicts } = mergeDocuments(BASE, mine, theirs);
    expect(conflicts).toEqual([]);
    expect(merged).toEqual({
      port: 81,
      groups: { a: { weight: 1, servers: ["x", "y"] }, b: { weight: 9 } },
      share: 0,
    });
  });

  it("of the same field are a conflict, decided by choice", () => {
    const mine = { ...BASE, groups: { ...BASE.groups, b: { weight: 2 } }, port: 90 };
    const theirs = { ...BASE, groups: { ...BASE.groups, b: { weight: 3 } } };
    const merge = mergeDocuments(BASE, mine, theirs);
    expect(merge.conflicts).toEqual([
      { path: ["groups", "b", "weight"], base: { value: 1 }, mine: { value: 2 }, theirs: { value: 3 } },
    ]);
    expect(decided(merge, ["mine"])).toEqual(mine);
    expect(decided(merge, ["theirs"])).toEqual({ ...theirs, port: 90 });
  });

  it("alike are none", () => {
    const both = { ...BASE, port: 81 };
    expect(mergeDocuments(BASE, both, both)).toEqual({ merged: both, conflicts: [] });
  });

  it("of which one removes what the other edits are a conflict", () => {
    const { share: _, ...mine } = BASE;
    const merge = mergeDocuments(BASE, mine, { ...BASE, share: 5 });
    expect(merge.conflicts).toEqual([
      { path: ["share"], base: { value: 0 }, mine: undefined, theirs: { value: 5 } },
    ]);
    expect(decided(merge, ["mine"])).toEqual(mine);
    expect(decided(merge, ["theirs"])).toEqual({ ...BASE, share: 5 });
  });

  it("keep the order of groups, which is that of their turns", () => {
    const mine = { ...BASE, groups: { ...BASE.groups, c: { weight: 1 } } };
    const theirs = { ...BASE, groups: { b: { weight: 1 }, a: { weight: 1, servers: ["x"] } } };
    const { merged, conflicts } = mergeDocuments(BASE, mine, theirs);
    expect(conflicts).toEqual([]);
    expect(Object.keys(merged["groups"] as object)).toEqual(["b", "a", "c"]);
  });

  it("take names with a point in them", () => {
    const base = { groups: { "a.b": 1 } };
    const merge = mergeDocuments(base, { groups: { "a.b": 2 } }, { groups: { "a.b": 3 } });
    expect(decided(merge, ["mine"])).toEqual({ groups: { "a.b": 2 } });
  });
});
