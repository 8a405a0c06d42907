import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { compileApp } from "../../src/config/compile-app.ts";
import { AddressGuard } from "../../src/gateway/address-guard.ts";
import { HealthChecker } from "../../src/gateway/health-checker.ts";
import { proxyHeader, readProxyHeader } from "../../src/http1/proxy-header.ts";
import {
  app,
  eventually,
  get,
  ok,
  Peer,
  serve,
  split,
  startGateway,
  take,
  upstream,
  type GatewayUnderTest,
  type GatewayWish,
  type Upstream,
} from "./harness.ts";

const V1 = "PROXY TCP4 192.0.2.7 203.0.113.1 54321 443\r\n";
const CONNECTION = {
  source: { address: "192.0.2.7", port: 54_321 },
  destination: { address: "203.0.113.1", port: 443 },
};
const V2 = Buffer.from(proxyHeader("v2", CONNECTION)).toString("latin1");
/** The peer that is believed in these tests. */
const BALANCER = "127.0.0.9";

async function behindBalancer(
  wish: GatewayWish = {},
): Promise<{ under: GatewayUnderTest; server: Upstream }> {
  const server = await upstream(serve(ok()));
  const under = await startGateway({
    proxyProtocol: [`${BALANCER}/32`],
    apps: [app([server.address])],
    ...wish,
  });
  return { under, server };
}

describe("connections of peers that send a PROXY header", () => {
  it.each([
    ["version 1", V1],
    ["version 2", V2],
  ])("are the client's that it names: %s", async (_, header) => {
    const { under, server } = await behindBalancer();
    const client = await under.client(BALANCER);
    client.send(header + get("/1"));
    expect((await client.message()).status).toBe(200);
    client.send(get("/2", "X-Forwarded-For: 6.6.6.6\r\n"));
    expect((await client.message()).status).toBe(200);
    expect(server.requests.map((request) => request.field("x-forwarded-for"))).toEqual([
      "192.0.2.7",
      "192.0.2.7",
    ]);
  });

  it.each([
    ["version 1", V1],
    ["version 2", V2],
  ])("may bring it byte by byte, and HTTP in the same segment: %s", async (_, header) => {
    const { under, server } = await behindBalancer();
    const slow = await under.client(BALANCER);
    for (const byte of header) {
      slow.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    slow.send(get("/slow"));
    expect((await slow.message()).status).toBe(200);
    for (const cut of [1, header.length - 1, header.length, header.length + 1, header.length + 20]) {
      const client = await under.client(BALANCER);
      const all = header + get(`/${cut}`);
      client.send(all.slice(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(all.slice(cut));
      expect((await client.message()).status).toBe(200);
    }
    expect(new Set(server.requests.map((request) => request.field("x-forwarded-for")))).toEqual(
      new Set(["192.0.2.7"]),
    );
    expect(server.requests).toHaveLength(6);
  });

  it("may end right behind the request", async () => {
    const { under } = await behindBalancer();
    const client = await under.client(BALANCER);
    client.send(V1 + get());
    client.end();
    expect((await client.message()).status).toBe(200);
    await client.gone();
  });

  it("make testers of whom the header names, and not of the balancer", async () => {
    const [old, fresh] = [await upstream(serve(ok("old"))), await upstream(serve(ok("new")))];
    const under = await startGateway({
      proxyProtocol: [BALANCER],
      apps: [split([old.address], [fresh.address], { testers: ["192.0.2.7"] })],
    });
    expect((await under.ask(V1 + get(), BALANCER)).body).toBe("new");
    expect((await under.ask(V1.replace("2.7", "2.8") + get(), BALANCER)).body).toBe("old");
    expect((await under.ask(`PROXY UNKNOWN\r\n${get()}`, BALANCER)).body).toBe("old");
  });

  it("are believed what they forward only if the one they name is a trusted proxy", async () => {
    const { under, server } = await behindBalancer({ trustedProxies: ["192.0.2.7"] });
    const forwarded = get("/", "X-Forwarded-For: 198.51.100.1\r\n");
    await under.ask(V1 + forwarded, BALANCER);
    await under.ask(V1.replace("2.7", "2.8") + forwarded, BALANCER);
    expect(server.requests.map((request) => request.field("x-forwarded-for"))).toEqual([
      "198.51.100.1, 192.0.2.7",
      "192.0.2.8",
    ]);
  });

  it("keep their own address when the header speaks for nobody", async () => {
    const { under, server } = await behindBalancer();
    const local = Buffer.from(proxyHeader("v2", undefined)).toString("latin1");
    for (const header of ["PROXY UNKNOWN\r\n", local]) await under.ask(header + get(), BALANCER);
    expect(server.requests.map((request) => request.field("x-forwarded-for"))).toEqual([BALANCER, BALANCER]);
  });

  it.each([
    ["none", get()],
    ["a malformed one", `PROXY TCP4 192.0.2.7 203.0.113.1 1\r\n${get()}`],
    ["one that is too long", `PROXY UNKNOWN ${"x".repeat(200)}`],
    ["a version 2 that is too long", `${V2.slice(0, 14)}\xff\xff`],
  ])("are closed without a word when they bring %s", async (_, bytes) => {
    const { under, server } = await behindBalancer();
    const client = await under.client(BALANCER);
    client.send(bytes);
    await client.gone();
    expect(client.received).toBe("");
    expect(server.requests).toEqual([]);
    expect(under.gateway.counters).toMatchObject({ proxyHeaders: 1, connections: 0 });
  });

  it("are closed when it does not come, or stops", async () => {
    const { under } = await behindBalancer({ timeouts: { header: 100 } });
    const [silent, slow, ended] = [
      await under.client(BALANCER),
      await under.client(BALANCER),
      await under.client(BALANCER),
    ];
    slow.send(V1.slice(0, 20));
    ended.send(V1.slice(0, 20));
    ended.end();
    await Promise.all([silent.gone(), slow.gone(), ended.gone()]);
    expect(under.gateway.counters).toMatchObject({ proxyHeaders: 3, connections: 0 });
  });

  it("do not take a second header for one", async () => {
    const { under } = await behindBalancer();
    expect((await under.ask(V1 + V1 + get(), BALANCER)).status).toBe(400);
    expect((await under.ask(V2 + V2 + get(), BALANCER)).status).toBe(400);
  });

  it("are those of a unix socket when this machine is listed", async () => {
    const { under, server } = await behindBalancer({ unix: true, proxyProtocol: ["127.0.0.1"] });
    expect((await under.ask(V1 + get())).status).toBe(200);
    expect(server.requests[0]?.field("x-forwarded-for")).toBe("192.0.2.7");
  });

  it("count as connections, and end with the gateway", async () => {
    const { under } = await behindBalancer();
    const client = await under.client(BALANCER);
    client.send(V1.slice(0, 5));
    await eventually(() => under.gateway.counters.connections === 1, "the connection");
    under.gateway.destroy();
    await client.gone();
    expect(under.gateway.counters.connections).toBe(0);
  });
});

describe("connections of all other peers", () => {
  it("cannot say who they are", async () => {
    const { under, server } = await behindBalancer();
    expect((await under.ask(V1 + get(), "127.0.0.8")).status).toBe(400);
    expect((await under.ask(V2 + get(), "127.0.0.8")).status).toBe(400);
    expect((await under.ask(get(), "127.0.0.8")).status).toBe(200);
    expect(server.requests.map((request) => request.field("x-forwarded-for"))).toEqual(["127.0.0.8"]);
    expect(under.gateway.counters.proxyHeaders).toBe(0);
  });
});

/** Reads the PROXY header of a connection, then serves HTTP. */
function serveProxied(headers: unknown[]): (peer: Peer) => Promise<void> {
  return async (peer) => {
    await peer.until(
      ({ received }) => readProxyHeader(Buffer.from(received, "latin1")).kind !== "incomplete",
      "a header",
    );
    const header = readProxyHeader(Buffer.from(peer.received, "latin1"));
    headers.push(header.kind === "complete" ? (header.connection ?? "nobody") : header);
    if (header.kind !== "complete") return;
    peer.received = peer.received.slice(header.length);
    for (;;) {
      await take(peer);
      peer.send(ok());
    }
  };
}

describe("servers of an app with proxyProtocol", () => {
  it.each(["v1", "v2"] as const)("are told whose connection it is: %s", async (proxyProtocol) => {
    const headers: unknown[] = [];
    const server = await upstream(serveProxied(headers));
    const under = await startGateway({ apps: [app([server.address], { proxyProtocol })] });
    const client = await under.client("127.0.0.5");
    client.send(get());
    expect((await client.message()).status).toBe(200);
    const { localPort } = client.socket;
    const destination = { address: under.host, port: under.port };
    expect(headers).toEqual([{ source: { address: "127.0.0.5", port: localPort }, destination }]);
  });

  it("are told who the client of a trusted proxy is, and what a PROXY header said", async () => {
    const headers: unknown[] = [];
    const server = await upstream(serveProxied(headers));
    const under = await startGateway({
      trustedProxies: ["127.0.0.5"],
      proxyProtocol: [BALANCER],
      apps: [app([server.address], { proxyProtocol: "v2" })],
    });
    await under.ask(get("/", "X-Forwarded-For: 2001:db8::9\r\n"), "127.0.0.5");
    await under.ask(V1 + get(), BALANCER);
    const destination = { address: under.host, port: under.port };
    expect(headers).toEqual([{ source: { address: "2001:db8::9", port: 0 }, destination }, CONNECTION]);
  });

  it("see no request of another client on a connection", async () => {
    const headers: unknown[] = [];
    const server = await upstream(serveProxied(headers));
    const under = await startGateway({ apps: [app([server.address], { proxyProtocol: "v1" })] });
    const [one, two] = [await under.client("127.0.0.5"), await under.client("127.0.0.6")];
    for (const client of [one, two, one, two]) {
      client.send(get());
      await client.message();
    }
    const addresses = headers.map((header) => (header as typeof CONNECTION).source.address);
    expect(new Set(addresses)).toEqual(new Set(["127.0.0.5", "127.0.0.6"]));
    for (const peer of server.peers) await peer.gone();
  });

  it("get no connection from before or after the app asked for it", async () => {
    const received: string[] = [];
    const server = await upstream(async (peer, index) => {
      for (;;) {
        await peer.until(({ received }) => received.includes("\r\n\r\n"), "a request");
        received[index] = (received[index] ?? "") + peer.received;
        peer.received = "";
        peer.send(ok());
      }
    });
    const under = await startGateway();
    for (const [revision, more] of [{}, { proxyProtocol: "v1" } as const, {}].entries()) {
      under.gateway.putApp({ name: "shop", revision, document: app([server.address], more) });
      expect((await under.ask(get())).status).toBe(200);
    }
    // The first and the last may share a connection: both began with HTTP.
    const proxied = received.filter((bytes) => bytes.startsWith("PROXY "));
    expect(proxied).toHaveLength(1);
    expect(proxied[0]!.match(/GET \//g)).toHaveLength(1);
    expect(received.join("").match(/GET \//g)).toHaveLength(3);
    expect(received.join("").match(/PROXY /g)).toHaveLength(1);
  });

  it("are sent the header anew with each try", async () => {
    const headers: unknown[] = [];
    const broken = await upstream(async (peer) => {
      await peer.text("\r\n\r\n");
      peer.socket.destroy();
    });
    const server = await upstream(serveProxied(headers));
    const under = await startGateway({
      apps: [app([broken.address, server.address], { proxyProtocol: "v1" })],
    });
    for (let i = 0; i < 2; i++) expect((await under.ask(get(), "127.0.0.5")).status).toBe(200);
    expect(headers).toHaveLength(2);
    expect(broken.peers[0]?.received).toMatch(/^PROXY TCP4 127\.0\.0\.5 /);
  });

  it("are told UNKNOWN of a client on a unix socket", async () => {
    const headers: unknown[] = [];
    const server = await upstream(serveProxied(headers));
    const under = await startGateway({ unix: true, apps: [app([server.address], { proxyProtocol: "v1" })] });
    expect((await under.ask(get())).status).toBe(200);
    expect(headers).toEqual(["nobody"]);
  });

  it.each(["v1", "v2"] as const)("are checked on nobody's behalf: %s", async (proxyProtocol) => {
    const headers: unknown[] = [];
    const server = await upstream(serveProxied(headers));
    const check = { path: "/", interval: "5ms", timeout: "5s" };
    const checker = new HealthChecker(
      () => {},
      () => new AddressGuard([], []),
    );
    onTestFinished(() => checker.stop());
    checker.follow(compileApp(app([server.address], { proxyProtocol, health: { check } }), 1));
    await eventually(() => server.requests.length >= 2, "two checks");
    expect(headers.slice(0, 2)).toEqual(["nobody", "nobody"]);
  });
});

async function listening(
  run: (port: number) => { readonly command: string; readonly args: readonly string[] },
): Promise<number> {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const { command, args } = run(port);
  const child = spawn(command, args, { stdio: "ignore" });
  onTestFinished(async () => {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGTERM")) await gone;
  });
  let up = false;
  while (!up) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    up = await new Promise((resolve) => {
      const probe = connect(port, "127.0.0.1", () => resolve(true));
      probe.once("error", () => resolve(false));
      probe.once("close", () => resolve(false));
      probe.end();
    });
    if (!up) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return port;
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "halftone-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** nginx in the foreground, without privileges; `main` stands beside the http block. */
function nginx(port: number, http: string, main: string = "") {
  const base = folder();
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${base}/${kind};`,
  );
  writeFileSync(
    join(base, "nginx.conf"),
    `daemon off; master_process off; pid ${base}/pid; error_log ${base}/error.log; events {} ${main}
     http { access_log off; ${temps.join(" ")} ${http.replaceAll("PORT", String(port))} }`,
  );
  return {
    command: "nginx",
    args: ["-p", base, "-c", join(base, "nginx.conf"), "-e", join(base, "error.log")],
  };
}

async function asked(port: number, localAddress: string): Promise<{ status: number; body: string }> {
  const peer = new Peer(connect({ port, host: "127.0.0.1", localAddress }));
  onTestFinished(() => void peer.socket.destroy());
  peer.send(`GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
  return await peer.message();
}

const NGINX = existsSync("/usr/sbin/nginx");
const HAPROXY = existsSync("/usr/sbin/haproxy");

describe.skipIf(!NGINX)("with nginx", () => {
  it.each(["v1", "v2"] as const)("it reads what the gateway sends: %s", async (proxyProtocol) => {
    const port = await listening((port) =>
      nginx(
        port,
        `server { listen 127.0.0.1:PORT proxy_protocol; location / { return 200
          "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port"; } }`,
      ),
    );
    const under = await startGateway({ apps: [app([`127.0.0.1:${port}`], { proxyProtocol })] });
    const client = await under.client("127.0.0.5");
    client.send(get());
    const answer = await client.message();
    expect(answer.body).toBe(`127.0.0.5 ${client.socket.localPort} ${under.host} ${under.port}`);
  });
});

describe.skipIf(!HAPROXY)("with HAProxy", () => {
  it.each(["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"])(
    "the gateway reads what it sends: %s",
    async (how) => {
      const { under, server } = await behindBalancer({ proxyProtocol: ["127.0.0.1"] });
      const port = await listening((port) => {
        const file = join(folder(), "haproxy.cfg");
        writeFileSync(
          file,
          `defaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n` +
            `frontend f\n bind 127.0.0.1:${port}\n unique-id-format %pid-%rt\n default_backend b\n` +
            `backend b\n server s ${under.host}:${under.port} ${how} source 127.0.0.1\n`,
        );
        return { command: "haproxy", args: ["-f", file, "-db"] };
      });
      expect((await asked(port, "127.0.0.5")).status).toBe(200);
      expect(server.requests[0]?.field("x-forwarded-for")).toBe("127.0.0.5");
    },
  );
});
