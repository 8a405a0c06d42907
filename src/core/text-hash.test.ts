import { describe, expect, it } from "vitest";
import { scramble, textHash } from "./text-hash.ts";

describe("textHash", () => {
  it("tells every split of the same characters apart", () => {
    const hashes = new Set([
      textHash("abc"),
      textHash("ab", "c"),
      textHash("a", "bc"),
      textHash("", "abc"),
      textHash("a", "b", "c"),
      textHash("", "", "abc"),
    ]);
    expect(hashes.size).toBe(6);
  });

  it("flips each bit of the result in about half of the cases when one character changes by one bit", () => {
    const flips = Array.from({ length: 32 }, () => 0);
    const rounds = 4000;
    for (let round = 0; round < rounds; round++) {
      const difference = textHash(`client-${round * 2}`) ^ textHash(`client-${round * 2 + 1}`);
      for (let bit = 0; bit < 32; bit++) flips[bit]! += (difference >>> bit) & 1;
    }
    for (const count of flips) expect(Math.abs(count / rounds - 0.5)).toBeLessThan(0.04);
  });

  it("is murmur3's finalizer at the end", () => {
    // Reference values of fmix32.
    expect(scramble(0)).toBe(0);
    expect(scramble(1)).toBe(0x514e28b7);
    expect(scramble(0xffffffff)).toBe(0x81f16f39);
  });
});
