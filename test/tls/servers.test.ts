import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { ConnectionOptions, TlsOptions } from "node:tls";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { AppDocument } from "../../src/config/app-document.ts";
import { compileApp } from "../../src/config/compile-app.ts";
import { AddressGuard } from "../../src/gateway/address-guard.ts";
import { HealthChecker } from "../../src/gateway/health-checker.ts";
import type { CheckFinding } from "../../src/gateway/server-status.ts";
import { ServerTlsTable } from "../../src/gateway/tls-servers.ts";
import { app, eventually, get, ok, post, upstream } from "../gateway/harness.ts";
import { Authority, replaceBy, temporaryFolder, type MadeCertificate } from "./certificates.ts";
import {
  large,
  secureUpstream,
  serveSecurely,
  startSecureGateway,
  type SecureGateway,
} from "./secure-gateway.ts";

const folder = temporaryFolder(afterAll);
const authority = new Authority(folder);
const strangers = new Authority(folder, "strangers");
const inner = authority.issue("inner", { names: "DNS:shop.internal,IP:127.0.6.1" });
const own = authority.issue("gw", { subject: "/CN=gateway" });
const { ca } = authority;
const internal = { ca, serverName: "shop.internal", minVersion: "1.2" } as const;

function tlsApp(servers: readonly string[], more: Partial<AppDocument> = {}): AppDocument {
  return app(servers, { tls: "internal", ...more });
}

/** A plain listener before servers that are spoken to as `internal` says. */
function before(servers: readonly string[], more: Partial<AppDocument> = {}): Promise<SecureGateway> {
  return startSecureGateway({ serverTls: { internal }, apps: [tlsApp(servers, more)] });
}

async function ask(
  gateway: SecureGateway,
  request: string = get(),
): Promise<{ status: number; body: string; code: string | undefined }> {
  const peer = await gateway.plain();
  peer.send(request);
  const answer = await peer.message();
  peer.socket.destroy();
  return { status: answer.status, body: answer.body, code: answer.field("x-halftone-error") };
}

describe("servers", () => {
  it("are verified by an authority and a name of ours, asked for it by SNI, and their connections kept", async () => {
    const server = await secureUpstream({ certificate: inner }, serveSecurely(ok("served")));
    const gateway = await before([server.address]);
    for (let i = 0; i < 3; i++) expect(await ask(gateway)).toMatchObject({ status: 200, body: "served" });
    expect(server.asked).toEqual(["shop.internal"]);
    expect(server.connections()).toBe(1);
    expect(gateway.server(server.address)).toMatchObject({ failures: 0, lastError: null });
  });

  it("that refuse us by an alert after our side of the handshake say so in lastError", async () => {
    const options = `s_server -accept 127.0.6.20:0 -tls1_3 -www -Verify 1 -verify_return_error`.split(" ");
    const child = spawn("openssl", [...options, "-cert", inner.cert, "-key", inner.key, "-CAfile", ca]);
    onTestFinished(() => void child.kill());
    let printed = "";
    child.stdout.on("data", (text: Buffer) => (printed += text.toString()));
    const address = (): string | undefined => /^ACCEPT (\S+)$/m.exec(printed)?.[1];
    await eventually(() => address() !== undefined, "its address");
    const gateway = await before([address()!]);
    expect(await ask(gateway, post("paid"))).toMatchObject({ status: 502, code: "tls_failed" });
    expect(gateway.server(address()!).lastError).toContain("it wants a certificate of ours");
  });

  it("that are the gateway itself are not connected to, by address or by name", async () => {
    const admin = await secureUpstream({ certificate: inner }, serveSecurely(ok()), "127.0.0.1");
    const gateway = await before([]);
    const reserved = [{ kind: "tcp", host: "127.0.0.1", port: admin.port }] as const;
    await gateway.renew({ ...gateway.settings, reserved });
    for (const host of ["127.0.0.1", "localhost"]) {
      gateway.gateway.putApp({ name: "shop", revision: 1, document: tlsApp([`${host}:${admin.port}`]) });
      expect(await ask(gateway)).toMatchObject({ status: 502, code: "server_refused" });
    }
    expect(admin.connections()).toBe(0);
  });

  it("that close within the handshake's last step, without a word, have cut", async () => {
    const server = await secureUpstream({ certificate: inner }, (peer) => {
      peer.end();
      return Promise.resolve();
    });
    const gateway = await before([server.address]);
    expect(await ask(gateway, post("paid"))).toMatchObject({ status: 502, code: "server_cut" });
  });

  it("never hear a name that the client chose", async () => {
    const server = await secureUpstream({ certificate: inner }, serveSecurely(ok("served")));
    const gateway = await startSecureGateway({
      listen: { certificates: [inner] },
      serverTls: { internal },
      apps: [tlsApp([server.address])],
    });
    const peer = await gateway.client({
      ca: authority.pem,
      servername: "evil.test",
      checkServerIdentity: () => undefined,
    });
    peer.send(get());
    expect((await peer.message()).body).toBe("served");
    expect(server.asked).toEqual(["shop.internal"]);
  });

  it("are verified by the address where no name is given", async () => {
    const wish = { serverTls: { internal: { ca, minVersion: "1.2" } } } as const;
    const server = await secureUpstream({ certificate: inner }, serveSecurely(ok("served")), "127.0.6.1");
    expect(await ask(await startSecureGateway({ ...wish, apps: [tlsApp([server.address])] }))).toMatchObject({
      status: 200,
    });
    expect(server.asked).toEqual([false]);
    const other = await secureUpstream({ certificate: inner }, serveSecurely(ok("served")), "127.0.6.2");
    const gateway = await startSecureGateway({ ...wish, apps: [tlsApp([other.address])] });
    expect(await ask(gateway)).toMatchObject({ status: 502, code: "tls_failed" });
    expect(gateway.server(other.address).lastError).toContain(
      "for another name (DNS:shop.internal, IP Address:127.0.6.1, not 127.0.6.2)",
    );
  });

  it("are verified by the system's authorities and their own host names with `tls: true`", async () => {
    const local = authority.issue("local", { names: "DNS:localhost" });
    const server = await secureUpstream({ certificate: local }, serveSecurely(ok("served")), "127.0.0.1");
    vi.stubEnv("SSL_CERT_FILE", ca);
    try {
      const gateway = await startSecureGateway({ apps: [app([`localhost:${server.port}`], { tls: true })] });
      expect(await ask(gateway)).toMatchObject({ status: 200, body: "served" });
      expect(server.asked).toEqual(["localhost"]);
      vi.stubEnv("SSL_CERT_FILE", strangers.ca);
      const other = await startSecureGateway({ apps: [app([`localhost:${server.port}`], { tls: true })] });
      expect(await ask(other)).toMatchObject({ status: 502, code: "tls_failed" });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it.each<[string, () => MadeCertificate, RegExp]>([
    [
      "for another name",
      () => authority.issue("other", { names: "DNS:other.internal" }),
      /^tls_failed: its certificate is for another name \(DNS:other.internal, not shop.internal\)/,
    ],
    [
      "expired",
      () => authority.issue("past", { names: "DNS:shop.internal", days: -1 }),
      /^tls_failed: its certificate has expired/,
    ],
    [
      "of another authority",
      () => strangers.issue("strange", { names: "DNS:shop.internal" }),
      /^tls_failed: its certificate is of an unknown authority/,
    ],
    [
      "self-signed",
      () => ({ cert: strangers.ca, key: strangers.ca, pem: strangers.pem, keyPem: strangers.keyPem }),
      /^tls_failed: its certificate is self-signed/,
    ],
  ])(
    "whose certificate is %s get nothing of a request, and another one is asked instead",
    async (_what, made, why) => {
      const received: string[] = [];
      const bad = await secureUpstream({ certificate: made() }, async (peer) => {
        await peer.until(({ received: text, closed }) => text !== "" || closed, "something");
        received.push(peer.received);
      });
      const good = await secureUpstream({ certificate: inner }, serveSecurely(ok("served")));
      const gateway = await before([bad.address, good.address], {
        health: { maxFails: 100 },
        // As after a refused connection: nothing was sent, so it costs no try.
        retry: { tries: 1 },
      });
      for (let i = 0; i < 2; i++)
        expect(await ask(gateway, post("paid"))).toMatchObject({ status: 200, body: "served" });
      expect(gateway.server(bad.address)).toMatchObject({
        failures: expect.any(Number) as number,
        lastError: expect.stringMatching(why) as string,
      });
      expect(gateway.server(good.address).failures).toBe(0);
      expect(received.join("")).toBe("");
    },
  );

  it("that are unreachable, speak no TLS or stall within the handshake are told apart", async () => {
    const plain = await upstream(async (peer) => {
      await peer.until(({ received }) => received !== "", "a hello");
      peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    });
    const silent = await upstream(() => {});
    const hasty = await upstream(async (peer) => {
      await peer.until(({ received }) => received !== "", "a hello");
      peer.end();
    });
    const outcome = async (
      address: string,
    ): Promise<readonly [number, string | undefined, string | null]> => {
      const gateway = await startSecureGateway({
        serverTls: { internal },
        apps: [tlsApp([address])],
        timeouts: { connect: 500 },
      });
      const { status, code } = await ask(gateway);
      return [status, code, gateway.server(address).lastError];
    };
    expect(await outcome("127.0.6.9:1")).toEqual([502, "connect_failed", "connect_failed: ECONNREFUSED"]);
    expect(await outcome(plain.address)).toEqual([
      502,
      "tls_failed",
      expect.stringContaining("it does not speak TLS"),
    ]);
    expect(await outcome(hasty.address)).toEqual([
      502,
      "tls_failed",
      expect.stringContaining("closed the connection within the handshake"),
    ]);
    expect(await outcome(silent.address)).toEqual([504, "connect_timeout", expect.any(String)]);
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("that want a certificate of ours get it (%s)", async (version) => {
    const options = {
      requestCert: true,
      rejectUnauthorized: true,
      ca: authority.pem,
      minVersion: version,
      maxVersion: version,
    };
    const server = await secureUpstream({ certificate: inner, ...options }, serveSecurely(ok("served")));
    const shown = { ...internal, certificate: own };
    const gateway = await startSecureGateway({
      serverTls: { internal: shown },
      apps: [tlsApp([server.address])],
    });
    expect(await ask(gateway)).toMatchObject({ status: 200, body: "served" });
    expect(server.peers[0]!.shown).toBe("gateway");
    expect(await ask(await before([server.address]))).toMatchObject({ status: 502 });
  });

  it("are not spoken to in an older version than asked for", async () => {
    const server = await secureUpstream({ certificate: inner, maxVersion: "TLSv1.2" }, serveSecurely(ok()));
    const strict = { ...internal, minVersion: "1.3" } as const;
    const gateway = await startSecureGateway({
      serverTls: { internal: strict },
      apps: [tlsApp([server.address])],
    });
    expect(await ask(gateway)).toMatchObject({ status: 502, code: "tls_failed" });
    expect(gateway.server(server.address).lastError).toContain("no version of TLS that is allowed here");
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "are resumed with, until what verified them changes (%s)",
    async (version) => {
      const server = await secureUpstream(
        { certificate: inner, minVersion: version, maxVersion: version },
        async (peer) => {
          await peer.message();
          peer.send(ok("served", "Connection: close\r\n"));
          peer.end();
        },
      );
      const gateway = await before([server.address]);
      for (let i = 0; i < 3; i++) await ask(gateway);
      expect(server.resumed).toEqual([false, true, true]);
      await gateway.renew({
        ...gateway.settings,
        serverTls: { internal: { ...internal, ca: strangers.ca } },
      });
      expect(await ask(gateway)).toMatchObject({ status: 502, code: "tls_failed" });
    },
  );

  it("whose connection was made under other rules get no request on it", async () => {
    const server = await secureUpstream({ certificate: inner }, serveSecurely(ok("served")));
    const gateway = await before([server.address], { health: { maxFails: 100 } });
    expect(await ask(gateway)).toMatchObject({ status: 200 });
    await gateway.renew({ ...gateway.settings, serverTls: { internal: { ...internal, ca: strangers.ca } } });
    expect(await ask(gateway)).toMatchObject({ status: 502, code: "tls_failed" });
    gateway.gateway.putApp({ name: "shop", revision: 2, document: app([server.address]) });
    await expect(ask(gateway)).resolves.toMatchObject({
      status: 502,
      code: expect.stringMatching(/bad_response|server_cut/) as string,
    });
  });

  it("are shown a new certificate of ours when its files change", async () => {
    const place = authority.issue("gw-place", { subject: "/CN=before" });
    const options = { requestCert: true, rejectUnauthorized: true, ca: authority.pem };
    const server = await secureUpstream({ certificate: inner, ...options }, serveSecurely(ok("served")));
    const shown = { ...internal, certificate: place };
    const gateway = await startSecureGateway({
      serverTls: { internal: shown },
      apps: [tlsApp([server.address])],
    });
    await ask(gateway);
    replaceBy(place, authority.issue("gw-after", { subject: "/CN=after" }));
    await gateway.renew();
    await ask(gateway);
    expect(server.peers.map((peer) => peer.shown)).toEqual(["before", "after"]);
  });

  it("of an app whose `tls` names nothing are not asked at all, until it does", async () => {
    const server = await secureUpstream({ certificate: inner }, serveSecurely(ok("served")));
    const gateway = await startSecureGateway({ apps: [tlsApp([server.address])] });
    expect(await ask(gateway)).toMatchObject({ status: 503, code: "tls_unknown" });
    expect(gateway.server(server.address)).toMatchObject({ requests: 0, failures: 0 });
    await gateway.renew({ ...gateway.settings, serverTls: { internal } });
    expect(await ask(gateway)).toMatchObject({ status: 200, body: "served" });
  });

  it("on a unix socket need a name to be verified by", async () => {
    const path = `${folder}/app.sock`;
    const server = await secureUpstream({ certificate: inner }, serveSecurely(ok("served")), path);
    expect(server.address).toBe(`unix:${path}`);
    expect(await ask(await before([`unix:${path}`]))).toMatchObject({ status: 200, body: "served" });
    const nameless = { internal: { ca, minVersion: "1.2" } } as const;
    const gateway = await startSecureGateway({ serverTls: nameless, apps: [tlsApp([`unix:${path}`])] });
    expect(await ask(gateway)).toMatchObject({ status: 502, code: "tls_failed" });
    expect(gateway.server(`unix:${path}`).lastError).toContain("serverTls needs a serverName");
  });
});

describe("the latency that versions are compared by", () => {
  // A group with few requests has few connections that lie idle: its clients wait for handshakes more often.
  it("is not that of the handshake", async () => {
    const handshake = 2000;
    const SNICallback: TlsOptions["SNICallback"] = (_, done) => void setTimeout(() => done(null), handshake);
    const server = await secureUpstream({ certificate: inner, SNICallback }, serveSecurely(ok()));
    const slower = [handshake - 500, handshake - 500, handshake - 500];
    const gateway = await before([server.address], { tally: { window: "24h", slower } });
    expect((await ask(gateway)).status).toBe(200);
    expect(gateway.gateway.takeTallies().get("shop")?.windows).toMatchObject([
      { cells: { [server.address]: [1, 1, 0, 1, 0, 1, 0] } },
    ]);
  });
});

describe("bodies", () => {
  const big = randomBytes(3 * 1024 * 1024).toString("latin1");
  /** More than the kernel's buffers on both sides of the gateway hold together, though they grow (tcp_wmem, tcp_rmem). */
  const more = big.repeat(16);

  it("pass whole in both directions, TLS on both sides", async () => {
    const chunk = big.slice(0, 3000);
    const server = await secureUpstream({ certificate: inner }, async (peer) => {
      // The second request may come by a connection of its own, if this machine is busy for as long as idle ones are kept.
      for (;;) peer.send(ok((await peer.message()).body));
    });
    const gateway = await startSecureGateway({
      listen: { certificates: [inner] },
      serverTls: { internal },
      apps: [tlsApp([server.address])],
    });
    const peer = await gateway.client({ ca: authority.pem, servername: "shop.internal" });
    peer.send(post(big));
    expect((await large(peer, big.length)).body === big).toBe(true);
    const chunks = `${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(10);
    peer.send(`POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
    expect((await large(peer, 10 * chunk.length)).body === chunk.repeat(10)).toBe(true);
  });

  it("wait for a client that does not read", async () => {
    const server = await secureUpstream({ certificate: inner }, async (peer) => {
      await peer.message();
      peer.send(ok(more));
    });
    const gateway = await startSecureGateway({
      listen: { certificates: [inner] },
      serverTls: { internal },
      apps: [tlsApp([server.address])],
    });
    const peer = await gateway.client({ ca: authority.pem, servername: "shop.internal" });
    peer.socket.pause();
    peer.send(get());
    await eventually(() => server.peers.length === 1, "the server's connection");
    const sender = server.peers[0]!.socket;
    await eventually(() => sender.writableLength > 0, "a backlog at the server");
    await standsStill(() => sender.bytesWritten - sender.writableLength);
    expect(sender.writableLength).toBeGreaterThan(big.length);
    peer.socket.resume();
    expect((await large(peer, more.length)).body === more).toBe(true);
  });

  it("wait for a server that does not read", async () => {
    let resume = false;
    const server = await secureUpstream({ certificate: inner }, async (peer) => {
      peer.socket.pause();
      await eventually(() => resume, "the test");
      peer.socket.resume();
      peer.send(ok((await large(peer, more.length)).body.slice(-100)));
    });
    const gateway = await startSecureGateway({
      listen: { certificates: [inner] },
      serverTls: { internal },
      apps: [tlsApp([server.address])],
    });
    const peer = await gateway.client({ ca: authority.pem, servername: "shop.internal" });
    // In pieces, as a write is through only as a whole.
    peer.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${more.length}\r\n\r\n`);
    const bytes = Buffer.from(more, "latin1");
    for (let at = 0; at < bytes.length; at += 65_536) peer.socket.write(bytes.subarray(at, at + 65_536));
    await eventually(() => server.peers.length === 1, "the server's connection");
    await standsStill(() => peer.socket.writableLength);
    expect(peer.socket.writableLength).toBeGreaterThan(big.length);
    resume = true;
    expect((await peer.message()).body).toBe(big.slice(-100));
  });

  /** A hundred looks in a row that see the same. */
  async function standsStill(length: () => number): Promise<void> {
    let [last, looks] = [-1, 0];
    await eventually(() => {
      looks = length() === last ? looks + 1 : 0;
      last = length();
      return looks === 100;
    }, "it to be held");
  }
});

describe("an early answer", () => {
  it("is relayed even though its server resets the connection over the rest of the upload", async () => {
    const server = await secureUpstream({ certificate: inner }, async (peer) => {
      peer.socket.pause();
      await new Promise((resolve) => peer.socket.once("readable", resolve));
      peer.socket.end("HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nfull");
      peer.socket.once("finish", () => peer.socket.destroy());
    });
    const gateway = await before([server.address]);
    for (let i = 0; i < 5; i++) {
      const answer = await ask(gateway, post("x".repeat(8_000_000)));
      expect(answer).toMatchObject({ status: 413, body: "full" });
    }
    expect(gateway.server(server.address).failures).toBe(0);
  });
});

describe("a WebSocket", () => {
  it("runs over TLS on both sides, and its halves end one after the other", async () => {
    const server = await secureUpstream({ certificate: inner }, async (peer) => {
      await peer.message();
      peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello");
      await peer.text("ping");
      peer.send("pong");
      await peer.until(({ ended }) => ended, "the client's end");
      peer.send("bye");
      peer.end();
    });
    const gateway = await startSecureGateway({
      listen: { certificates: [inner] },
      serverTls: { internal },
      apps: [tlsApp([server.address])],
    });
    const halfOpen: ConnectionOptions & { allowHalfOpen: boolean } = {
      ca: authority.pem,
      servername: "shop.internal",
      allowHalfOpen: true,
    };
    const peer = await gateway.client(halfOpen);
    peer.send(
      get(
        "/",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n",
      ),
    );
    await peer.text("hello");
    peer.send("ping");
    await peer.text("pong");
    peer.end();
    await peer.text("bye");
    await peer.gone();
  });
});

describe("active checks", () => {
  it("speak TLS as requests do, and say what was wrong with it", async () => {
    const place = authority.issue("checked", { names: "DNS:other.internal" });
    const server = await secureUpstream({ certificate: inner }, serveSecurely(ok()));
    const wrong = await secureUpstream({ certificate: place }, serveSecurely(ok()));
    const found: CheckFinding[] = [];
    const read = { files: { [ca]: authority.pem }, ticketSecret: "" };
    const checker = new HealthChecker(
      (finding) => found.push(finding),
      () => new AddressGuard([], []),
      new ServerTlsTable({ internal }, read),
    );
    const check = { path: "/up", interval: "5ms", timeout: "5s", unhealthy: 1, healthy: 1 };
    checker.follow(compileApp(tlsApp([server.address, wrong.address], { health: { check } }), 1));
    await eventually(() => found.length === 1 && server.peers.length > 2, "checks");
    expect(found[0]).toMatchObject({
      server: wrong.address,
      healthy: false,
      error: expect.stringContaining("for another name") as string,
    });
    checker.serverTls = new ServerTlsTable({}, read);
    await eventually(() => found.length === 2, "the other one");
    expect(found[1]).toMatchObject({
      server: server.address,
      error: 'check /up: serverTls has no "internal"',
    });
    checker.stop();
  });

  it("follow an app that turns to TLS", async () => {
    const server = await upstream(async (peer) => {
      await peer.until(({ received }) => received !== "", "a check");
      peer.send(ok());
      peer.end();
    });
    const found: CheckFinding[] = [];
    const read = { files: { [ca]: authority.pem }, ticketSecret: "" };
    const checker = new HealthChecker(
      (finding) => found.push(finding),
      () => new AddressGuard([], []),
      new ServerTlsTable({ internal }, read),
    );
    const health = { check: { path: "/up", interval: "5ms", timeout: "5s", unhealthy: 1, healthy: 1 } };
    checker.follow(compileApp(app([server.address], { health }), 1));
    await eventually(() => server.peers.length > 1, "checks");
    checker.follow(compileApp(tlsApp([server.address], { health }), 2));
    await eventually(() => found.length === 1, "a finding");
    expect(found[0]).toMatchObject({ healthy: false });
    checker.stop();
  });
});
