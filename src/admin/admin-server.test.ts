import { request } from "node:http";
import { stat } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAdmin, type RunningAdmin } from "../../test/admin/running-admin.ts";
import { adminHostsText, type AdminHosts, isAdminHost } from "./admin-host.ts";
import { startAdminServer } from "./admin-server.ts";

let admin: RunningAdmin;
beforeAll(async () => {
  admin = await runAdmin();
});
afterAll(() => admin.stop());

function answerFor(host: string, path: string = "/"): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(admin.url);
    request({ host: "127.0.0.1", port, path, headers: { Host: host } }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (text: string) => (body += text));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
    })
      .on("error", reject)
      .end();
  });
}

/** What comes back for these bytes. */
async function rawAnswer(text: string): Promise<string> {
  const socket = connect(Number(new URL(admin.url).port), "127.0.0.1");
  socket.end(text);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

const NAMED: AdminHosts = { listen: [{ kind: "tcp", host: "Admin.Internal", port: 9090 }], hosts: [] };
const BOUND: AdminHosts = {
  listen: [...NAMED.listen, { kind: "tcp", host: "10.1.2.3", port: 9090 }],
  hosts: ["halftone.example.com", "192.0.2.7", "2001:db8::7"],
};
const EVERYWHERE: AdminHosts = { listen: [{ kind: "tcp", host: "::", port: 9090 }], hosts: [] };
const SOCKET: AdminHosts = { listen: [{ kind: "unix", path: "/run/halftone.sock" }], hosts: [] };

describe("the admin listener", () => {
  it("refuses the names of others (DNS rebinding), over the wire", async () => {
    for (const host of ["127.0.0.1:9090", "localhost", "[::1]:9090", "Admin.Example.com:8443"]) {
      expect(await answerFor(host), host).toMatchObject({ status: 200 });
    }
    for (const host of ["evil.example", "127.0.0.1.evil.example:9090", "10.1.2.3", "example.com"]) {
      expect(await answerFor(host), host).toMatchObject({ status: 421 });
      expect(await answerFor(host, "/api/v1/apps"), host).toMatchObject({ status: 421 });
    }
    const { body } = await answerFor("evil.example");
    expect(JSON.parse(body)).toMatchObject({
      type: "urn:halftone:problem:wrong-host",
      detail:
        "found Host evil.example, expected localhost, 127.0.0.1, or what admin.hosts of halftone.yaml names " +
        "(admin.example.com); nothing was changed",
    });
  });

  it("tells load balancers and Prometheus how it is, however they call it", async () => {
    for (const path of ["/healthz", "/readyz", "/readyz?verbose", "/metrics"]) {
      expect(await answerFor("gateway-1.elsewhere:9090", path), path).toMatchObject({ status: 200 });
    }
    for (const path of ["/healthz/../api/v1/apps", "/healthz/", "//healthz", "/openapi.json"]) {
      expect(await answerFor("gateway-1.elsewhere:9090", path), path).toMatchObject({ status: 421 });
    }
    expect(await rawAnswer("GET /healthz HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await rawAnswer("GET /api/v1/apps HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 421 /);
  });

  it.each([
    ["localhost:9090", NAMED, true],
    ["LOCALHOST", NAMED, true],
    ["127.8.9.1", NAMED, true],
    ["[0:0::1]:9090", NAMED, true],
    ["admin.internal:9090", NAMED, true],
    ["10.1.2.3:9090", NAMED, false],
    ["10.1.2.3:9090", BOUND, true],
    ["[::ffff:10.1.2.3]:9090", BOUND, true],
    ["10.1.2.4:9090", BOUND, false],
    ["192.0.2.7", BOUND, true],
    ["[2001:DB8:0::7]", BOUND, true],
    ["HALFTONE.example.com", BOUND, true],
    ["evil.halftone.example.com", BOUND, false],
    ["[fd00::1]:9090", BOUND, false],
    ["[fd00::1]:9090", EVERYWHERE, true],
    ["203.0.113.9", EVERYWHERE, true],
    ["admin.internal", EVERYWHERE, false],
    ["localhost", SOCKET, true],
    ["203.0.113.9", SOCKET, false],
    ["evil.example", NAMED, false],
    ["localhost.evil.example", NAMED, false],
    ["0x7f.1", EVERYWHERE, false],
    ["2130706433", EVERYWHERE, false],
    ["127.1", EVERYWHERE, false],
    ["localhost.", EVERYWHERE, false],
    ["", EVERYWHERE, false],
    ["[::1", EVERYWHERE, false],
    ["localhost:9090:1", EVERYWHERE, false],
    ["evil.example@localhost", EVERYWHERE, false],
  ])("judges Host %j at %j: %j", (host, hosts, expected) => {
    expect(isAdminHost(host, hosts)).toBe(expected);
  });

  it("says under which names it is known", () => {
    const words = "or what admin.hosts of halftone.yaml names";
    expect(adminHostsText(NAMED)).toBe(`localhost, Admin.Internal, ${words} (nothing so far)`);
    expect(adminHostsText(BOUND)).toMatch(
      `localhost, Admin.Internal, 10.1.2.3, ${words} (halftone.example.com,`,
    );
    expect(adminHostsText(EVERYWHERE)).toBe(`localhost, any IP address, ${words} (nothing so far)`);
    expect(adminHostsText(SOCKET)).toBe(`localhost, ${words} (nothing so far)`);
  });

  it("says which address cannot be had", async () => {
    const listen = { kind: "tcp", host: "127.0.0.1", port: Number(new URL(admin.url).port) } as const;
    const api = { fetch: () => new Response() };
    await expect(startAdminServer({ listen, hosts: [], api })).rejects.toThrow(`127.0.0.1:${listen.port}`);
  });

  it("listens on a unix socket", async () => {
    const path = join(admin.folder, "admin.sock");
    const api = { fetch: () => new Response("here") };
    const server = await startAdminServer({ listen: { kind: "unix", path }, hosts: [], api });
    expect(server.url).toBe(`unix:${path}`);
    expect((await stat(path)).isSocket()).toBe(true);
    await server.close();
  });
});
