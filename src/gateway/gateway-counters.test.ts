import { expect, it } from "vitest";
import { countTlsFailure, newCounters } from "./gateway-counters.ts";

it("tells some codes of failed handshakes apart, as clients make as many as they like", () => {
  const counters = newCounters();
  for (let code = 0; code < 500; code++) countTlsFailure(counters, `ERR_${code}`);
  countTlsFailure(counters, "ERR_7");
  const { failures } = counters.tls;
  expect(failures.size).toBe(21);
  expect(failures.get("ERR_7")).toBe(2);
  expect(failures.get("other")).toBe(480);
});
