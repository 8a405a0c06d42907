import { expect, it } from "vitest";
import { parseHalftoneConfig } from "./halftone-config.ts";

function accessLogOf(written: object): unknown {
  const parsed = parseHalftoneConfig(JSON.stringify({ gateway: { accessLog: written } }), "/srv/halftone");
  return parsed.ok ? parsed.value.gateway.accessLog : parsed.problems;
}

it("is off unless something is wanted", () => {
  expect(accessLogOf({})).toBeUndefined();
  expect(accessLogOf({ to: "./access.log", mode: "off" })).toBeUndefined();
});

it("has standard output, one per cent and no queries as defaults, and paths that start at the file's folder", () => {
  expect(accessLogOf({ mode: "sampled" })).toEqual({ to: null, mode: "sampled", sample: 0.01, query: false });
  expect(accessLogOf({ to: "logs/access.log", mode: "all", sample: "0.5", query: true })).toEqual({
    to: "/srv/halftone/logs/access.log",
    mode: "all",
    sample: 0.005,
    query: true,
  });
});

it.each([
  [{ mode: "some" }, "gateway.accessLog.mode", '"off", "errors", "sampled" or "all"'],
  [{ to: "" }, "gateway.accessLog.to", "the path of a file"],
  [{ sample: 101 }, "gateway.accessLog.sample", "a percentage from 0 to 100 with at most two decimals"],
  [{ file: "x" }, "gateway.accessLog.file", "one of the keys to, mode, sample, query"],
])("refuses %j", (written, path, expected) => {
  expect(accessLogOf(written)).toMatchObject([{ path, expected }]);
});
