import { describe, expect, it } from "vitest";

import { compileApp } from "./compile-app.ts";
import { parseServerAddress } from "./server-address.ts";

describe("compileApp", () => {
  it("fills in every default", () => {
    const { testers, ...app } = compileApp({ name: "a", groups: { g: { servers: ["10.0.0.1"] } } }, 7);
    expect(app).toEqual({
      name: "a",
      revision: 7,
      draw: "",
      routes: [{ host: "*", path: "/" }],
      tls: false,
      groups: [
        {
          name: "g",
          standby: false,
          servers: [{ id: "10.0.0.1:80", target: { kind: "ip", host: "10.0.0.1", port: 80 }, weight: 1 }],
        },
      ],
      deploy: 0,
      testing: true,
      share: 0,
      stickiness: [{ kind: "address" }],
      balance: "roundRobin",
      health: { maxFails: 1, dieTime: 10_000, maxDieTime: 300_000, slowStart: 0 },
      retry: { tries: 2, budget: 20, budgetFloor: 3, on: [] },
      proxyProtocol: undefined,
      testersFallBack: false,
      emergencySpill: false,
      upgrades: ["websocket"],
      expose: false,
    });
    expect([testers.addresses.size, testers.rules]).toEqual([0, []]);
  });

  it("knows groups that stand by, and those that warm up", () => {
    const app = compileApp(
      {
        name: "a",
        groups: { a: { servers: ["h1"] }, b: { weight: 3, servers: ["h2"] }, c: { servers: ["h3"] } },
        standby: ["c"],
        ramp: { b: 20 },
      },
      1,
    );
    expect(app.groups.map(({ name, standby, servers }) => [name, standby, servers[0]?.weight])).toEqual([
      ["a", false, 100],
      ["b", false, 60],
      ["c", true, 100],
    ]);
  });

  it("gives no weight to servers in quarantine, and all other servers theirs", () => {
    const document = {
      name: "a",
      groups: { a: { weight: 2, servers: ["h1", "h2"] }, b: { servers: ["h3", "unix:/run/b.sock"] } },
      quarantine: ["h1:80", "unix:/run/b.sock"],
    };
    const weights = (more: object): readonly number[] =>
      compileApp({ ...document, ...more }, 1).groups.flatMap(({ servers }) =>
        servers.map(({ weight }) => weight),
      );
    expect(weights({})).toEqual([0, 2, 1, 0]);
    expect(weights({ ramp: { b: 10 } })).toEqual([0, 200, 10, 0]);
    expect(weights({ quarantine: [] })).toEqual([2, 2, 1, 1]);
  });

  it("knows what is counted for which release", () => {
    const groups = { a: { servers: ["h1"] } };
    const tally = { window: "2500ms", slower: [1, 2.5, 3] };
    expect(compileApp({ name: "a", groups, draw: "r1", tally }, 1).tally).toEqual({
      release: "r1",
      window: 2500,
      slower: [1, 2.5, 3],
    });
    expect(compileApp({ name: "a", groups, tally: { window: "1m" } }, 1).tally).toEqual({
      release: "",
      window: 60_000,
      slower: undefined,
    });
    expect(compileApp({ name: "a", groups, draw: "r1" }, 1).tally).toBeUndefined();
  });

  it("gives each server its port and weight, and keeps the order of groups", () => {
    const app = compileApp(
      {
        name: "a",
        draw: "r1",
        port: 8080,
        groups: {
          z: {
            weight: 10,
            servers: ["10.0.4.175", "10.0.4.176:81", { address: "fd00::1", port: 82, weight: 5 }],
          },
          a: { servers: ["unix:/run/a.sock", "App.internal"] },
        },
      },
      1,
    );
    expect(app.draw).toBe("r1");
    expect(
      app.groups.map(({ name, servers }) => [name, servers.map(({ id, weight }) => `${id} ${weight}`)]),
    ).toEqual([
      ["z", ["10.0.4.175:8080 10", "10.0.4.176:81 10", "[fd00::1]:82 5"]],
      ["a", ["unix:/run/a.sock 1", "app.internal:8080 1"]],
    ]);
  });

  it("sorts testers into addresses and rules, header names in lower case", () => {
    const app = compileApp(
      {
        name: "a",
        groups: { g: { servers: ["h"] } },
        testers: [
          "10.9.0.0/16",
          { header: "X-Tester", equals: "1" },
          { cookie: "Beta", equals: "yes" },
          { certificate: "OU", equals: "QA" },
        ],
        stickiness: [{ header: "X-User" }, { cookie: "Uid" }],
      },
      1,
    );
    expect(app.testers.addresses.match("10.9.3.4")).toBe("10.9.0.0/16");
    expect(app.testers.rules).toEqual([
      { kind: "header", name: "x-tester", equals: "1" },
      { kind: "cookie", name: "Beta", equals: "yes" },
      { kind: "certificate", name: "OU", equals: "QA" },
    ]);
    expect(app.stickiness).toEqual([
      { kind: "header", name: "x-user" },
      { kind: "cookie", name: "Uid" },
    ]);
  });
});

describe("parseServerAddress", () => {
  it.each([
    ["10.0.4.175", { kind: "ip", host: "10.0.4.175", port: undefined }],
    ["10.0.4.176:8081", { kind: "ip", host: "10.0.4.176", port: 8081 }],
    ["[fd00::1]:80", { kind: "ip", host: "fd00::1", port: 80 }],
    ["[fd00::1]", { kind: "ip", host: "fd00::1", port: undefined }],
    ["fd00:0::1", { kind: "ip", host: "fd00::1", port: undefined }],
    ["fe80::1%eth0", { kind: "ip", host: "fe80::1%eth0", port: undefined }],
    ["::ffff:10.0.0.1", { kind: "ip", host: "10.0.0.1", port: undefined }],
    ["app.internal:80", { kind: "name", host: "app.internal", port: 80 }],
    ["My_App-1", { kind: "name", host: "my_app-1", port: undefined }],
    ["unix:/run/a b.sock", { kind: "unix", path: "/run/a b.sock" }],
  ])("reads %j", (text, address) => {
    expect(parseServerAddress(text)).toEqual(address);
  });

  it.each([
    "",
    ":80",
    "10.0.4.999",
    "10.0.4",
    "1234",
    "h:0",
    "h:65536",
    "h:",
    "h:8o",
    "a b",
    "-a",
    "a..b",
    "http://a",
    "a/b",

    "[10.0.0.1]:80",
    "[::1",
    "::1]:80",
    "[::1]80",
    "unix:",
    "unix:a",
    "unix:/",
    `unix:/${"a".repeat(107)}`,
    "unix:/\0a",
    "user@h",
    "a%b",
    "h:80:80",
    "a".repeat(64),
    "0x7f",
    "a.0x1",
  ])("does not read %j", (text) => {
    expect(parseServerAddress(text)).toBeUndefined();
  });
});
