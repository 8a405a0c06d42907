import { describe, expect, it } from "vitest";
import { Offences } from "./offences.ts";

function added(offences: Offences, now: number, count: number): boolean {
  let over = false;
  for (let i = 0; i < count; i++) over = offences.add(now);
  return over;
}

describe("Offences", () => {
  it("takes a hundred at once, and not one more", () => {
    const offences = new Offences();
    expect(added(offences, 5000, 100)).toBe(false);
    expect(added(offences, 5000, 1)).toBe(true);
  });

  it("forgives one a second", () => {
    const offences = new Offences();
    added(offences, 1000, 100);
    expect(added(offences, 11_000, 10)).toBe(false);
    expect(added(offences, 11_000, 1)).toBe(true);
  });

  it("saves nothing up", () => {
    const offences = new Offences();
    added(offences, 0, 1);
    expect(added(offences, 3_600_000, 100)).toBe(false);
    expect(added(offences, 3_600_000, 1)).toBe(true);
  });

  it("weighs", () => {
    expect(new Offences().add(0, 101)).toBe(true);
  });
});
