import { describe, expect, it } from "vitest";
import type { GatewaySettings } from "../../src/config/gateway-settings.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import {
  app,
  eventually,
  get,
  LIMITS,
  ok,
  serve,
  startGateway,
  take,
  TIMEOUTS,
  upstream,
  type Script,
} from "./harness.ts";

/** A script that answers when it is let go. */
function held(): { script: Script; letGo: () => void } {
  let letGo!: () => void;
  const release = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const script: Script = async (peer) => {
    for (;;) {
      const request = await take(peer);
      await release;
      peer.send(ok(request.startLine.split(" ")[1]));
    }
  };
  return { script, letGo };
}

describe("drain", () => {
  it("lets a slow answer end, says that it is the last, and refuses new connections", async () => {
    const { script, letGo } = held();
    const server = await upstream(script);
    const { client, gateway } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    peer.send(get("/slow"));
    await eventually(() => server.requests.length === 1, "the request");
    const drained = gateway.drain();
    await expect(client()).rejects.toThrow("ECONNREFUSED");
    letGo();
    const answer = await peer.message();
    expect(answer.body).toBe("/slow");
    expect(answer.field("connection")).toBe("close");
    await peer.gone();
    expect(peer.wasReset).toBe(false);
    peer.end();
    expect(await drained).toBe(0);
    await server.peers[0]!.gone();
  });

  it("closes idle connections", async () => {
    const server = await upstream(serve(ok()));
    const { client, gateway } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    peer.send(get());
    await peer.message();
    const drained = gateway.drain();
    await peer.gone();
    expect(peer.wasReset).toBe(false);
    peer.end();
    expect(await drained).toBe(0);
  });

  it("still answers a request that was on its way on an idle connection", async () => {
    const server = await upstream(serve(ok("still")));
    const { client, gateway } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    peer.send(get());
    await peer.message();
    const drained = gateway.drain();
    peer.send(get());
    const answer = await peer.message();
    expect(answer.body).toBe("still");
    expect(answer.field("connection")).toBe("close");
    peer.end();
    expect(await drained).toBe(0);
  });

  it("drops nothing pipelined without saying so", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfir");
      await drainBegun;
      peer.send("st");
      await take(peer);
      peer.send(ok("second"));
    });
    let begin!: () => void;
    const drainBegun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const { client, gateway } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    peer.send(get("/1") + get("/2"));
    await peer.text("fir");
    const drained = gateway.drain();
    begin();
    expect((await peer.message()).body).toBe("first");
    const second = await peer.message();
    expect(second.body).toBe("second");
    expect(second.field("connection")).toBe("close");
    peer.end();
    expect(await drained).toBe(0);
  });

  it("cuts what is left after the drain time, and says how many", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
    });
    const { client, gateway } = await startGateway({
      timeouts: { drain: 200 },
      apps: [app([server.address])],
    });
    const peers = [await client(), await client()];
    for (const peer of peers) peer.send(get());
    await eventually(() => server.requests.length === 2, "the requests");
    expect(await gateway.drain()).toBe(2);
    for (const peer of [...peers, ...server.peers]) await peer.gone();
    expect(gateway.counters.inFlight).toBe(0);
  });

  it("with no connection at all is over at once", async () => {
    const { gateway } = await startGateway();
    expect(await gateway.drain()).toBe(0);
  });
});

describe("reconfigure", () => {
  const settings = (ports: readonly number[], more: Partial<GatewaySettings> = {}): GatewaySettings => ({
    listen: ports.map((port) => ({ address: { kind: "tcp", host: "127.0.4.253", port } })),
    via: "halftone-test",
    forwarded: false,
    trustedProxies: [],
    allowServers: [],
    timeouts: TIMEOUTS,
    limits: LIMITS,
    ...more,
  });

  it("with a port that is taken throws, names it, and keeps serving as before", async () => {
    const server = await upstream(serve(ok()));
    const { ask, gateway, host, port } = await startGateway({ apps: [app([server.address])] });
    const other = new Gateway(settings([0]));
    const [taken] = await other.listen();
    if (taken?.kind !== "tcp") throw new Error("not bound");
    const wish = settings([0, taken.port], { limits: { ...LIMITS, body: 1 } });
    await expect(gateway.reconfigure(wish)).rejects.toThrow(`127.0.4.253:${taken.port}`);
    other.destroy();
    expect(gateway.bound).toEqual([{ kind: "tcp", host, port }]);
    expect((await ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")).status).toBe(200);
  });

  it("opens the new, closes the old, and lets connections of the old go on", async () => {
    const server = await upstream(serve(ok()));
    const { client, gateway } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    await gateway.reconfigure(settings([0], { limits: { ...LIMITS, head: 200 } }));
    await expect(client()).rejects.toThrow("ECONNREFUSED");
    const [bound] = gateway.bound;
    expect(bound).toMatchObject({ host: "127.0.4.253" });
    peer.send(get());
    expect((await peer.message()).status).toBe(200);
    peer.send(get("/", `X: ${"x".repeat(300)}\r\n`));
    expect((await peer.message()).status).toBe(431);
  });
});
