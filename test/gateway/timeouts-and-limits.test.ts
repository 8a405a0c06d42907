import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { app, eventually, get, ok, post, serve, startGateway, take, turn, upstream } from "./harness.ts";

/** Is there a TCP socket from this local port to that remote one? */
function isKnownToKernel(local: number, remote: number): boolean {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
  const pair = new RegExp(`:${hex(local)} [0-9A-F]{8}:${hex(remote)} `);
  return pair.test(readFileSync("/proc/net/tcp", "latin1"));
}

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

  it("so it is on a connection that carried a request before (CVE-2019-5737)", async () => {
    const server = await upstream(serve(ok()));
    const { client } = await startGateway({ timeouts: { header: 300 }, apps: [app([server.address])] });
    const peer = await client();
    peer.send(get());
    expect((await peer.message()).status).toBe(200);
    peer.send("G");
    const timer = setInterval(() => peer.send("E"), 20);
    const answer = await peer.message().finally(() => clearInterval(timer));
    // A method that long is none; it must not have come to that.
    expect(answer.status).toBe(408);
    await peer.gone();
  });

  it("a HEAD that is not complete in time is a 408 without a body (RFC 9110 9.3.2)", async () => {
    const { client } = await startGateway({ timeouts: { header: 200 } });
    const peer = await client();
    peer.send("HEAD / HTTP/1.1\r\nHost: a\r\n");
    await peer.gone();
    expect(peer.received).toMatch(/^HTTP\/1\.1 408 /);
    expect(peer.received).toMatch(/\r\n\r\n$/);
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

  it("a client that takes nothing of a large answer is reset, and its request ends at the server", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
      peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\n\r\n${"x".repeat(64_000_000)}`);
    });
    const { client, gateway, port } = await startGateway({
      timeouts: { idle: 300 },
      apps: [app([server.address])],
    });
    const peer = await client();
    peer.socket.pause();
    peer.send(get());
    await eventually(() => gateway.counters.inFlight === 1, "the request");
    await eventually(() => gateway.counters.connections === 0, "the connection to be gone");
    expect(gateway.counters.inFlight).toBe(0);
    await server.peers[0]!.gone();
    // Neither end of a connection that was reset is left; one that was closed would wait for its reader.
    expect(isKnownToKernel(port, peer.socket.localPort!)).toBe(false);
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

describe("the time of a request as a whole", () => {
  it("is a 504 when no answer has begun, and blames no server", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
    });
    const gateway = await startGateway({ timeouts: { request: 200 }, apps: [app([server.address])] });
    const answer = await gateway.ask(get());
    expect(answer.status).toBe(504);
    expect(answer.field("x-halftone-error")).toBe("request_timeout");
    await server.peers[0]!.gone();
    expect(gateway.server(server.address)).toMatchObject({ failures: 0, inFlight: 0 });
    expect(gateway.gateway.counters.inFlight).toBe(0);
  });

  it("cuts an answer that drips on", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const timer = setInterval(() => peer.send("1\r\nx\r\n"), 20);
      await peer.gone().finally(() => clearInterval(timer));
    });
    const { client, gateway } = await startGateway({
      timeouts: { request: 300 },
      apps: [app([server.address])],
    });
    const peer = await client();
    peer.send(get());
    await peer.gone();
    expect(peer.received).toContain("1\r\nx\r\n");
    expect(peer.received.endsWith("0\r\n\r\n")).toBe(false);
    expect(gateway.counters).toMatchObject({ inFlight: 0, cuts: 1 });
    await server.peers[0]!.gone();
  });

  it("does not count in a tunnel", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
      await peer.text("ping");
      peer.send("pong");
    });
    const silent = await upstream(async (peer) => {
      await take(peer);
    });
    const { client } = await startGateway({
      timeouts: { request: 200 },
      apps: [app([server.address]), app([silent.address], { name: "silent", routes: [{ path: "/silent" }] })],
    });
    const idle = await client();
    const peer = await client();
    peer.send(get("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    await peer.text("hello");
    idle.send(get("/silent"));
    expect((await idle.message()).status).toBe(504);
    peer.send("ping");
    await peer.text("pong");
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

  it("a client that is turned away while it uploads can read why", async () => {
    const { client } = await startGateway({ limits: { connections: 1 } });
    await client();
    const second = await client();
    second.send(post("x".repeat(1024 * 1024)));
    expect((await second.message()).status).toBe(503);
    await second.gone();
    expect(second.wasReset).toBe(false);
  });

  it("requests under way beyond the limit are answered 503 at once, and their connections stay", async () => {
    let letGo!: () => void;
    const release = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const server = await upstream(async (peer) => {
      await take(peer);
      await release;
      peer.send(ok("late"));
      await serve(ok("next"))(peer, 0);
    });
    const { client, gateway } = await startGateway({
      limits: { requests: 2 },
      apps: [app([server.address])],
    });
    const first = await client();
    const second = await client();
    const third = await client();
    first.send(get());
    second.send(get());
    await eventually(() => gateway.counters.inFlight === 2, "two requests under way");
    third.send(get());
    const answer = await third.message();
    expect(answer.status).toBe(503);
    expect(answer.field("x-halftone-error")).toBe("overloaded");
    expect(answer.field("retry-after")).toBe("1");
    letGo();
    expect((await first.message()).body).toBe("late");
    expect((await second.message()).body).toBe("late");
    third.send(get());
    expect((await third.message()).body).toBe("next");
  });

  it("a body that crawls is a 408 even though it never stalls", async () => {
    const server = await upstream(serve(ok()));
    const { client } = await startGateway({
      timeouts: { idle: 400 },
      limits: { bodyRate: 1000 },
      apps: [app([server.address])],
    });
    const peer = await client();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    const timer = setInterval(() => peer.send("x"), 20);
    const answer = await peer.message().finally(() => clearInterval(timer));
    expect(answer.status).toBe(408);
    expect(answer.field("x-halftone-error")).toBe("body_timeout");
    await server.peers[0]!.gone();
    expect(server.requests.length).toBe(0);
  });

  it("a body that keeps the rate is taken, however long it takes", async () => {
    const server = await upstream(serve(ok()));
    const { client, gateway } = await startGateway({
      timeouts: { idle: 2000 },
      limits: { bodyRate: 100 },
      apps: [app([server.address])],
    });
    const peer = await client();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1200\r\n\r\n");
    await eventually(() => gateway.counters.inFlight === 1, "the request");
    for (let i = 0; i < 12; i++) {
      peer.send("x".repeat(100));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect((await peer.message()).status).toBe(200);
  });

  it("empty lines before requests are forgiven until there are too many", async () => {
    const server = await upstream(serve(ok()));
    const { client } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    for (let i = 0; i < 25; i++) {
      peer.send(`\r\n\r\n\r\n\r\n${get()}`);
      expect((await peer.message()).status).toBe(200);
    }
    let last = 200;
    for (let i = 0; i < 25 && last === 200; i++) {
      peer.send(`\r\n\r\n\r\n\r\n${get()}`);
      const answer = await peer.message();
      last = answer.status;
      if (last === 400) expect(answer.field("x-halftone-error")).toBe("too_many_offences");
    }
    expect(last).toBe(400);
    await peer.gone();
  });

  it("chunk extensions likewise, and the request is never whole at the server", async () => {
    const server = await upstream(serve(ok()));
    const { client } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    peer.send(
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${"1;a\r\nx\r\n".repeat(200)}0\r\n\r\n`,
    );
    expect((await peer.message()).field("x-halftone-error")).toBe("too_many_offences");
    await peer.gone();
    expect(server.requests.length).toBe(0);
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
    third.send(get());
    const turnedAway = await third.message();
    expect(turnedAway.status).toBe(503);
    expect(turnedAway.field("x-halftone-error")).toBe("too_many_connections");
    expect(turnedAway.field("retry-after")).toBe("1");
    await third.gone();
    expect(third.wasReset).toBe(false);
    expect(server.peers.length).toBe(0);
    first.send(get());
    expect((await first.message()).status).toBe(200);
    second.reset();
    await eventually(() => gateway.counters.connections === 1, "room");
    const fourth = await client();
    fourth.send(get());
    expect((await fourth.message()).status).toBe(200);
  });
});
