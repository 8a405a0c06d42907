import type { ConnectionOptions } from "node:tls";
import { afterAll, describe, expect, it } from "vitest";
import { app, eventually, get, ok, post, serve, split, take, upstream } from "../gateway/harness.ts";
import { Authority, replaceBy, temporaryFolder } from "./certificates.ts";
import { startSecureGateway, type SecureGateway } from "./secure-gateway.ts";

const folder = temporaryFolder(afterAll);
const authority = new Authority(folder);
const clients = new Authority(folder, "clients");
const shop = authority.issue("shop", { names: "DNS:shop.test" });
const wild = authority.issue("wild", { names: "DNS:*.shop.test" });
const exact = authority.issue("exact", { names: "DNS:www.shop.test,DNS:other.test" });
const ca = authority.pem;
const as = (servername: string, more: ConnectionOptions = {}): ConnectionOptions => ({
  servername,
  ca,
  ...more,
});

describe("certificates", () => {
  it("are chosen by the name asked for: exact, then wildcard, then the first", async () => {
    const gateway = await startSecureGateway({ listen: { certificates: [shop, wild, exact] } });
    const shown = async (servername: string): Promise<string> => {
      const peer = await gateway.client(as(servername, { checkServerIdentity: () => undefined }));
      return peer.shown;
    };
    expect(await shown("shop.test")).toBe("shop");
    expect(await shown("www.shop.test")).toBe("exact");
    expect(await shown("WWW.SHOP.TEST")).toBe("exact");
    expect(await shown("api.shop.test")).toBe("wild");
    expect(await shown("other.test")).toBe("exact");
    expect(await shown("a.b.shop.test")).toBe("shop");
    expect(await shown("unknown.test")).toBe("shop");
    const nameless = await gateway.client({ ca, checkServerIdentity: () => undefined });
    expect(nameless.shown).toBe("shop");
  });

  it("are found, or not, for whatever is sent as a name (CVE-2026-21637)", async () => {
    const gateway = await startSecureGateway({ listen: { certificates: [shop, wild, exact] } });
    const names = [
      "__proto__",
      "constructor",
      ".",
      "..",
      "*",
      "*.shop.test",
      ".shop.test",
      "shop.test.",
      "%00",
      "\xff",
    ];
    for (const name of [...names, "a.".repeat(120), "x".repeat(250)]) {
      const peer = await gateway.client(as(name, { checkServerIdentity: () => undefined }));
      expect(["shop", "wild"], name).toContain(peer.shown);
      peer.socket.destroy();
    }
    await eventually(() => gateway.gateway.counters.connections === 0, "the connections to be gone");
  });

  it("are swapped for connections to come, while those that stand go on", async () => {
    const place = authority.issue("place", { names: "DNS:shop.test" });
    const server = await upstream(serve(ok("served")));
    const gateway = await startSecureGateway({
      listen: { certificates: [place] },
      apps: [app([server.address])],
    });
    const before = await gateway.client(as("shop.test"));
    before.send(get());
    expect((await before.message()).body).toBe("served");
    replaceBy(place, authority.issue("renewed", { names: "DNS:shop.test" }));
    await gateway.renew();
    const after = await gateway.client(as("shop.test"));
    expect([before.shown, after.shown]).toEqual(["place", "renewed"]);
    before.send(get());
    expect((await before.message()).body).toBe("served");
  });

  it("that do not fit are refused, and the old ones stay in force", async () => {
    const place = authority.issue("misfit", { names: "DNS:shop.test" });
    const gateway = await startSecureGateway({ listen: { certificates: [place] } });
    replaceBy(place, { cert: shop.cert, key: wild.key });
    await expect(gateway.renew()).rejects.toThrow();
    expect((await gateway.client(as("shop.test"))).shown).toBe("misfit");
  });
});

describe("a listener", () => {
  it("turns from plain to TLS and back, on the same address", async () => {
    const server = await upstream(serve(ok("served")));
    const gateway = await startSecureGateway({ apps: [app([server.address])] });
    const { settings } = gateway;
    const [listen] = settings.listen;
    const plain = await gateway.plain();
    plain.send(get());
    expect((await plain.message()).body).toBe("served");
    await gateway.renew({
      ...settings,
      listen: [{ ...listen!, tls: { certificates: [shop], minVersion: "1.2" } }],
    });
    expect((await gateway.ask(get(), as("shop.test"))).body).toBe("served");
    plain.send(get());
    expect((await plain.message()).body).toBe("served");
    await gateway.renew(settings);
    const again = await gateway.plain();
    again.send(get());
    expect((await again.message()).body).toBe("served");
  });

  it("speaks TLS 1.2 and 1.3, nothing older, and nothing but HTTP/1.1", async () => {
    const gateway = await startSecureGateway({ listen: { certificates: [shop] } });
    const version = (maxVersion: "TLSv1.2" | "TLSv1.3"): ConnectionOptions => as("shop.test", { maxVersion });
    expect((await gateway.client(version("TLSv1.2"))).socket.getProtocol()).toBe("TLSv1.2");
    expect((await gateway.client(version("TLSv1.3"))).socket.getProtocol()).toBe("TLSv1.3");
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await expect(gateway.client(as("shop.test", old))).rejects.toThrow(/protocol version|unsupported/i);
    const both = await gateway.client(as("shop.test", { ALPNProtocols: ["h2c", "http/1.1"] }));
    expect(both.socket.alpnProtocol).toBe("http/1.1");
    await expect(gateway.client(as("shop.test", { ALPNProtocols: ["spdy/1"] }))).rejects.toThrow();
  });

  it("speaks TLS 1.3 alone when told so", async () => {
    const gateway = await startSecureGateway({ listen: { certificates: [shop], minVersion: "1.3" } });
    await expect(gateway.client(as("shop.test", { maxVersion: "TLSv1.2" }))).rejects.toThrow();
    expect((await gateway.client(as("shop.test"))).socket.getProtocol()).toBe("TLSv1.3");
  });

  it("tells servers that the client came by https", async () => {
    const server = await upstream(serve(ok()));
    const gateway = await startSecureGateway({
      listen: { certificates: [shop] },
      apps: [app([server.address])],
    });
    await gateway.ask(get("/", "X-Forwarded-Proto: gopher\r\n"), as("shop.test"));
    expect(server.requests[0]?.field("x-forwarded-proto")).toBe("https");
  });
});

describe("sessions", () => {
  const versions = ["TLSv1.2", "TLSv1.3"] as const;

  async function sessionOf(gateway: SecureGateway, options: ConnectionOptions): Promise<Buffer> {
    const peer = await gateway.client(options);
    await eventually(() => peer.session !== undefined, "a session");
    peer.socket.destroy();
    return peer.session!;
  }

  it.each(versions)(
    "of %s are resumed in another process, and across a new certificate",
    async (maxVersion) => {
      const place = authority.issue(`resumed-${maxVersion}`, { names: "DNS:shop.test" });
      const wish = { listen: { certificates: [place] }, ticketSecret: "c2hhcmVk" };
      const [one, other] = [await startSecureGateway(wish), await startSecureGateway(wish)];
      const session = await sessionOf(one, as("shop.test", { maxVersion }));
      const resumed = await other.client(as("shop.test", { maxVersion, session }));
      expect(resumed.socket.isSessionReused()).toBe(true);
      await eventually(() => other.gateway.counters.tls.resumed === 1, "the count");
      expect(other.gateway.counters.tls.handshakes).toBe(1);
      replaceBy(place, shop);
      await one.renew();
      expect((await one.client(as("shop.test", { maxVersion, session }))).socket.isSessionReused()).toBe(
        true,
      );
      const stranger = await startSecureGateway({ listen: { certificates: [place] } });
      const anew = await stranger.client(as("shop.test", { maxVersion, session }));
      expect(anew.socket.isSessionReused()).toBe(false);
    },
  );

  it.each(versions)(
    "of %s keep the client's certificate, and do not pass where others count",
    async (maxVersion) => {
      const qa = clients.issue(`qa-${maxVersion}`, { subject: "/CN=ann/OU=QA" });
      const [rest, test] = [await upstream(serve(ok("rest"))), await upstream(serve(ok("test")))];
      const wish = (
        listen: { required: boolean; ca: string } | undefined,
      ): Parameters<typeof startSecureGateway>[0] => ({
        listen: { certificates: [shop], ...(listen && { clientCertificates: listen }) },
        apps: [split([rest.address], [test.address], { testers: [{ certificate: "OU", equals: "QA" }] })],
        ticketSecret: "c2hhcmVk",
      });
      const asked = await startSecureGateway(wish({ ca: clients.ca, required: false }));
      const shown = as("shop.test", { maxVersion, cert: qa.pem, key: qa.keyPem });
      const session = await sessionOf(asked, shown);
      const resumed = await asked.client(as("shop.test", { maxVersion, session }));
      expect(resumed.socket.isSessionReused()).toBe(true);
      resumed.send(get());
      expect((await resumed.message()).body).toBe("test");

      const required = await startSecureGateway(wish({ ca: clients.ca, required: true }));
      const nobody = await sessionOf(asked, as("shop.test", { maxVersion }));
      const unasked = await sessionOf(
        await startSecureGateway(wish(undefined)),
        as("shop.test", { maxVersion }),
      );
      const others = await startSecureGateway(wish({ ca: authority.ca, required: true }));
      for (const [gateway, session_] of [
        [required, nobody],
        [required, unasked],
        [others, session],
      ] as const) {
        const peer = await gateway.client(as("shop.test", { maxVersion, session: session_ }));
        expect(peer.socket.isSessionReused()).toBe(false);
        peer.send(get());
        expect((await peer.message()).field("x-halftone-error")).toBe("certificate_required");
      }
    },
  );
});

describe("client certificates", () => {
  const qa = clients.issue("qa", {
    subject: "/CN=ann/OU=Sales/OU=QA",
    names: "email:ann@qa.test,DNS:ann.test",
  });
  const dev = clients.issue("dev", { subject: "/CN=bob/OU=Dev/O=QA" });
  const old = clients.issue("old", { subject: "/CN=ann/OU=QA", days: -1 });
  const foreign = authority.issue("foreign", { subject: "/CN=ann/OU=QA" });
  const with_ = ({ pem, keyPem }: typeof qa): ConnectionOptions =>
    as("shop.test", { cert: pem, key: keyPem });

  async function start(
    required: boolean,
    testers: readonly { certificate: "OU" | "san"; equals: string }[] = [],
  ) {
    const [rest, test] = [await upstream(serve(ok("rest"))), await upstream(serve(ok("test")))];
    const gateway = await startSecureGateway({
      listen: { certificates: [shop], clientCertificates: { ca: clients.ca, required } },
      apps: [split([rest.address], [test.address], { testers })],
    });
    return { gateway, rest, test };
  }

  it("make testers by an attribute of theirs", async () => {
    const { gateway } = await start(false, [{ certificate: "OU", equals: "QA" }]);
    expect((await gateway.ask(get(), with_(qa))).body).toBe("test");
    expect((await gateway.ask(get(), with_(dev))).body).toBe("rest");
    expect((await gateway.ask(get(), as("shop.test"))).body).toBe("rest");
  });

  it("make testers by an entry of their subjectAltName", async () => {
    const { gateway } = await start(false, [{ certificate: "san", equals: "email:ann@qa.test" }]);
    expect((await gateway.ask(get(), with_(qa))).body).toBe("test");
    expect((await gateway.ask(get(), with_(dev))).body).toBe("rest");
  });

  it.each([true, false])("that cannot be verified are refused (required: %s)", async (required) => {
    const { gateway, rest, test } = await start(required, [{ certificate: "OU", equals: "QA" }]);
    for (const certificate of [old, foreign]) {
      const answer = await gateway.ask(get(), with_(certificate));
      expect([answer.status, answer.field("x-halftone-error")]).toEqual([403, "certificate_refused"]);
    }
    expect([rest.requests, test.requests]).toEqual([[], []]);
  });

  it("are needed where they are required", async () => {
    const { gateway, rest } = await start(true);
    const answer = await gateway.ask(post("body"), as("shop.test"));
    expect([answer.status, answer.field("x-halftone-error")]).toEqual([403, "certificate_required"]);
    expect(rest.requests).toEqual([]);
    expect((await gateway.ask(get(), with_(dev))).body).toBe("rest");
  });

  it("of a trusted proxy say nothing of the client it speaks for", async () => {
    const [rest, test] = [await upstream(serve(ok("rest"))), await upstream(serve(ok("test")))];
    const gateway = await startSecureGateway({
      listen: { certificates: [shop], clientCertificates: { ca: clients.ca, required: true } },
      apps: [split([rest.address], [test.address], { testers: [{ certificate: "OU", equals: "QA" }] })],
      trustedProxies: ["127.0.0.0/8"],
    });
    expect((await gateway.ask(get("/", "X-Forwarded-For: 192.0.2.7\r\n"), with_(qa))).body).toBe("rest");
    expect((await gateway.ask(get(), with_(qa))).body).toBe("test");
  });
});

describe("what is no TLS", () => {
  it("is answered if it is plain HTTP, closed otherwise, and counted; others are served meanwhile", async () => {
    const server = await upstream(serve(ok("served")));
    const gateway = await startSecureGateway({
      listen: { certificates: [shop] },
      apps: [app([server.address])],
    });
    const { counters } = gateway.gateway;
    const good = await gateway.client(as("shop.test"));
    const plain = await gateway.plain();
    plain.send(get());
    const answer = await plain.message();
    expect([answer.status, answer.field("x-halftone-error")]).toEqual([400, "plain_http"]);
    expect(answer.body).toContain("https://");
    const garbage = await gateway.plain();
    garbage.send("\x00\xff".repeat(300));
    await garbage.gone();
    const hello = await gateway.plain();
    hello.send("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00");
    await hello.gone();
    const left = await gateway.plain();
    left.send("\x16\x03\x01\x01\x00\x01");
    left.reset();
    (await gateway.plain()).end();
    await eventually(
      () => [...counters.tls.failures.values()].reduce((a, b) => a + b, 0) === 5,
      "five failures",
    );
    expect(counters.tls.failures.get("ERR_SSL_HTTP_REQUEST")).toBe(1);
    good.send(get());
    expect((await good.message()).body).toBe("served");
    expect(counters.connections).toBe(1);
    expect(server.requests).toHaveLength(1);
  });

  it("stalls until its deadline, counts as a connection till then, and holds up nobody", async () => {
    const server = await upstream(serve(ok("served")));
    const gateway = await startSecureGateway({
      listen: { certificates: [shop] },
      apps: [app([server.address])],
      timeouts: { header: 2000 },
    });
    const { counters } = gateway.gateway;
    const silent = await Promise.all(Array.from({ length: 50 }, () => gateway.plain()));
    const dripping = await gateway.plain();
    const hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    dripping.send(hello.slice(0, 3));
    await eventually(() => counters.connections === 51, "all of them");
    expect((await gateway.ask(get(), as("shop.test"))).body).toBe("served");
    dripping.send(hello.slice(3));
    const drip = setInterval(() => dripping.send("\x00"), 50);
    await Promise.all([...silent, dripping].map((peer) => peer.gone()));
    clearInterval(drip);
    await eventually(() => counters.connections === 0, "no connection");
    expect(counters.tls.failures.get("ETIMEDOUT")).toBe(51);
  });
});

describe("a secured connection", () => {
  it("is kept for many requests, and drained like any other", async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const server = await upstream(async (peer) => {
      for (;;) {
        const request = await take(peer);
        if (request.startLine.includes("/held")) await held;
        peer.send(ok("served"));
      }
    });
    const gateway = await startSecureGateway({
      listen: { certificates: [shop] },
      apps: [app([server.address])],
    });
    const [idle, busy] = [await gateway.client(as("shop.test")), await gateway.client(as("shop.test"))];
    for (let i = 0; i < 5; i++) {
      idle.send(get());
      expect((await idle.message()).body).toBe("served");
    }
    busy.send(get("/held"));
    await eventually(() => server.requests.length === 6, "the held request");
    const drained = gateway.gateway.drain();
    await idle.gone();
    release();
    const last = await busy.message();
    expect([last.body, last.field("connection")]).toEqual(["served", "close"]);
    await busy.gone();
    expect(await drained).toBe(0);
  });

  it("that is being made when the drain begins is served too", async () => {
    const server = await upstream(serve(ok("served")));
    const gateway = await startSecureGateway({
      listen: { certificates: [shop] },
      apps: [app([server.address])],
    });
    const raw = await gateway.plain();
    await eventually(() => gateway.gateway.counters.connections === 1, "the connection");
    raw.socket.removeAllListeners("data");
    raw.socket.pause();
    const drained = gateway.gateway.drain();
    const late = await gateway.client(as("shop.test", { socket: raw.socket }));
    late.send(get());
    expect((await late.message()).body).toBe("served");
    expect(await drained).toBe(0);
  });

  it("shows a client of HTTP/1.0 by its end that an answer broke off", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
      await peer.until(() => false, "nothing").catch(() => {});
    });
    const gateway = await startSecureGateway({
      listen: { certificates: [shop] },
      apps: [app([server.address])],
    });
    const peer = await gateway.client(as("shop.test"));
    peer.send("GET / HTTP/1.0\r\nHost: shop.test\r\n\r\n");
    await peer.text("hello");
    server.peers[0]!.reset();
    await peer.until(({ closed }) => closed, "the end");
    expect(peer.error).toBeDefined();
    expect(
      (await gateway.ask("GET /none HTTP/1.1\r\nHost: x\r\nX: \x01\r\n\r\n", as("shop.test"))).status,
    ).toBe(400);
  });
});
