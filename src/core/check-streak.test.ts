import { describe, expect, it } from "vitest";
import type { CheckPolicy } from "./app.ts";
import { countCheck, newCheckStreak } from "./check-streak.ts";

const policy: CheckPolicy = { path: "/", interval: 1, timeout: 1, expect: [200], healthy: 2, unhealthy: 3 };

describe("checks in a row", () => {
  it("take a server out at the third failure and bring it back at the second success", () => {
    const streak = newCheckStreak();
    const sides = [false, false, true, false, false, false, false, true, false, true, true].map((good) => {
      const changed = countCheck(streak, good, policy);
      return `${changed ? "!" : ""}${streak.healthy ? "in" : "out"}`;
    });
    expect(sides).toEqual(["in", "in", "in", "in", "in", "!out", "out", "out", "out", "out", "!in"]);
  });
});
