import { linkSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { AddressGuard } from "./address-guard.ts";

const tcp = (host: string, port: number) => ({ kind: "tcp", host, port }) as const;

describe("AddressGuard", () => {
  it("refuses the gateway's own listeners, however their address is written", () => {
    const guard = new AddressGuard([tcp("127.0.0.1", 8080), tcp("::1", 9090)], []);
    expect(guard.refusalOf("127.0.0.1", 8080)).toBe("127.0.0.1:8080 is this gateway itself");
    expect(guard.refusalOf("::ffff:127.0.0.1", 8080)).toContain("this gateway itself");
    expect(guard.refusalOf("::ffff:7f00:1", 8080)).toContain("this gateway itself");
    expect(guard.refusalOf("0:0:0:0:0:0:0:1", 9090)).toBe("[::1]:9090 is this gateway itself");
    expect(guard.refusalOf("127.0.0.1", 9090)).toBeUndefined();
    expect(guard.refusalOf("127.0.0.2", 8080)).toBeUndefined();
    expect(guard.refusalOf("10.0.0.1", 8080)).toBeUndefined();
    const configured = new AddressGuard([tcp("::ffff:127.0.0.1", 8080), tcp("0:0:0:0:0:0:0:1", 9090)], []);
    expect(configured.refusalOf("127.0.0.1", 8080)).toContain("this gateway itself");
    expect(configured.refusalOf("::1", 9090)).toContain("this gateway itself");
  });

  it("knows every address of the machine for its own when it listens on all of them", () => {
    const addresses = Object.values(networkInterfaces()).flatMap((list = []) => list);
    const external = addresses.filter(({ internal, family }) => !internal && family === "IPv4");
    for (const all of ["0.0.0.0", "::"]) {
      const guard = new AddressGuard([tcp(all, 8080)], []);
      for (const own of ["127.0.0.1", "127.8.9.10", "::ffff:127.0.0.1", ...external.map((a) => a.address)]) {
        expect(guard.refusalOf(own, 8080)).toContain("this gateway itself");
        expect(guard.refusalOf(own, 8081)).toBeUndefined();
      }
      expect(guard.refusalOf("192.0.2.1", 8080)).toBeUndefined();
    }
    expect(new AddressGuard([tcp("::", 8080)], []).refusalOf("::1", 8080)).toContain("this gateway itself");
    expect(new AddressGuard([tcp("0.0.0.0", 8080)], []).refusalOf("::1", 8080)).toBeUndefined();
  });

  it("refuses addresses at which no server stands, unless they are allowed", () => {
    const guard = new AddressGuard([tcp("169.254.10.9", 80)], ["169.254.10.0/24"]);
    expect(guard.refusalOf("169.254.169.254", 80)).toMatch(/metadata/);
    expect(guard.refusalOf("::ffff:169.254.169.254", 80)).toMatch(/metadata/);
    expect(guard.refusalOf("fe80::1%eth0", 80)).toMatch(/link-local/);
    expect(guard.refusalOf("0.0.0.0", 80)).toMatch(/unspecified/);
    expect(guard.refusalOf("::", 80)).toMatch(/unspecified/);
    expect(guard.refusalOf("169.254.10.1", 80)).toBeUndefined();
    // What is allowed are addresses of servers; this is none.
    expect(guard.refusalOf("169.254.10.9", 80)).toContain("this gateway itself");
    expect(guard.refusalOf("no-address", 80)).toBeDefined();
  });

  it("leaves names to what they lead to", () => {
    const guard = new AddressGuard([tcp("127.0.0.1", 8080)], []);
    expect(guard.refusal({ kind: "name", host: "localhost", port: 8080 })).toBeUndefined();
    expect(guard.refusal({ kind: "ip", host: "127.0.0.1", port: 8080 })).toBeDefined();
  });

  it("knows its own unix socket through links", () => {
    const folder = mkdtempSync(join(tmpdir(), "halftone-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = (name: string): string => join(folder, name);
    writeFileSync(path("own.sock"), "");
    writeFileSync(path("other.sock"), "");
    symlinkSync(path("own.sock"), path("symbolic"));
    linkSync(path("own.sock"), path("hard"));
    const guard = new AddressGuard([{ kind: "unix", path: path("own.sock") }], []);
    const refusal = (name: string) => guard.refusal({ kind: "unix", path: `${folder}/${name}` });
    for (const name of ["own.sock", "./own.sock", "symbolic", "hard"])
      expect(refusal(name)).toContain("this gateway itself");
    expect(refusal("other.sock")).toBeUndefined();
    expect(refusal("missing.sock")).toBeUndefined();
  });
});
