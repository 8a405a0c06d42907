import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { compileApp } from "../../src/config/compile-app.ts";
import { AddressGuard } from "../../src/gateway/address-guard.ts";
import { HealthChecker } from "../../src/gateway/health-checker.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { listenText } from "../../src/gateway/listener.ts";
import { app, get, LIMITS, ok, post, serve, startGateway, TIMEOUTS, upstream } from "./harness.ts";

/** A listener that must never be connected to: it counts who does. */
async function forbidden(host: string, port: number = 0) {
  const reached = { connections: 0, port: 0 };
  const server = createServer((socket) => {
    reached.connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  onTestFinished(() => void server.close());
  reached.port = (server.address() as AddressInfo).port;
  return reached;
}

describe("a server at the gateway's own address", () => {
  it("is refused, however it is written", async () => {
    const admin = await forbidden("127.0.0.1");
    const under = await startGateway({ reserved: [{ kind: "tcp", host: "127.0.0.1", port: admin.port }] });
    const own = [`${under.host}:${under.port}`, `[::ffff:${under.host}]:${under.port}`];
    const others = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"];
    for (const address of [...own, ...others.map((host) => `${host}:${admin.port}`)]) {
      under.gateway.putApp({ name: "shop", revision: 1, document: app([address]) });
      const answer = await under.ask(get());
      expect({ address, status: answer.status }).toEqual({ address, status: 502 });
      expect(answer.field("x-halftone-error")).toBe("server_refused");
      const [server] = under.gateway.servers("shop");
      expect(server?.lastError).toMatch(/^server_refused: .*is this gateway itself/);
    }
    expect(admin.connections).toBe(0);
    // None of the requests came in a second time.
    expect(under.gateway.counters.requests).toBe(own.length + others.length);
  });

  it("is refused on every address of the machine when the listener takes all", async () => {
    const admin = await forbidden("0.0.0.0");
    const under = await startGateway({ reserved: [{ kind: "tcp", host: "0.0.0.0", port: admin.port }] });
    for (const host of ["127.0.0.1", "127.9.9.9", "0.0.0.0", "[::]", "localhost"]) {
      under.gateway.putApp({ name: "shop", revision: 1, document: app([`${host}:${admin.port}`]) });
      expect((await under.ask(get())).field("x-halftone-error")).toBe("server_refused");
    }
    expect(admin.connections).toBe(0);
  });

  it("is refused at its unix socket", async () => {
    const under = await startGateway({ unix: true });
    const [listening] = under.gateway.bound;
    const path = listening?.kind === "unix" ? listening.path : "";
    for (const address of [`unix:${path}`, `unix:${path.replace("/gateway.sock", "/./gateway.sock")}`]) {
      under.gateway.putApp({ name: "shop", revision: 1, document: app([address]) });
      expect((await under.ask(get())).field("x-halftone-error")).toBe("server_refused");
    }
    expect(under.gateway.counters.requests).toBe(2);
  });

  it("is refused from the reload on that brings the listener", async () => {
    const [first, second] = ["127.0.4.252", "127.0.4.253"].map((host) => ({
      address: { kind: "tcp", host, port: 0 } as const,
    }));
    const settings = {
      listen: [first!],
      via: "halftone-test",
      forwarded: false,
      trustedProxies: [],
      allowServers: [],
      timeouts: TIMEOUTS,
      limits: LIMITS,
    };
    const gateway = new Gateway(settings);
    onTestFinished(() => gateway.destroy());
    await gateway.listen();
    await gateway.reconfigure({ ...settings, listen: [first!, second!] });
    const [here, added] = gateway.bound.map(listenText);
    gateway.putApp({ name: "shop", revision: 1, document: app([added!]) });
    const answer = await fetch(`http://${here}/`);
    expect(answer.headers.get("x-halftone-error")).toBe("server_refused");
    expect(gateway.counters.requests).toBe(1);
  });
});

describe("a server where none stands", () => {
  it.each([
    "169.254.169.254",
    "169.254.1.1",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[::ffff:a9fe:a9fe]",
    "224.0.0.1",
  ])("is refused: %s", async (address) => {
    const under = await startGateway({ apps: [app([address])], timeouts: { connect: 8000 } });
    const answer = await under.ask(get());
    expect(answer.field("x-halftone-error")).toBe("server_refused");
  });

  it("is connected to when it is allowed, unless it is the gateway itself", async () => {
    const allowed = await forbidden("127.0.0.1");
    const admin = await forbidden("127.0.0.1");
    const under = await startGateway({
      allowServers: ["0.0.0.0/8", "127.0.0.0/8"],
      reserved: [{ kind: "tcp", host: "127.0.0.1", port: admin.port }],
    });
    const ask = async (address: string) => {
      under.gateway.putApp({ name: "shop", revision: 1, document: app([address]) });
      return (await under.ask(get())).field("x-halftone-error");
    };
    // On Linux a connection to 0.0.0.0 arrives at loopback.
    expect(await ask(`0.0.0.0:${allowed.port}`)).toBe("server_cut");
    expect(await ask(`127.0.0.1:${admin.port}`)).toBe("server_refused");
    expect(await ask(`0.0.0.0:${admin.port}`)).toBe("server_refused");
    expect({ allowed: allowed.connections, admin: admin.connections }).toEqual({ allowed: 1, admin: 0 });
  });
});

describe("a refused server", () => {
  it("costs its requests nothing, nor its own health, and is told once", async () => {
    const errors: string[] = [];
    const server = await upstream(serve(ok()));
    const under = await startGateway({
      apps: [app(["169.254.169.254", server.address], { retry: { tries: 1 } })],
      events: { onError: (error) => errors.push(error.message) },
    });
    for (let i = 0; i < 4; i++) {
      expect((await under.ask(get())).status).toBe(200);
      expect((await under.ask(post("x"))).status).toBe(200);
    }
    expect(under.server("169.254.169.254:80")).toMatchObject({
      deadUntil: null,
      lastError: "server_refused: 169.254.169.254 is the address of a cloud's metadata service",
    });
    expect(errors).toEqual([
      "app shop: server 169.254.169.254:80 is not connected to: " +
        "server_refused: 169.254.169.254 is the address of a cloud's metadata service",
    ]);
  });

  it("is not asked by checks either", async () => {
    const admin = await forbidden("127.0.0.1");
    const guard = new AddressGuard([{ kind: "tcp", host: "127.0.0.1", port: admin.port }], []);
    const check = { path: "/up", interval: "5ms", timeout: "5s", unhealthy: 1 };
    for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"]) {
      const error = await new Promise<string>((resolve) => {
        const checker = new HealthChecker(
          (finding) => resolve(finding.error),
          () => guard,
        );
        onTestFinished(() => checker.stop());
        checker.follow(compileApp(app([`${host}:${admin.port}`], { health: { check } }), 1));
      });
      expect(error).toMatch(/^check \/up: not connected to: .*is this gateway itself/);
    }
    expect(admin.connections).toBe(0);
  });
});

describe("the field Proxy", () => {
  it("does not reach servers: httpoxy, CVE-2016-5385", async () => {
    const server = await upstream(serve(ok()));
    const under = await startGateway({ apps: [app([server.address])], trustedProxies: ["127.0.0.1"] });
    for (const name of ["Proxy", "PROXY", "proxy"])
      expect((await under.ask(get("/", `${name}: http://evil.test\r\n`))).status).toBe(200);
    for (const request of server.requests) expect(request.field("proxy")).toBeUndefined();
    expect(server.requests).toHaveLength(3);
  });
});
