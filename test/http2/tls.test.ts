import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect as connectSession } from "node:http2";
import { connect, type ConnectionOptions } from "node:tls";
import { promisify } from "node:util";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { app, eventually, get, ok, serve, take, upstream } from "../gateway/harness.ts";
import { Authority, temporaryFolder } from "../tls/certificates.ts";
import { startSecureGateway, type SecureGateway } from "../tls/secure-gateway.ts";
import { Http2Client } from "./client.ts";
import { Code, frame, RawClient, settings, Type, uint32 } from "./raw-frames.ts";
import { expectNothingUncaught } from "./uncaught.ts";

expectNothingUncaught();

const folder = temporaryFolder(afterAll);
const authority = new Authority(folder);
const shop = authority.issue("shop", { names: "DNS:shop.test" });
const clients = new Authority(folder, "clients");

function secured(gateway: SecureGateway, options: ConnectionOptions = {}): Http2Client {
  const session = connectSession("https://shop.test", {
    createConnection: () =>
      connect({
        host: "127.0.4.252",
        port: gateway.port,
        ca: authority.pem,
        servername: "shop.test",
        ALPNProtocols: ["h2"],
        ...options,
      }),
  });
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  return new Http2Client(session);
}

describe("HTTP/2 over TLS", () => {
  it("is what ALPN agrees on, unless the client or the listener wants HTTP/1.1 only", async () => {
    const server = await upstream(serve(({ lines }) => ok(lines.join("\n"))));
    const apps = [app([server.address])];
    const gateway = await startSecureGateway({ listen: { certificates: [shop] }, apps });
    const client = secured(gateway);
    const answer = await client.ask("/");
    expect(answer).toMatchObject({ status: 200, code: 0 });
    expect(answer.body).toContain("X-Forwarded-Proto: https");
    expect(answer.body).toContain("Via: 2.0 halftone-test");
    const old = { ca: authority.pem, servername: "shop.test" };
    const both = await gateway.client({ ...old, ALPNProtocols: ["http/1.1"] });
    both.send(get());
    expect((await both.message()).body).toContain("Via: 1.1 halftone-test");
    const without = await startSecureGateway({ listen: { certificates: [shop] }, http2: false, apps });
    const peer = await without.client({ ...old, ALPNProtocols: ["h2", "http/1.1"] });
    expect(peer.socket.alpnProtocol).toBe("http/1.1");
  });

  it("carries large bodies both ways, and many streams", async () => {
    const server = await upstream(serve(({ body }) => ok(body)));
    const gateway = await startSecureGateway({
      listen: { certificates: [shop] },
      apps: [app([server.address])],
    });
    const client = secured(gateway);
    const body = "0123456789".repeat(50_000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.ask("/", { ":method": "POST" }, body)),
    );
    for (const answer of answers) expect(answer.body === body).toBe(true);
    const { stdout } = await promisify(execFile)("h2load", [
      "-n",
      "1000",
      "-c",
      "4",
      "-m",
      "50",
      `https://127.0.4.252:${gateway.port}/`,
    ]);
    expect(stdout).toContain("1000 succeeded, 0 failed, 0 errored, 0 timeout");
  });

  it("refuses a client without the certificate it owes, on every stream", async () => {
    const server = await upstream(serve(ok()));
    const gateway = await startSecureGateway({
      listen: { certificates: [shop], clientCertificates: { ca: clients.ca, required: true } },
      apps: [app([server.address])],
    });
    const client = secured(gateway);
    for (let i = 0; i < 2; i++) {
      const answer = await client.ask("/");
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.fields["x-halftone-error"]).toBe("certificate_required");
    }
    expect(server.peers).toHaveLength(0);
  });

  it("ends in order in a drain, and leaves nothing behind when a client is cut off", async () => {
    let answer!: () => void;
    const release = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const server = await upstream(async (peer) => {
      await take(peer);
      await release;
      peer.send(ok("late"));
    });
    const gateway = await startSecureGateway({
      listen: { certificates: [shop] },
      apps: [app([server.address])],
    });
    const lost = secured(gateway);
    const never = lost.ask("/lost");
    await eventually(() => server.requests.length === 1, "the first request");
    lost.session.destroy();
    await never;
    await server.peers[0]!.gone();
    await eventually(() => gateway.gateway.counters.connections === 0, "the connection to be forgotten");
    const client = secured(gateway);
    const late = client.ask("/late");
    await eventually(() => server.requests.length === 2, "the request");
    const goaway = once(client.session, "goaway") as Promise<[code: number]>;
    const drained = gateway.gateway.drain();
    expect((await goaway)[0]).toBe(0);
    answer();
    expect((await late).body).toBe("late");
    expect(await drained).toBe(0);
  });

  it("bounds floods there too", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
    });
    const gateway = await startSecureGateway({
      listen: { certificates: [shop] },
      apps: [app([server.address])],
    });
    const socket = connect({
      host: "127.0.4.252",
      port: gateway.port,
      ca: authority.pem,
      servername: "shop.test",
      ALPNProtocols: ["h2"],
    });
    onTestFinished(() => {
      socket.destroy();
    });
    await once(socket, "secureConnect");
    const client = new RawClient(socket);
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", settings());
    const priority = frame(Type.PRIORITY, 0, 99, Buffer.concat([uint32(0), Buffer.from([10])]));
    await client.flood(Buffer.concat(Array.from({ length: 1000 }, () => priority)), 200);
    expect(await client.goawayCode()).toBe(Code.ENHANCE_YOUR_CALM);
    await client.gone();
    const { counters } = gateway.gateway;
    await eventually(() => counters.inFlight === 0 && counters.connections === 0, "quiet");
  });
});
