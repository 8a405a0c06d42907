import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contextOf, diffLines } from "./line-diff.ts";

const written = (before: string, after: string): string[] =>
  diffLines(before, after).map(({ kind, text }) => `${{ same: " ", gone: "-", new: "+" }[kind]}${text}`);

describe("a comparison of two texts", () => {
  it("keeps what both have", () => {
    expect(written("a\nb\nc", "a\nx\nc\nd")).toEqual([" a", "-b", "+x", " c", "+d"]);
    expect(written("a", "a")).toEqual([" a"]);
  });

  it("holds all lines of both, in their order", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 }).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = diffLines(before, after);
        const side = (left: "gone" | "new"): string =>
          lines
            .filter(({ kind }) => kind !== left)
            .map((line) => line.text)
            .join("\n");
        expect(side("new")).toBe(before);
        expect(side("gone")).toBe(after);
      }),
    );
  });

  it("is shown with the lines around the changes, the rest left out", () => {
    const before = ["1", "2", "3", "4", "5", "6", "7", "8"].join("\n");
    const shown = contextOf(diffLines(before, before.replace("4", "x")), 1);
    expect(shown.map((line) => line?.text ?? "…")).toEqual(["…", "3", "4", "x", "5", "…"]);
  });
});
