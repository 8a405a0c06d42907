import { expect, it } from "vitest";
import { countedBy, hundredthsOf } from "./bucket.ts";
import { textHash } from "./text-hash.ts";

it("what a client is counted by says nothing of the group that it was drawn to, and is never 0", () => {
  const hashes = Array.from({ length: 20_000 }, (_, index) => textHash("shop", "r1", `user${index}`));
  for (const side of [true, false]) {
    const drawn = hashes.filter((hash) => hundredthsOf(hash) < 1000 === side);
    const low = drawn.filter((hash) => countedBy(hash) < 2 ** 29).length;
    expect(low / drawn.length).toBeCloseTo(1 / 4, 1);
  }
  expect(new Set(hashes.map(countedBy)).size).toBe(new Set(hashes).size);
  expect(countedBy(0x9e3779b9)).toBe(1);
});
