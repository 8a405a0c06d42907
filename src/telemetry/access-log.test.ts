import { expect, it } from "vitest";
import type { LoggedRequest } from "../gateway/access-log.ts";
import { lineOf, openAccessLog } from "./access-log.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const REQUEST: LoggedRequest = {
  app: "shop",
  group: "green",
  server: "10.0.1.1:80",
  client: "198.51.100.7",
  method: "GET",
  target: "/basket?card=4111",
  status: 200,
  error: "",
  bytes: 512,
  duration: 12.34567,
  tries: 2,
  id: "x-1",
  rule: { kind: "tester", by: "header", name: "x-tester" },
  release: "r1",
};

it("writes what is told of a request as one line of JSON", () => {
  const line = lineOf(REQUEST, false, NOW);
  expect(line.endsWith("}\n")).toBe(true);
  expect(JSON.parse(line)).toEqual({
    time: "2026-01-02T03:04:04.987Z",
    app: "shop",
    group: "green",
    server: "10.0.1.1:80",
    client: "198.51.100.7",
    method: "GET",
    path: "/basket",
    status: 200,
    error: null,
    bytes: 512,
    ms: 12.346,
    tries: 2,
    requestId: "x-1",
    rule: "tester by header x-tester",
    release: "r1",
  });
  expect(JSON.parse(lineOf(REQUEST, true, NOW))).toMatchObject({ path: "/basket?card=4111" });
});

it("has null for what there is none of", () => {
  const nothing = { app: "", group: "", server: "", method: "", target: "", status: 0, release: "" };
  const line = lineOf({ ...REQUEST, ...nothing, rule: undefined, duration: Number.NaN }, false, NOW);
  const told = JSON.parse(line) as Record<string, unknown>;
  expect(told["time"]).toBe("2026-01-02T03:04:05.000Z");
  for (const field of ["app", "group", "server", "method", "path", "status", "release", "rule", "ms"]) {
    expect(told[field], field).toBeNull();
  }
});

it.each([
  ["plain", "a"],
  ["quoted", '"'],
])("cuts a path so that the line stays whole in a pipe: %s", (_what, letter) => {
  const line = lineOf({ ...REQUEST, target: `/${letter.repeat(20_000)}` }, false, NOW);
  expect(line.length).toBeLessThanOrEqual(4096);
  expect(line.length).toBeGreaterThan(2000);
  expect(JSON.parse(line)).toMatchObject({
    path: expect.stringMatching(/^\/.*\.\.\.$/s) as string,
    status: 200,
  });
});

it.each([
  ["errors", [false, false, true, true, false]],
  ["all", [true, true, true, true, true]],
] as const)("wants in mode %s what it says", async (mode, expected) => {
  const log = await openAccessLog({ to: "/dev/null", mode, sample: 1, query: false }, () => {});
  const ends = [
    [200, ""],
    [404, ""],
    [503, "overloaded"],
    [200, "cut"],
    [0, "left"],
  ] as const;
  expect(ends.map(([status, error]) => log.wants(status, error))).toEqual(expected);
  await log.close();
});

it("wants a part of all requests when it samples, and every error", async () => {
  const log = await openAccessLog({ to: "/dev/null", mode: "sampled", sample: 0.1, query: false }, () => {});
  const wanted = Array.from({ length: 20_000 }, () => log.wants(200, "")).filter(Boolean).length;
  // Six standard deviations to either side.
  expect(wanted).toBeGreaterThan(1745);
  expect(wanted).toBeLessThan(2255);
  expect(Array.from({ length: 100 }, () => log.wants(502, "server_cut"))).not.toContain(false);
  await log.close();
});

it("names the file that cannot be written to", async () => {
  const settings = { to: "/nowhere/at/all.log", mode: "all", sample: 1, query: false } as const;
  await expect(openAccessLog(settings, () => {})).rejects.toThrow(
    "the access log /nowhere/at/all.log cannot be written: ENOENT",
  );
});
