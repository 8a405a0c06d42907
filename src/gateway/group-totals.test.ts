import { expect, it } from "vitest";
import { sumTotals } from "./group-totals.ts";

it("adds up groups by whatever name they have", () => {
  const one = { requests: 2, failures: 1, errors: 0, inFlight: 1 };
  const two = { requests: 4, failures: 2, errors: 0, inFlight: 2 };
  const part = { old: one, constructor: one };
  expect(sumTotals([part, part])).toEqual({ old: two, constructor: two });
});
