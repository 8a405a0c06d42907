import { describe, expect, it } from "vitest";
import { durationInWords, listInWords, numberInWords, shortened } from "./release-words.ts";

describe("words", () => {
  it.each([
    [0, "0 s"],
    [-5, "0 s"],
    [1, "1 s"],
    [59_001, "1 min"],
    [90_000, "1 min 30 s"],
    [5_400_000, "1 h 30 min"],
    [90_061_000, "25 h 1 min 1 s"],
  ])("of %i ms are %s", (milliseconds, words) => {
    expect(durationInWords(milliseconds)).toBe(words);
  });

  it("list names", () => {
    expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map((names) => listInWords(names))).toEqual([
      "nothing",
      "a",
      "a and b",
      "a, b and c",
    ]);
  });

  it("write numbers with two decimals at most", () => {
    expect([100 / 3, 5, 0.1 + 0.2].map((value) => numberInWords(value))).toEqual(["33.33", "5", "0.3"]);
  });

  it("cut what is too long to be stored", () => {
    expect(shortened("short")).toBe("short");
    expect(shortened("x".repeat(501))).toBe(`${"x".repeat(499)}…`);
  });
});
