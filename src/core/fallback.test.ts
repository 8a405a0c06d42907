import { describe, expect, it } from "vitest";
import type { App } from "./app.ts";
import { resolvePool, type Resolution } from "./fallback.ts";
import type { Selection } from "./select.ts";

type Switches = Pick<App, "testersFallBack" | "emergencySpill" | "testing">;

const off: Switches = { testersFallBack: false, emergencySpill: false, testing: true };

const everybody: Selection = { pool: "all", rule: { kind: "everybody" }, client: 0 };
const tester: Selection = { pool: "test", rule: { kind: "tester", by: "cookie", name: "beta" }, client: 0 };
const byShare: Selection = {
  pool: "test",
  rule: { kind: "share", share: 5, bucket: 1, key: "address" },
  client: 0,
};
const publicly: Selection = {
  pool: "rest",
  rule: { kind: "public", share: 5, bucket: 50, key: "address", closed: false },
  client: 0,
};

const both = { test: true, rest: true };
const onlyTest = { test: true, rest: false };
const onlyRest = { test: false, rest: true };
const neither = { test: false, rest: false };

function resolve(
  switches: Partial<Switches>,
  selection: Selection,
  lives: { test: boolean; rest: boolean },
): `${Resolution["pool"]} ${Resolution["because"]}` {
  const { pool, because } = resolvePool({ ...off, ...switches }, selection, lives.test, lives.rest);
  return `${pool} ${because}`;
}

describe("resolvePool", () => {
  it("keeps the selected pool while it lives, or when there is no other", () => {
    expect(resolve({}, everybody, neither)).toBe("all selected");
    for (const lives of [both, onlyTest]) {
      expect(resolve({ testersFallBack: true }, tester, lives)).toBe("test selected");
      expect(resolve({}, byShare, lives)).toBe("test selected");
    }
    for (const lives of [both, onlyRest]) {
      expect(resolve({ emergencySpill: true }, publicly, lives)).toBe("rest selected");
    }
  });

  it("never lets clients there by share suffer for the test", () => {
    expect(resolve({}, byShare, onlyRest)).toBe("rest shareFallback");
    expect(resolve({}, byShare, neither)).toBe("rest shareFallback");
  });

  it("tells testers the truth, unless they may fall back and somebody lives there", () => {
    expect(resolve({}, tester, onlyRest)).toBe("test selected");
    expect(resolve({ testersFallBack: true }, tester, onlyRest)).toBe("rest testerFallback");
    expect(resolve({ testersFallBack: true }, tester, neither)).toBe("test selected");
  });

  it("spills the public into the test only on demand, and only if that helps", () => {
    expect(resolve({}, publicly, onlyTest)).toBe("rest selected");
    expect(resolve({ emergencySpill: true }, publicly, onlyTest)).toBe("test emergencySpill");
    expect(resolve({ emergencySpill: true }, publicly, neither)).toBe("rest selected");
  });

  it("never spills into a closed group: its servers may be restarted at any moment", () => {
    expect(resolve({ emergencySpill: true, testing: false }, publicly, onlyTest)).toBe("rest selected");
  });
});
