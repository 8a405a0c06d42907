import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Audit, type AuditEntry } from "./audit.ts";
import { FailedAttempts } from "./failed-attempts.ts";

let now: number;
let folder: string;
let audit: Audit;
let attempts: FailedAttempts;
beforeEach(async () => {
  now = Date.UTC(2026, 0, 2, 3, 4, 5);
  folder = await mkdtemp(join(tmpdir(), "halftone-attempts-"));
  audit = await Audit.open(folder);
  attempts = new FailedAttempts(audit, () => now);
});
afterEach(async () => {
  await audit.close();
  await rm(folder, { recursive: true, force: true });
});

/** What the audit says of them, when all of it is written. */
async function lines(): Promise<(string | undefined)[]> {
  await audit.close();
  const text = await readFile(join(folder, "audit.jsonl"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as AuditEntry).refused);
}

function fail(address: string, times: number): number[] {
  return Array.from({ length: times }, () => {
    now += attempts.wait(address);
    attempts.count(address, "a token that is not known");
    return attempts.wait(address);
  });
}

describe("failed attempts", () => {
  it("cost nothing at first, then a delay that grows up to five seconds", () => {
    expect(fail("10.0.0.1", 9)).toEqual([0, 0, 0, 0, 1000, 2000, 4000, 5000, 5000]);
    now += 5000;
    expect(attempts.wait("10.0.0.1")).toBe(0);
  });

  it("are not made worse by those within the delay", () => {
    fail("10.0.0.1", 5);
    for (let many = 0; many < 100; many++) attempts.turnAway("10.0.0.1");
    expect(attempts.wait("10.0.0.1")).toBe(1000);
  });

  it("count for their own address alone", () => {
    fail("10.0.0.1", 9);
    expect(attempts.wait("10.0.0.2")).toBe(0);
    expect(attempts.wait("::ffff:10.0.0.1")).toBe(5000);
    fail("2001:db8:1:2::1", 9);
    expect(attempts.wait("2001:db8:1:2:ffff::9")).toBe(5000);
    expect(attempts.wait("2001:db8:1:3::1")).toBe(0);
    fail("fe80::1%eth0", 5);
    expect(attempts.wait("fe80::2")).toBe(1000);
    expect(attempts.wait(undefined)).toBe(0);
  });

  it("are forgotten after ten minutes without one", () => {
    fail("10.0.0.1", 9);
    now += 10 * 60_000 - 1;
    expect(fail("10.0.0.1", 1)).toEqual([5000]);
    now += 10 * 60_000;
    expect(fail("10.0.0.1", 1)).toEqual([0]);
  });

  it("are remembered of ten thousand addresses, the latest ones", () => {
    fail("10.9.9.9", 9);
    for (let index = 0; index < 9_999; index++) fail(`10.1.${index >> 8}.${index & 255}`, 1);
    expect(attempts.wait("10.9.9.9")).toBeGreaterThan(0);
    fail("10.2.0.0", 1);
    expect(attempts.wait("10.9.9.9")).toBe(0);
  });
});

describe("their lines in the audit", () => {
  it("come ever more seldom, and say how many there were", async () => {
    fail("10.0.0.1", 8);
    for (let many = 0; many < 30; many++) attempts.turnAway("10.0.0.1");
    fail("10.0.0.1", 92);
    expect(await lines()).toEqual([
      "found a token that is not known, from 10.0.0.1: 1 failed so far",
      "found a token that is not known, from 10.0.0.1: 5 failed so far",
      "found a token that is not known, from 10.0.0.1: 10 failed so far, 30 more turned away",
      "found a token that is not known, from 10.0.0.1: 20 failed so far, 30 more turned away",
      "found a token that is not known, from 10.0.0.1: 40 failed so far, 30 more turned away",
      "found a token that is not known, from 10.0.0.1: 80 failed so far, 30 more turned away",
    ]);
  });

  it("are ten a minute at most, however many addresses there are", async () => {
    for (let index = 0; index < 5000; index++) fail(`10.1.${index >> 8}.${index & 255}`, 1);
    now += 60_000;
    fail("10.9.9.9", 1);
    const told = await lines();
    expect(told).toHaveLength(11);
    expect(told[10]).toBe(
      "found a token that is not known, from 10.9.9.9: 1 failed so far; 4990 such lines before this one are left out",
    );
  });
});
