import { describe, expect, it } from "vitest";
import { app, eventually, get, ok, post, serve, startGateway, take, turn, upstream } from "./harness.ts";

describe("timeouts", () => {
  it("a head that is not complete in time is a 408, however it trickles", async () => {
    const { client } = await startGateway({ timeouts: { header: 300 } });
    const peer = await client();
    const started = performance.now();
    peer.send("GET / HTTP/1.1\r\n");
    // Each line would put the deadline off, were it counted from the last byte.
    const timer = setInterval(() => peer.send("X-A: b\r\n"), 50);
    const answer = await peer.message().finally(() => clearInterval(timer));
    expect(answer.status).toBe(408);
    expect(answer.field("x-halftone-error")).toBe("head_timeout");
    expect(answer.field("connection")).toBe("close");
    // The clock counts in ticks of 50 ms.
    expect(performance.now() - started).toBeGreaterThan(200);
    await peer.gone();
  });

  it("a connection that says nothing is closed without a word after the idle time, before and after a request", async () => {
    const server = await upstream(serve(ok()));
    const { client, gateway } = await startGateway({
      timeouts: { idle: 200 },
      apps: [app([server.address])],
    });
    const fresh = await client();
    const used = await client();
    used.send(get());
    expect((await used.message()).status).toBe(200);
    for (const peer of [fresh, used]) {
      await peer.gone();
      expect(peer.received).toBe("");
      expect(peer.wasReset).toBe(false);
      peer.end();
    }
    await eventually(() => gateway.counters.connections === 0, "the connections to be gone");
    // So are idle connections to servers.
    await server.peers[0]!.gone();
  });

  it("a request under way is not idle", async () => {
    let letGo!: () => void;
    const release = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const server = await upstream(async (peer) => {
      await take(peer);
      await release;
      peer.send(ok("late"));
    });
    const { client } = await startGateway({
      timeouts: { idle: 100, header: 100 },
      apps: [app([server.address])],
    });
    const idle = await client();
    const busy = await client();
    busy.send(get());
    await idle.gone();
    letGo();
    expect((await busy.message()).body).toBe("late");
  });

  it("a body that stalls is a 408, and its request ends at the server", async () => {
    const server = await upstream(serve(ok()));
    const { client } = await startGateway({ timeouts: { idle: 200 }, apps: [app([server.address])] });
    const peer = await client();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    const answer = await peer.message();
    expect(answer.status).toBe(408);
    expect(answer.field("x-halftone-error")).toBe("body_timeout");
    await server.peers[0]!.gone();
    expect(server.requests.length).toBe(0);
  });

  it("a connection of which the client never ends its half is gone after the linger time", async () => {
    const { client, gateway } = await startGateway();
    const peer = await client();
    peer.send(get("/", "Connection: close\r\n"));
    expect((await peer.message()).status).toBe(404);
    await peer.gone();
    expect(gateway.counters.connections).toBe(1);
    await eventually(() => gateway.counters.connections === 0, "the connection to be gone");
  });
});

describe("limits", () => {
  it("a body by its length: 413 at once, and nothing is sent to a server", async () => {
    const server = await upstream(serve(ok()));
    const { ask } = await startGateway({ limits: { body: 100 }, apps: [app([server.address])] });
    const answer = await ask(post("x".repeat(101)));
    expect(answer.status).toBe(413);
    expect(answer.field("x-halftone-error")).toBe("body_too_large");
    expect(answer.field("connection")).toBe("close");
    expect(server.peers.length).toBe(0);
    expect((await ask(post("x".repeat(100)))).status).toBe(200);
  });

  it("a body in chunks: 413 when it has passed the limit, and its request is never whole", async () => {
    const server = await upstream(serve(ok()));
    const { client } = await startGateway({ limits: { body: 100 }, apps: [app([server.address])] });
    const peer = await client();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let i = 0; i < 3; i++) {
      peer.send(`28\r\n${"x".repeat(40)}\r\n`);
      await turn();
    }
    const answer = await peer.message();
    expect(answer.status).toBe(413);
    expect(answer.field("x-halftone-error")).toBe("body_too_large");
    await server.peers[0]?.gone();
    expect(server.requests.length).toBe(0);
  });

  it.each([
    [
      "a head too large in one piece",
      (send: (text: string) => void) => send(get("/", `X: ${"x".repeat(5000)}\r\n`)),
      431,
      "head_too_large",
    ],
    [
      "too many fields",
      (send: (text: string) => void) => send(get("/", "X: y\r\n".repeat(25))),
      431,
      "too_many_fields",
    ],
    [
      "a target too long",
      (send: (text: string) => void) => send(get(`/${"x".repeat(5000)}`)),
      414,
      "target_too_long",
    ],
  ])("%s is refused", async (_name, say, status, code) => {
    const { client } = await startGateway({ limits: { head: 1000, headers: 20 } });
    const peer = await client();
    say((text) => peer.send(text));
    const answer = await peer.message();
    expect(answer.status).toBe(status);
    expect(answer.field("x-halftone-error")).toBe(code);
    await peer.gone();
  });

  it("a head that grows without end is refused at the limit", async () => {
    const { client } = await startGateway({ limits: { head: 1000 } });
    const peer = await client();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    for (let i = 0; i < 20 && peer.received === ""; i++) {
      peer.send("x".repeat(100));
      await turn();
    }
    expect((await peer.message()).status).toBe(431);
  });

  it("connections beyond the limit are not served, and there is room again when one ends", async () => {
    const server = await upstream(serve(ok()));
    const { client, gateway } = await startGateway({
      limits: { connections: 2 },
      apps: [app([server.address])],
    });
    const first = await client();
    const second = await client();
    const third = await client();
    await third.gone();
    first.send(get());
    expect((await first.message()).status).toBe(200);
    second.reset();
    await eventually(() => gateway.counters.connections === 1, "room");
    const fourth = await client();
    fourth.send(get());
    expect((await fourth.message()).status).toBe(200);
  });
});
