import { describe, expect, it } from "vitest";

import { bytesRead, FAMILIES, parserFor } from "./linear-cost.ts";

const SIZE = 960;

describe("16 times the input is at most 20 times the reading", () => {
  it.each(FAMILIES)("$name ($kind)", (family) => {
    const few = bytesRead(family, SIZE);
    expect(few).toBeGreaterThan(0);
    expect(bytesRead(family, 16 * SIZE)).toBeLessThanOrEqual(20 * few);
  });

  it("does not hold for a parser that goes back", () => {
    const family = FAMILIES.find(({ name }) => name === "many fields")!;
    const parse = parserFor(family);
    const goBack = (bytes: Buffer): void => {
      for (let left = bytes.length; left > 0; left -= 100) parse(bytes);
    };
    expect(bytesRead(family, 16 * SIZE, goBack)).toBeGreaterThan(20 * bytesRead(family, SIZE, goBack));
  });
});
