import { request } from "node:http";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAdmin, type RunningAdmin } from "../../test/admin/running-admin.ts";
import { isAdminHost } from "./admin-host.ts";
import { startAdminServer } from "./admin-server.ts";

let admin: RunningAdmin;
beforeAll(async () => {
  admin = await runAdmin();
});
afterAll(() => admin.stop());

function statusFor(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(admin.url);
    const options = { host: "127.0.0.1", port, path: "/healthz", headers: { Host: host } };
    request(options, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

describe("the admin listener", () => {
  it("refuses the names of others (DNS rebinding), over the wire", async () => {
    expect(await statusFor("127.0.0.1:9090")).toBe(200);
    expect(await statusFor("localhost")).toBe(200);
    expect(await statusFor("[::1]:9090")).toBe(200);
    expect(await statusFor("evil.example")).toBe(421);
    expect(await statusFor("127.0.0.1.evil.example:9090")).toBe(421);
  });

  it.each([
    ["localhost:9090", true],
    ["LOCALHOST", true],
    ["10.1.2.3:9090", true],
    ["[fd00::1]:9090", true],
    ["admin.internal:9090", true],
    ["evil.example", false],
    ["localhost.evil.example", false],
    ["0x7f.1", false],
    ["2130706433", false],
    ["127.1", false],
    ["localhost.", false],
    ["", false],
    ["[::1", false],
    ["localhost:9090:1", false],
    ["evil.example@localhost", false],
  ])("judges Host %j: %j", (host, expected) => {
    expect(isAdminHost(host, { kind: "tcp", host: "Admin.Internal", port: 9090 })).toBe(expected);
  });

  it("says which address cannot be had", async () => {
    const listen = { kind: "tcp", host: "127.0.0.1", port: Number(new URL(admin.url).port) } as const;
    const api = { fetch: () => new Response() };
    await expect(startAdminServer({ listen, api })).rejects.toThrow(`127.0.0.1:${listen.port}`);
  });

  it("listens on a unix socket", async () => {
    const path = join(admin.folder, "admin.sock");
    const api = { fetch: () => new Response("here") };
    const server = await startAdminServer({ listen: { kind: "unix", path }, api });
    expect(server.url).toBe(`unix:${path}`);
    expect((await stat(path)).isSocket()).toBe(true);
    await server.close();
  });
});
