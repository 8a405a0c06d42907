import { expect, it } from "vitest";
import { parseLifetime } from "./lifetime.ts";

it.each([
  ["30m", 1_800_000],
  ["12h", 43_200_000],
  ["30d", 2_592_000_000],
  ["3650d", 315_360_000_000],
  ["3651d", undefined],
  ["0d", undefined],
  ["1.5d", undefined],
  ["-1d", undefined],
  ["30", undefined],
  ["30 d", undefined],
  ["1w", undefined],
  ["", undefined],
  ["99999999999d", undefined],
])("the lifetime %j is %j ms", (text, expected) => {
  expect(parseLifetime(text)).toBe(expected);
});
