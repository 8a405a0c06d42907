import { describe, expect, it } from "vitest";

import { REFUSALS } from "./refusal.ts";

describe("the catalogue of refusals", () => {
  it("gives every reason a code of its own, in one form", () => {
    expect(new Set(REFUSALS.map(({ code }) => code)).size).toBe(REFUSALS.length);
    for (const { code } of REFUSALS) expect(code).toMatch(/^[a-z0-9]+(_[a-z0-9]+)*$/);
  });

  it("answers with the statuses a refused request may get, in whole sentences", () => {
    for (const { status, detail } of REFUSALS) {
      expect([400, 405, 413, 414, 417, 431, 501, 505]).toContain(status);
      expect(detail).toMatch(/^[A-Z].*\.$/);
    }
  });
});
