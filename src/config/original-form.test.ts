import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type AppDocument, parseAppDocument } from "./app-document.ts";
import { compileApp } from "./compile-app.ts";
import { toOriginal } from "./original-form.ts";

function parsed(input: unknown, name?: string): AppDocument {
  const result = parseAppDocument(input, name === undefined ? {} : { name });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

function original(document: AppDocument): unknown {
  const result = toOriginal(document);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return JSON.parse(JSON.stringify(result.value));
}

describe("toOriginal", () => {
  it("writes the value the original's converter writes for its raw form", () => {
    const raw: unknown = JSON.parse(`
      { "image": "my_object", "testiplist": ["10.0.0.111", "127.0.0.1"],
        "weight": {"group1": "10", "group2": "10"}, "deploy": "0",
        "group1": ["10.0.4.175", "10.0.4.176"], "group2": ["10.0.4.146", "10.0.4.147"] }`);
    const value: unknown = JSON.parse(`
      {"group2":[{"ip":"10.0.4.146","current_weight":10,"weight":10},{"ip":"10.0.4.147","current_weight":10,"weight":10}],
       "group":[{"ip":"10.0.4.175","current_weight":"10","weight":"10"},{"ip":"10.0.4.176","current_weight":"10","weight":"10"}],
       "deploy":0,"weight":{"group2":"10","group":"10"},"testiplist":["10.0.0.111","127.0.0.1"]}`);
    expect(original(parsed(raw))).toEqual(value);
    expect(original(parsed(value, "my_object"))).toEqual(value);
  });

  it("refuses what the form cannot carry, all of it together", () => {
    const result = toOriginal({
      name: "a",
      groups: { blue: { servers: ["unix:/a", "h"] }, group2: { servers: ["i"] } },
      testers: ["10.0.0.0/8", { header: "x", equals: "1" }, { cookie: "y", equals: "1" }],
    });
    expect(result.ok ? [] : result.problems.map(({ path }) => path)).toEqual([
      "groups.blue",
      "groups.blue.servers[0]",
      "testers[1]",
      "testers[2]",
    ]);
  });

  it("read back means the same, and written again is the same", () => {
    const server = fc.tuple(
      fc.constantFrom("10.0.0.", "fd00::", "host-"),
      fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
      fc.option(fc.nat(100), { nil: undefined }),
    );
    const group = fc.record(
      { weight: fc.integer({ min: 1, max: 100 }), servers: fc.array(server, { minLength: 1, maxLength: 4 }) },
      { requiredKeys: ["servers"] },
    );
    const input = fc.record({
      groups: fc.array(group, { minLength: 1, maxLength: 12 }),
      deploy: fc.nat(12),
      port: fc.integer({ min: 1, max: 65_535 }),
      testers: fc.subarray(["10.0.0.1", "fd00::/8", "::1"]),
    });
    fc.assert(
      fc.property(input, ({ groups, deploy, port, testers }) => {
        let count = 0;
        const named = groups.map(({ servers, ...more }, index) => {
          const written = servers.map(([prefix, port, weight]) => ({
            address: `${prefix}${++count}`,
            ...(port !== undefined && { port }),
            ...(weight !== undefined && { weight }),
          }));
          const group: object = { ...more, servers: [...written, `last-${++count}`] };
          return [`group${index + 1}`, group] as const;
        });
        const document = parsed({
          name: "a",
          port,
          groups: Object.fromEntries(named),
          testers,
          deploy: groups.length === 1 ? 0 : deploy % (groups.length + 1),
        });
        const value = original(document);
        const again = parsed({ ...(value as object), port }, "a");
        const [one, other] = [compileApp(document, 1), compileApp(again, 1)];
        expect(other.groups).toEqual(one.groups);
        expect([other.deploy, again.testers]).toEqual([one.deploy, document.testers]);
        expect(original(again)).toEqual(value);
      }),
      { numRuns: 200 },
    );
  });
});
