import { describe, expect, it } from "vitest";
import { allRequests, allResponses } from "./cases/all.ts";
import { useRig } from "./rig.ts";

const rig = useRig();

describe(`${allRequests.length} requests of hostile clients`, () => {
  it.each(allRequests)("$name", (wanted) => rig.request(wanted));
});

describe("the cases", () => {
  const names = [...allRequests, ...allResponses].map(({ name }) => name);

  it("have names of their own", () => {
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it("cover every item of the checklist that a message can show", () => {
    const items = new Set(names.map((name) => Number.parseInt(name, 10)));
    // 63: test/gateway/framing.test.ts; 67 and 68: timeouts-and-limits and backpressure; 69: every case, by its splits.
    const elsewhere = new Set([63, 67, 68, 69]);
    const all = Array.from({ length: 70 }, (_, index) => index + 1);
    expect(all.filter((item) => !items.has(item) && !elsewhere.has(item))).toEqual([]);
  });
});
