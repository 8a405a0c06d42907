import { describe, expect, it } from "vitest";
import { lineOf, placeInJson } from "./json-place.ts";

const TEXT = `{
  "name": "a \\"shop\\" [1]",
  "groups": {
    "group1": { "weight": -1.5e3, "servers": ["10.0.0.1", {"address": "}", "port": 70000}] },
    "odd.name": { "servers": [] }
  },
  "health": null
}`;

const at = (path: string): string | undefined => {
  const place = placeInJson(TEXT, path);
  return place === undefined ? undefined : TEXT.slice(place.start, place.end);
};

describe("the place of a field in a JSON text", () => {
  it.each([
    ["name", '"name": "a \\"shop\\" [1]"'],
    ["groups.group1.weight", '"weight": -1.5e3'],
    ["groups.group1.servers[0]", '"10.0.0.1"'],
    ["groups.group1.servers[1].port", '"port": 70000'],
    ['groups["odd.name"].servers', "[]"],
    ["health", '"health": null'],
  ])("%s", (path, text) => {
    expect(at(path)).toBe(text);
  });

  it.each([
    ["groups.group2", "groups"],
    ["groups.group1.servers[7]", "groups.group1.servers"],
    ["health.check.path", "health"],
  ])("of %s, which is not there, is that of %s", (path, holder) => {
    expect(placeInJson(TEXT, path)).toEqual(placeInJson(TEXT, holder));
  });

  it("of the whole document is all of it", () => {
    expect(at("")).toBe(TEXT);
  });

  it("in what is no JSON is nowhere", () => {
    expect(placeInJson("{", "name")).toBeUndefined();
  });

  it("stands on a line", () => {
    expect(lineOf(TEXT, placeInJson(TEXT, "groups.group1.weight")!.start)).toBe(4);
    expect(lineOf(TEXT, 0)).toBe(1);
  });
});
