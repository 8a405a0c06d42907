import { describe, expect, it } from "vitest";
import { readTraceparent, writeTraceparent } from "./traceparent.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("traceparent", () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    // Flags that are not known yet are left alone.
    [`00-${TRACE}-${SPAN}-03`, true],
    [`00-${TRACE}-${SPAN}-fe`, false],
    // Versions to come may say more, after another dash.
    [`01-${TRACE}-${SPAN}-01`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-says`, true],
  ])("%s is read", (value, sampled) => {
    expect(readTraceparent(value)).toEqual({ traceId: TRACE, spanId: SPAN, sampled });
  });

  it.each([
    "",
    "nonsense",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE}-${SPAN}-0`,
    `00-${TRACE}-${SPAN}-1g`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE}-${SPAN}`,
    `01-${TRACE}-${SPAN}-01.what`,
    ` 00-${TRACE}-${SPAN}-01`,
  ])("%j is none", (value) => {
    expect(readTraceparent(value)).toBeUndefined();
  });

  it("is written as it is read", () => {
    for (const sampled of [true, false]) {
      const parent = { traceId: TRACE, spanId: SPAN, sampled };
      expect(readTraceparent(writeTraceparent(parent))).toEqual(parent);
    }
  });
});
