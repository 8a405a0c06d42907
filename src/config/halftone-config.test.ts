import { describe, expect, it } from "vitest";

import { parseDuration } from "./duration.ts";
import { formatProblems } from "./format-problems.ts";
import { type HalftoneConfig, parseHalftoneConfig } from "./halftone-config.ts";
import { parseSize } from "./size.ts";

function parsed(text: string): HalftoneConfig {
  const result = parseHalftoneConfig(text, "/etc/halftone");
  if (!result.ok) throw new Error(formatProblems(result.problems).join("\n"));
  return result.value;
}

function refusal(text: string): string[] {
  const result = parseHalftoneConfig(text, "/etc/halftone");
  return result.ok ? [] : formatProblems(result.problems);
}

describe("parseHalftoneConfig", () => {
  it("has a default for everything", () => {
    expect(parsed("# nothing said\n")).toEqual({
      gateway: {
        listen: [{ address: { kind: "tcp", host: "0.0.0.0", port: 8080 } }],
        via: expect.stringMatching(/^halftone-[0-9a-f]{8}$/) as string,
        forwarded: false,
        trustedProxies: [],
        allowServers: [],
        timeouts: {
          header: 10_000,
          connect: 2000,
          response: 60_000,
          idle: 75_000,
          request: null,
          drain: 30_000,
        },
        limits: {
          head: 16_384,
          headers: 100,
          body: null,
          bodyRate: 100,
          connections: 20_000,
          requests: 10_000,
        },
      },
      name: expect.stringMatching(/^[\w.-]+-[0-9a-f]{8}$/) as string,
      workers: "auto",
      admin: { listen: { kind: "tcp", host: "127.0.0.1", port: 9090 }, hosts: [] },
      data: "/etc/halftone/data",
      directory: { kind: "file", folder: "/etc/halftone/data" },
      backup: "/etc/halftone/data/backup.json",
      apps: [],
      hooks: [],
      notify: [],
      signals: [],
    });
  });

  it("reads by which hosts the admin API may be called", () => {
    const { hosts } = parsed("admin: {hosts: [Gateway-1.internal, 10.1.2.3, '2001:DB8:0::7']}").admin;
    expect(hosts).toEqual(["gateway-1.internal", "10.1.2.3", "2001:db8::7"]);
  });

  it("reads every kind of listen address", () => {
    const { listen } = parsed(
      `gateway: {listen: [8080, "8081", ":82", "[::]:83", "h:0", "unix:/a", {address: ":84"}]}`,
    ).gateway;
    expect(listen.map(({ address }) => address)).toEqual([
      { kind: "tcp", host: "0.0.0.0", port: 8080 },
      { kind: "tcp", host: "0.0.0.0", port: 8081 },
      { kind: "tcp", host: "0.0.0.0", port: 82 },
      { kind: "tcp", host: "::", port: 83 },
      { kind: "tcp", host: "h", port: 0 },
      { kind: "unix", path: "/a" },
      { kind: "tcp", host: "0.0.0.0", port: 84 },
    ]);
    const both = parsed(`gateway: {listen: [{address: ":84", http2: true}, ":85"]}`).gateway.listen;
    expect(both.map(({ http2 }) => http2)).toEqual([true, undefined]);
    expect(parsed("gateway: {listen: 127.0.0.1:81}").gateway.listen).toHaveLength(1);
  });

  it("takes the peers that send PROXY headers, per address", () => {
    const { gateway } = parsed(
      'gateway: {listen: [80, {address: ":81", proxyProtocol: [10.0.0.0/8, "fd00::1"]}], allowServers: [169.254.10.0/24]}',
    );
    expect(gateway.listen).toEqual([
      { address: { kind: "tcp", host: "0.0.0.0", port: 80 } },
      { address: { kind: "tcp", host: "0.0.0.0", port: 81 }, proxyProtocol: ["10.0.0.0/8", "fd00::1"] },
    ]);
    expect(gateway.allowServers).toEqual(["169.254.10.0/24"]);
    const lines = refusal(
      'gateway: {listen: [{address: ":81", proxyProtocol: [lb]}], allowServers: ["169.254.1.1:80"]}',
    );
    expect(lines.map((line) => line.slice(0, line.indexOf(", expected")))).toEqual([
      'gateway.listen[0].proxyProtocol[0]: found "lb"',
      'gateway.allowServers[0]: found "169.254.1.1:80"',
    ]);
    expect(refusal('admin: {listen: {address: ":81", proxyProtocol: []}}')).toHaveLength(1);
  });

  it("resolves paths against the folder of the file; what lies in the data folder follows it", () => {
    expect(parsed("data: ./d\napps: [./apps/*.yaml, /srv/*.json]")).toMatchObject({
      data: "/etc/halftone/d",
      directory: { kind: "file", folder: "/etc/halftone/d" },
      backup: "/etc/halftone/d/backup.json",
      apps: ["/etc/halftone/apps/*.yaml", "/srv/*.json"],
    });
    expect(parsed('directory: "memory:"\nbackup: ../b.json')).toMatchObject({
      directory: { kind: "memory" },
      backup: "/etc/b.json",
    });
  });

  it("reports all problems with their paths", () => {
    const lines = refusal(`
gateway:
  listen: [8080, x]
  workers: many
  trustedProxies: [10.0.0.0/40]
  timeouts: {header: 10, iddle: 5s, connect: 0s}
  limits: {body: lots, head: 1}
directory: ftp://x
`);
    expect(lines.map((line) => line.slice(0, line.indexOf(", expected")))).toEqual([
      'gateway.listen[1]: found "x"',
      'gateway.workers: found "many"',
      'gateway.trustedProxies[0]: found "10.0.0.0/40"',
      "gateway.timeouts.header: found 10",
      'gateway.timeouts.connect: found "0s"',
      'gateway.timeouts.iddle: found "5s"',
      "gateway.limits.head: found 1",
      'gateway.limits.body: found "lots"',
      'directory: found "ftp://x"',
    ]);
    expect(lines[5]).toContain('did you mean "idle"?');
  });

  it("reads TLS of listeners and to servers, paths relative to the file", () => {
    const { gateway } = parsed(
      "gateway: {listen: [{address: ':443', tls: {certificates: [{cert: a.pem, key: a.key}, {cert: /b.pem, key: /b.key}], minVersion: 1.3, clientCertificates: {ca: ca.pem}}}]}\n" +
        "serverTls: {internal: {ca: ca.pem, cert: gw.pem, key: gw.key, serverName: shop.internal}, plain: {}}",
    );
    expect(gateway.listen[0]?.tls).toEqual({
      certificates: [
        { cert: "/etc/halftone/a.pem", key: "/etc/halftone/a.key" },
        { cert: "/b.pem", key: "/b.key" },
      ],
      minVersion: "1.3",
      clientCertificates: { ca: "/etc/halftone/ca.pem", required: false },
    });
    expect(gateway.serverTls).toEqual({
      internal: {
        ca: "/etc/halftone/ca.pem",
        certificate: { cert: "/etc/halftone/gw.pem", key: "/etc/halftone/gw.key" },
        serverName: "shop.internal",
        minVersion: "1.2",
      },
      plain: { minVersion: "1.2" },
    });
  });

  it.each([
    ["gateway: {listen: {address: ':443', tls: {}}}", "gateway.listen.tls.certificates: found nothing"],
    [
      "gateway: {listen: {address: ':443', tls: {certificates: []}}}",
      "gateway.listen.tls.certificates: found []",
    ],
    [
      "gateway: {listen: {address: ':443', tls: {certificates: [{cert: a}]}}}",
      "gateway.listen.tls.certificates[0].key: found nothing",
    ],
    [
      "gateway: {listen: {address: ':443', tls: {certificates: [{cert: a, key: b}], minVersion: '1.1'}}}",
      'gateway.listen.tls.minVersion: found "1.1", expected "1.2" or "1.3"',
    ],
    ["serverTls: {internal: {cert: a.pem}}", "serverTls.internal.key: found nothing"],
    ["serverTls: {internal: {key: a.pem}}", "serverTls.internal.cert: found nothing"],
    ["serverTls: {internal: {verify: false}}", "serverTls.internal.verify: found false, expected one of"],
    ["serverTls: {'a b': {}}", 'serverTls["a b"]: found'],
    ["admin: {listen: {address: ':1', tls: {}}}", "admin.listen.tls: found"],
    ["admin: {hosts: admin.example.com}", "admin.hosts: found"],
    ["admin: {hosts: ['admin.example.com:443']}", "admin.hosts[0]: found"],
    ["admin: {hosts: ['*.example.com']}", "admin.hosts[0]: found"],
    ["admin: {hosts: ['https://admin.example.com']}", "admin.hosts[0]: found"],
  ])("refuses %j", (text, problem) => {
    expect(refusal(text)[0]).toContain(problem);
  });

  it("reads how a Redis is reached", () => {
    const { directory } = parsed("directory: redis://h/2?layout=original");
    expect(directory).toMatchObject({
      kind: "redis",
      target: { nodes: [{ host: "h", port: 6379 }], database: 2 },
    });
    const written = "{url: 'rediss://amy@h:7000/0', passwordFile: pass, ca: /ca.pem}";
    expect(parsed(`directory: ${written}`).directory).toEqual({
      kind: "redis",
      target: {
        kind: "server",
        nodes: [{ host: "h", port: 7000 }],
        database: 0,
        tls: true,
        username: "amy",
        layout: "default",
      },
      passwordFile: "/etc/halftone/pass",
      ca: "/ca.pem",
    });
  });

  it("refuses a primary's name that is wrongly encoded", () => {
    expect(refusal("directory: redis+sentinel://h/%zz").join()).toMatch(/^directory: found/);
  });

  it("shows no secret", () => {
    const lines = refusal("admin: {token: hunter2}\ndirectory: redis://user:hunter2@h/0").join("\n");
    expect(lines).toContain("admin.token");
    expect(lines).not.toContain("hunter2");
  });

  it.each([
    ["data: 1\n  x: [", "line 1, column 7"],
    ["data: a\ndata: b\n", "line 2, column 1"],
    ["a: *b", "line 1, column 1"],
    ["data: !vault x", "line 1, column 7"],
  ])("gives line and column for the faulty text %j", (text, place) => {
    expect(refusal(text)[0]).toContain(`${place}: found `);
  });

  it("refuses aliases that multiply", () => {
    const laughs = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    expect(refusal(["a0: &a0 [x]", ...laughs].join("\n"))[0]).toContain("Excessive alias count");
  });
});

describe("durations and sizes", () => {
  it.each([
    ["250ms", 250],
    ["10s", 10_000],
    ["1.5s", 1500],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["0s", 0],
  ])("%j is %j ms", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(["10", "", "s", "-1s", "1 s", "1d", "1e3s", "999h59", "1000h"])("%j is no duration", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it.each([
    ["16KiB", 16_384],
    ["1MiB", 1_048_576],
    ["512B", 512],
    ["4096", 4096],
    [4096, 4096],
    [0, 0],
  ])("%j is %j bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(["1KB", "1k", "", "-1", "1.5KiB", 1.5, -1, 1e21, Number.NaN])("%j is no size", (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});
