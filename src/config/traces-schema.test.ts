import { expect, it } from "vitest";
import { parseHalftoneConfig } from "./halftone-config.ts";

const ENDPOINT = "http://127.0.0.1:4318/v1/traces";

function tracesOf(traces: unknown): unknown {
  const parsed = parseHalftoneConfig(JSON.stringify({ traces }), "/srv/halftone");
  return parsed.ok ? parsed.value.gateway.traces : parsed.problems;
}

it("takes an endpoint, and one per cent of the requests without more", () => {
  expect(tracesOf(undefined)).toBeUndefined();
  expect(tracesOf({ endpoint: ENDPOINT })).toEqual({
    endpoint: ENDPOINT,
    sample: 0.01,
    headers: {},
    service: "halftone",
  });
  expect(tracesOf({ endpoint: ENDPOINT, sample: 100, headers: { "X-Key": "a b" }, service: "edge" })).toEqual(
    {
      endpoint: ENDPOINT,
      sample: 1,
      headers: { "X-Key": "a b" },
      service: "edge",
    },
  );
});

it.each([
  [{}, "traces.endpoint"],
  [{ endpoint: "127.0.0.1:4318" }, "traces.endpoint"],
  [{ endpoint: ENDPOINT, sample: -1 }, "traces.sample"],
  [{ endpoint: ENDPOINT, headers: { "a b": "c" } }, 'traces.headers["a b"]'],
  [{ endpoint: ENDPOINT, protocol: "grpc" }, "traces.protocol"],
])("refuses %j", (traces, path) => {
  expect(tracesOf(traces)).toMatchObject([{ path }]);
});

it("shows no header that may be a secret", () => {
  const problems = JSON.stringify(tracesOf({ endpoint: ENDPOINT, headers: { authorization: "secret\n" } }));
  expect(problems).toContain("traces.headers.authorization");
  expect(problems).not.toContain("secret");
});
