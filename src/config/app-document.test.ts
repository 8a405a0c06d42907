import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { CONVERTED, ORIGINAL } from "../../test/original-documents.ts";
import { type AppDocument, parseAppDocument } from "./app-document.ts";
import { formatProblems } from "./format-problems.ts";

const GROUPS = { group1: { servers: ["10.0.0.1"] }, group2: { servers: ["10.0.0.2"] } };

/** The canonical document of the original's sample. */
const SAMPLE: AppDocument = {
  name: "my_object",
  groups: {
    group1: { weight: 10, servers: ["10.0.4.175", "10.0.4.176"] },
    group2: { weight: 10, servers: ["10.0.4.146", "10.0.4.147"] },
  },
  testers: ["10.0.0.111", "127.0.0.1"],
  deploy: 0,
};

function parsed(input: unknown, name?: string): AppDocument {
  const result = parseAppDocument(input, name === undefined ? {} : { name });
  if (!result.ok) throw new Error(formatProblems(result.problems).join("\n"));
  return result.value;
}

function refusal(input: unknown, name?: string): string[] {
  const result = parseAppDocument(input, name === undefined ? {} : { name });
  return result.ok ? [] : formatProblems(result.problems);
}

describe("the canonical form", () => {
  it("keeps what was written, and leaves out what was left out", () => {
    const document = {
      name: "shop",
      routes: [{ host: "shop.example.com", path: "/api" }, {}],
      port: 8080,
      groups: {
        blue: { weight: 10, servers: ["10.0.4.175", { address: "app.internal", port: 81, weight: 0 }] },
        green: { servers: ["unix:/run/app.sock", "[fd00::1]:80"] },
      },
      testers: [
        "10.9.0.0/16",
        { header: "x-tester", equals: "1" },
        { cookie: "beta", equals: "yes" },
        { certificate: "san", equals: "DNS:qa.test" },
      ],
      tls: "internal",
      stickiness: [{ cookie: "uid" }, { header: "x-user-id" }, "address"],
      deploy: 2,
      testing: false,
      share: 12.34,
      balance: "hash",
      health: { maxFails: 2, dieTime: "1s", check: { path: "/healthz", expect: [200, 204] } },
      retry: { tries: 3, budget: 10, on: [502] },
      expose: true,
      ramp: { green: 30 },
      draw: "r-1",
    };
    expect(parsed(document)).toEqual(document);
    expect(parsed({ name: "a", groups: GROUPS })).toEqual({ name: "a", groups: GROUPS });
  });

  it.each([
    [{ tls: "a b" }, 'tls: found "a b"'],
    [{ tls: { verify: false } }, 'tls: found {"verify":false}'],
    [
      { testers: [{ certificate: "ou", equals: "QA" }] },
      'testers[0].certificate: found "ou", expected "CN", ',
    ],
    [{ tls: true, groups: { g: { servers: ["h", "unix:/a"] } } }, "groups.g.servers[1]: found"],
    [{ standby: ["x"] }, 'standby[0]: found "x", expected one of the groups, group1, group2'],
    [{ standby: ["group1", "group2"] }, "expected fewer groups: somebody has to serve the public"],
    [{ deploy: 1, standby: ["group2"] }, "expected fewer groups: somebody has to serve the public"],
    [{ deploy: 1, standby: ["group1"] }, "expected groups other than group1, which is under test"],
    [{ ramp: { x: 5 } }, "ramp.x: found 5, expected one of the groups"],
    [{ ramp: { group1: 0 } }, "ramp.group1: found 0, expected a whole number from 1 to 100"],
    [{ draw: "a b" }, 'draw: found "a b"'],
    [{ tally: {} }, "tally.window: found nothing"],
    [{ tally: { window: "10s", slower: [1, 2] } }, "tally.slower: found [1,2], expected three latencies"],
    [
      { tally: { window: "10s", slower: [1, 2, 0] } },
      "tally.slower[2]: found 0, expected milliseconds above",
    ],
    [{ tally: { window: "10s", faster: 1 } }, "tally.faster: found 1"],
  ])("refuses %j", (more, problem) => {
    expect(refusal({ name: "a", groups: GROUPS, ...more })[0]).toContain(problem);
  });

  it("is read back unchanged from its own JSON", () => {
    expect(parsed(JSON.parse(JSON.stringify(SAMPLE)))).toEqual(SAMPLE);
  });

  it("takes numbers written as text, and lower-cases hosts", () => {
    const document = parsed({
      name: "a",
      routes: [{ host: "*.Example.COM" }],
      port: "81",
      deploy: "2",
      share: "12.5",
      groups: { group1: { weight: "3", servers: [{ address: "h", weight: "4" }] }, group2: GROUPS.group2 },
      retry: { on: ["502"] },
    });
    expect(document).toMatchObject({
      routes: [{ host: "*.example.com" }],
      port: 81,
      deploy: 2,
      share: 12.5,
      groups: { group1: { weight: 3, servers: [{ weight: 4 }] } },
      retry: { on: [502] },
    });
  });

  it("takes a missing name from where it is addressed, and refuses another one", () => {
    expect(parsed({ groups: GROUPS }, "a").name).toBe("a");
    expect(parsed({ name: "a", groups: GROUPS }, "a").name).toBe("a");
    expect(refusal({ name: "b", groups: GROUPS }, "a")).toEqual([
      'name: found "b", expected "a", the name it is addressed by',
    ]);
    expect(refusal({ groups: GROUPS })[0]).toMatch(/^name: found nothing, expected a name/);
  });

  it("reports all problems together, wrong fields and contradictions alike", () => {
    const lines = refusal({
      name: "a b",
      prot: 81,
      deploy: 3,
      share: 1.234,
      groups: {
        group1: { servers: ["10.0.0.999", { address: "10.0.0.7", wieght: 3 }, "10.0.0.1", "10.0.0.1:80"] },
        group2: { weight: 0, servers: ["10.0.0.2"] },
        group3: { servers: [] },
        "4": { servers: ["10.0.0.4"] },
      },
      routes: [{ host: "a.b" }, { host: "A.B", path: "/" }],
      testers: ["10.0.0.0/33", { header: "x", equals: 1 }],
      health: { dieTime: 10 },
    });
    const found = lines.map((line) => line.slice(0, line.indexOf(", expected")));
    expect(found.sort()).toEqual(
      [
        'name: found "a b"',
        "prot: found 81",
        'groups.4: found {"servers":["10.0.0.4"]}',
        'groups.group1.servers[0]: found "10.0.0.999"',
        "groups.group1.servers[1].wieght: found 3",
        'groups.group1.servers[3]: found "10.0.0.1:80"',
        'groups.group2: found {"weight":0,"servers":["10.0.0.2"]}',
        "groups.group3.servers: found []",
        "share: found 1.234",
        'testers[0]: found "10.0.0.0/33"',
        "testers[1].equals: found 1",
        'routes[1]: found {"host":"A.B","path":"/"}',
        "health.dieTime: found 10",
      ].sort(),
    );
    expect(lines).toContainEqual(expect.stringContaining('did you mean "port"?'));
    expect(lines).toContainEqual(expect.stringContaining('did you mean "weight"?'));
    expect(lines).toContainEqual(
      expect.stringContaining("does not repeat groups.group1.servers[2] (10.0.0.1:80)"),
    );
  });

  it.each(["x", "", 1.5, "1.5", -1, 3, null, true, [], "0x1", " 1", "1e0", 1e21])(
    "refuses deploy %j",
    (deploy) => {
      expect(refusal({ name: "a", groups: GROUPS, deploy })).toEqual([
        `deploy: found ${JSON.stringify(deploy)}, expected a whole number from 0 to 2, the number of groups`,
      ]);
    },
  );

  it("refuses an update of the only group", () => {
    expect(refusal({ name: "a", groups: { g: { servers: ["h"] } }, deploy: 1 })).toEqual([
      "deploy: found 1, expected 0, as an update needs a second group",
    ]);
    expect(parsed({ name: "a", groups: { g: { servers: ["h"] } }, deploy: 0 }).deploy).toBe(0);
  });

  describe("with servers in quarantine", () => {
    const groups = {
      one: { servers: ["10.0.0.1", { address: "10.0.0.2", weight: "3" }, "unix:/run/app.sock", "fd00::1"] },
      two: { weight: 0, servers: ["10.0.0.3", { address: "10.0.0.4", weight: 1 }] },
    };
    const all = ["10.0.0.1:8080", "10.0.0.2:8080", "unix:/run/app.sock", "[fd00::1]:8080"];
    const with_ = (quarantine: unknown): object => ({ name: "a", port: 8080, groups, quarantine });

    it("is taken, as long as each group has another one with a weight", () => {
      for (const quarantine of [[], ["10.0.0.3:8080"], all.slice(1), [...all.slice(2), ...all.slice(2)]]) {
        expect(parsed(with_(quarantine)).quarantine).toEqual(quarantine);
      }
    });

    it.each([
      [all, "quarantine: found [", "expected fewer servers: one of one with a weight above 0 has to be left"],
      [["10.0.0.4:8080"], "quarantine: found [", "one of two with a weight above 0 has to be left"],
      [
        ["10.0.0.9:8080"],
        'quarantine[0]: found "10.0.0.9:8080"',
        "expected a server of the groups, 10.0.0.1:80",
      ],
      [["10.0.0.1:80"], 'quarantine[0]: found "10.0.0.1:80"', "expected a server of the groups"],
      [["10.0.0.1"], 'quarantine[0]: found "10.0.0.1"', "expected a server of the groups, 10.0.0.1:8080"],
      [["[FD00::1]:8080"], "quarantine[0]: found", "[fd00::1]:8080"],
      [[7], "quarantine[0]: found 7", "expected"],
      ["10.0.0.1:8080", 'quarantine: found "10.0.0.1:8080"', "expected a list of addresses of servers"],
    ])("is refused with %j", (quarantine, found, expected) => {
      const [problem] = refusal(with_(quarantine));
      expect(problem).toContain(found);
      expect(problem).toContain(expected);
    });

    it("tells of each group and each name that is wrong", () => {
      expect(refusal(with_([...all, "10.0.0.4:8080", "x:1", "y:1"]))).toHaveLength(4);
    });
  });

  it("takes a group of which one server has a weight", () => {
    const groups = { g: { weight: 0, servers: ["h", { address: "i", weight: 1 }] } };
    expect(parsed({ name: "a", groups }).groups).toEqual(groups);
  });

  it.each([
    ["::ffff:10.0.0.1", "10.0.0.1:80"],
    ["FD00:0::1", "[fd00::1]:80"],
    ["App.Internal", "app.internal:80"],
    [{ address: "10.0.0.1", port: 80 }, "10.0.0.1"],
    ["unix:/a", "unix:/a"],
  ])("knows %j and %j for the same server", (one, other) => {
    const groups = { group1: { servers: [one] }, group2: { servers: [other] } };
    expect(refusal({ name: "a", groups })[0]).toMatch(/^groups\.group2\.servers\[0\]: .* does not repeat/);
  });

  it.each(["shop/..", "/a//b", "/./a", "/a?b", "/a b", "/ä", ""])("refuses the route path %j", (path) => {
    expect(refusal({ name: "a", groups: GROUPS, routes: [{ path }] })).toHaveLength(1);
  });

  it.each(["a:80", "*.", "a*.b", "http://a", "10.0.0.999", "", "a b"])(
    "refuses the route host %j",
    (host) => {
      expect(refusal({ name: "a", groups: GROUPS, routes: [{ host }] })).toHaveLength(1);
    },
  );
});

describe("addresses at which no server stands", () => {
  const found = (servers: readonly unknown[], allowServers?: readonly string[]): string[] => {
    const parsed = parseAppDocument({ name: "a", groups: { g: { servers } } }, { allowServers });
    return parsed.ok
      ? []
      : parsed.problems.map(({ path, found, expected }) => `${path} ${found}: ${expected}`);
  };

  it.each([
    ["0.0.0.0:80", "an unspecified address"],
    ["0.1.2.3", "an unspecified address"],
    ["::", "an unspecified address"],
    ["[::]:80", "an unspecified address"],
    ["[::ffff:0.0.0.0]:80", "an unspecified address"],
    ["224.0.0.1", "a multicast address"],
    ["ff02::1", "a multicast address"],
    ["255.255.255.255", "a broadcast address"],
    ["169.254.10.1", "a link-local address"],
    ["fe80::1", "a link-local address"],
    ["[fe80::1%eth0]:80", "a link-local address"],
    ["169.254.169.254", "metadata"],
    ["[::ffff:a9fe:a9fe]:80", "metadata"],
    ["fd00:ec2::254", "metadata"],
  ])("%s is refused", (address, reason) => {
    expect(found(["10.0.0.1", address], [])).toEqual([
      expect.stringMatching(/^groups\.g\.servers\[1\] ".*": the address of a server, not /),
    ]);
    expect(found([address], [])[0]).toContain(reason);
    expect(found([{ address }], [])).toEqual([expect.stringMatching(/^groups\.g\.servers\[0\]\.address /)]);
    expect(found([address])).toEqual([]);
  });

  it("are told where they stand, in the original's form too", () => {
    const original = { image: "a", group1: ["10.0.0.1", "0.0.0.0"], weight: { group1: 1 } };
    expect(parseAppDocument(original, { allowServers: [] })).toMatchObject({
      ok: false,
      problems: [{ path: "group1[1]", found: '"0.0.0.0"' }],
    });
  });

  it("are none of private ranges and loopback, nor what is allowed", () => {
    expect(found(["10.0.0.1", "127.0.0.1", "192.168.0.1", "fd00::1", "::1", "app.internal"], [])).toEqual([]);
    expect(found(["169.254.10.1", "fe80::1"], ["169.254.10.0/24", "fe80::/10"])).toEqual([]);
    expect(found(["169.254.169.254"], ["169.254.10.0/24"])).toHaveLength(1);
  });
});

describe("the original's forms", () => {
  it("are read as the same document, whose first group is group1", () => {
    expect(parsed(ORIGINAL)).toEqual(SAMPLE);
    expect(parsed(CONVERTED, "my_object")).toEqual(SAMPLE);
    expect(Object.keys(parsed(CONVERTED, "my_object").groups)).toEqual(["group1", "group2"]);
  });

  it("order groups by number and may carry any other key", () => {
    const groups = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`group${11 - i}`, [`h${i}`]]));
    const document = parsed({ image: "a", ...groups, port: "81", share: 5, deploy: 11 });
    expect(Object.keys(document.groups)).toEqual(Array.from({ length: 11 }, (_, i) => `group${i + 1}`));
    expect(document).toMatchObject({ port: 81, share: 5, deploy: 11 });
  });

  it("keep a server's own weight and port", () => {
    const group = [
      { ip: "10.0.0.1", weight: "5", current_weight: -3 },
      { ip: "10.0.0.2", port: "81" },
    ];
    expect(parsed({ group, weight: { group: 10 } }, "a").groups["group1"]).toEqual({
      weight: 10,
      servers: [
        { address: "10.0.0.1", weight: 5 },
        { address: "10.0.0.2", port: 81 },
      ],
    });
  });

  it("are refused in the words in which they were written", () => {
    const lines = refusal(
      {
        image: "b",
        group: [{ ip: "10.0.0.999", current_weight: "x" }, { ip: "10.0.0.1" }],
        group3: ["10.0.0.1"],
        weight: { group: "x", group2: 1 },
        testiplist: ["me"],
        deploy: 7,
        wieght: 1,
      },
      "a",
    );
    expect(lines.map((line) => line.slice(0, line.indexOf(", expected"))).sort()).toEqual(
      [
        'image: found "b"',
        'group[0].ip: found "10.0.0.999"',
        'group[0].current_weight: found "x"',
        'group3: found ["10.0.0.1"]',
        'group3[0]: found "10.0.0.1"',
        'weight.group: found "x"',
        "weight.group2: found 1",
        'testiplist[0]: found "me"',
        "deploy: found 7",
        "wieght: found 1",
      ].sort(),
    );
    expect(lines).toContainEqual(expect.stringContaining("does not repeat group[1]"));
  });

  it("need a name from elsewhere when they carry none", () => {
    expect(refusal(CONVERTED)).toHaveLength(1);
    expect(refusal(ORIGINAL, "other")).toEqual([
      'image: found "my_object", expected "other", the name it is addressed by',
    ]);
  });
});

describe("hostile input", () => {
  it("is refused as a value, never thrown", () => {
    const circular: Record<string, unknown> = { name: "a" };
    circular["groups"] = circular;
    const inputs: unknown[] = [
      null,
      undefined,
      1,
      "x",
      [],
      () => 1,
      1n,
      Symbol("x"),
      new Map(),
      circular,
      Number.NaN,
      { name: 1n, groups: new Date(0) },
      JSON.parse('{"name":"a","groups":{"__proto__":{"servers":["h"]}}}'),
      JSON.parse('{"__proto__":{"groups":{}}}'),
    ];
    for (const input of inputs) expect(parseAppDocument(input).ok).toBe(false);
  });

  it("has no key that would change a prototype", () => {
    const text = '{"name":"a","groups":{"g":{"servers":["h"]},"__proto__":{"servers":["i"]}},"__proto__":{}}';
    expect(refusal(JSON.parse(text))).toEqual([
      'groups.__proto__: found {"servers":["i"]}, expected another key',
      "__proto__: found {}, expected another key",
    ]);
  });

  it("takes names of inherited properties as the plain names they are", () => {
    const groups = { constructor: { servers: ["h"] }, toString: { servers: ["i"] } };
    expect(Object.keys(parsed({ name: "hasOwnProperty", groups }).groups)).toEqual([
      "constructor",
      "toString",
    ]);
  });

  it("never throws and never yields a document that is refused when read again", () => {
    const key = fc.constantFrom(
      "name",
      "image",
      "groups",
      "group",
      "group1",
      "group2",
      "weight",
      "testiplist",
      "testers",
      "servers",
      "deploy",
      "share",
      "health",
      "routes",
      "host",
      "path",
      "ip",
      "address",
      "port",
      "__proto__",
      "check",
    );
    const leaf = fc.oneof(
      fc.constantFrom("10.0.0.1", "h", "/", "1", "group1", "a", "*", "10s", "unix:/a"),
      fc.jsonValue({ maxDepth: 1 }),
      fc.nat(3),
    );
    const { input } = fc.letrec<{ input: unknown }>((tie) => ({
      input: fc.oneof(
        { maxDepth: 5, withCrossShrink: true },
        leaf,
        fc.dictionary(key, tie("input"), { maxKeys: 6 }),
        fc.array(tie("input"), { maxLength: 3 }),
      ),
    }));
    const document = fc.record({ name: fc.constant("a"), groups: fc.constant(GROUPS) });
    fc.assert(
      fc.property(input, fc.boolean(), document, (value, isMostlyGood, good) => {
        const mixed = isMostlyGood && typeof value === "object" ? { ...good, ...value } : value;
        const result = parseAppDocument(mixed, { name: "a" });
        if (result.ok) expect(parsed(JSON.parse(JSON.stringify(result.value)))).toEqual(result.value);
        else expect(result.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
