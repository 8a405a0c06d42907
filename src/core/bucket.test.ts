import { describe, expect, it } from "vitest";
import { bucket, bucketHundredths } from "./bucket.ts";

const addresses = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);

/** Chi-square of the counts against an even spread. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe("bucket", () => {
  it("keeps its values for ever: gateways of other versions must agree", () => {
    expect(bucket("shop", "r1", "10.0.0.1")).toBe(70.89);
    expect(bucket("shop", "r2", "10.0.0.1")).toBe(12.77);
    expect(bucket("shop", "r1", "7d6f3a52-6c8e-4f0e-9a57-0d4b8a6f9f11")).toBe(61.58);
    expect(bucket("", "", "")).toBe(36.73);
  });

  it("is two decimals from 0.00 to 99.99", () => {
    for (const client of addresses(5000)) {
      const hundredths = bucketHundredths("shop", "r1", client);
      expect(Number.isInteger(hundredths) && hundredths >= 0 && hundredths < 10_000).toBe(true);
      expect(bucket("shop", "r1", client)).toBe(hundredths / 100);
    }
  });

  // 99 degrees of freedom: above 149 in one of a thousand fair draws. The inputs are fixed, so the result is too.
  it.each([
    ["neighbouring addresses", addresses(100_000)],
    ["counted users", Array.from({ length: 100_000 }, (_, n) => `user-${n}`)],
    ["numbers", Array.from({ length: 100_000 }, (_, n) => String(n))],
  ])("spreads %s evenly", (_, clients) => {
    const counts = Array.from({ length: 100 }, () => 0);
    for (const client of clients) counts[Math.floor(bucket("shop", "r1", client))]!++;
    expect(chiSquare(counts)).toBeLessThan(149);
  });

  it("draws other clients for another release and another app", () => {
    const clients = addresses(50_000);
    for (const [app, release] of [
      ["shop", "r2"],
      ["blog", "r1"],
    ] as const) {
      // Both draws as one of 10 x 10 cells: independent when the cells are even (99 degrees of freedom).
      const cells = Array.from({ length: 100 }, () => 0);
      for (const client of clients) {
        const first = Math.floor(bucketHundredths("shop", "r1", client) / 1000);
        const second = Math.floor(bucketHundredths(app, release, client) / 1000);
        cells[first * 10 + second]!++;
      }
      expect(chiSquare(cells)).toBeLessThan(149);
    }
  });
});
