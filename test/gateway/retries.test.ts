import { once } from "node:events";
import { connect } from "node:net";
import { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import type { HealthFinding } from "../../src/gateway/server-status.ts";
import {
  app,
  deadAddress,
  eventually,
  get,
  ok,
  post,
  serve,
  split,
  startGateway,
  take,
  turn,
  upstream,
  type Peer,
  type Script,
} from "./harness.ts";

const resetAfterRequest: Script = async (peer) => {
  await take(peer);
  peer.reset();
};

/** Answers the first request of each connection, and resets on the second. */
const resetOnReuse: Script = async (peer) => {
  await take(peer);
  peer.send(ok("fresh"));
  await take(peer);
  peer.reset();
};

describe("a refused connection", () => {
  it.each([
    ["GET", get()],
    ["POST", post("body")],
    ["POST of 100 KiB", post("x".repeat(100 * 1024))],
  ])("loses nothing: %s goes to the next server", async (_name, request) => {
    const dead = await deadAddress();
    const alive = await upstream(serve(({ body }) => ok(`got ${body.length}`)));
    const { ask, server } = await startGateway({ apps: [app([dead, alive.address])] });
    for (let i = 0; i < 4; i++) expect((await ask(request)).status).toBe(200);
    expect(alive.requests.length).toBe(4);
    expect(server(dead).failures).toBe(1);
    expect(server(dead).deadUntil).not.toBeNull();
  });

  it("costs no try: a request gets past more dead servers than it has tries", async () => {
    const dead = [await deadAddress(), await deadAddress(), await deadAddress(), await deadAddress()];
    const alive = await upstream(serve(ok()));
    const { ask } = await startGateway({
      apps: [app([...dead, alive.address], { retry: { tries: 2, budget: 0 } })],
    });
    expect((await ask(post("body"))).status).toBe(200);
  });

  it("is a 502 connect_failed when nobody else is left", async () => {
    const { ask, gateway } = await startGateway({ apps: [app([await deadAddress(), await deadAddress()])] });
    const answer = await ask(get());
    expect(answer.status).toBe(502);
    expect(answer.field("x-halftone-error")).toBe("connect_failed");
    expect(gateway.counters.errors.get("connect_failed")).toBe(1);
    expect(gateway.counters.inFlight).toBe(0);
  });
});

describe("a connection reset before any byte of the answer", () => {
  it("GET is sent to the next server", async () => {
    const bad = await upstream(resetAfterRequest);
    const good = await upstream(serve(ok("good")));
    const { ask, server, gateway } = await startGateway({ apps: [app([bad.address, good.address])] });
    expect((await ask(get())).body).toBe("good");
    expect(bad.requests.length).toBe(1);
    expect(server(bad.address).lastError).toMatch(/^server_cut/);
    expect(gateway.counters.retries).toBe(1);
  });

  it("POST is never sent twice: 502 server_cut", async () => {
    const bad = await upstream(resetAfterRequest);
    const good = await upstream(serve(ok()));
    const { ask } = await startGateway({ apps: [app([bad.address, good.address])] });
    const answer = await ask(post("body"));
    expect(answer.status).toBe(502);
    expect(answer.field("x-halftone-error")).toBe("server_cut");
    expect(bad.requests.length + good.requests.length).toBe(1);
  });

  it("a connection closed by FIN is the same", async () => {
    const bad = await upstream(async (peer) => {
      await take(peer);
      peer.end();
    });
    const good = await upstream(serve(ok("good")));
    const { ask } = await startGateway({ apps: [app([bad.address, good.address])] });
    expect((await ask(get())).body).toBe("good");
  });
});

describe("an idle connection that the server closes as the request arrives", () => {
  it("GET goes out again on a fresh connection and the server is not blamed", async () => {
    const only = await upstream(resetOnReuse);
    const { ask, server } = await startGateway({ apps: [app([only.address])] });
    expect((await ask(get())).body).toBe("fresh");
    expect((await ask(get())).body).toBe("fresh");
    expect(only.peers.length).toBe(2);
    expect(server(only.address)).toMatchObject({ failures: 0, deadUntil: null, inFlight: 0 });
  });

  it("POST is a 502, the server still not blamed", async () => {
    const only = await upstream(resetOnReuse);
    const { ask, server } = await startGateway({ apps: [app([only.address])] });
    expect((await ask(get())).status).toBe(200);
    const answer = await ask(post("body"));
    expect(answer.field("x-halftone-error")).toBe("server_cut");
    expect(only.requests.length).toBe(2);
    expect(server(only.address).deadUntil).toBeNull();
  });

  it("one that was closed before the request is not used at all", async () => {
    const only = await upstream(async (peer) => {
      await take(peer);
      peer.send(ok());
      peer.end();
    });
    const { ask } = await startGateway({ apps: [app([only.address])] });
    expect((await ask(get())).status).toBe(200);
    await only.peers[0]!.until((peer) => peer.ended, "the gateway's FIN");
    expect((await ask(post("body"))).status).toBe(200);
    expect(only.peers.length).toBe(2);
  });
});

describe("an answer cut within its body is cut for the client and not repeated", () => {
  const cases = [
    ["a length, cut by FIN", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart", false],
    ["a length, cut by reset", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart", true],
    ["chunks, cut by FIN", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", false],
    ["until close, cut by reset", "HTTP/1.1 200 OK\r\n\r\npart", true],
  ] as const;
  for (const version of ["1.0", "1.1"]) {
    it.each(cases)(`HTTP/${version}: %s`, async (_name, start, reset) => {
      const cutting = await upstream(async (peer, index) => {
        await take(peer);
        peer.send(start);
        await release;
        if (reset) peer.reset();
        else peer.end();
        expect(index).toBe(0);
      });
      let letGo!: () => void;
      const release = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      const other = await upstream(serve(ok()));
      const { client, gateway } = await startGateway({ apps: [app([cutting.address, other.address])] });
      const peer = await client();
      peer.send(`GET / HTTP/${version}\r\nHost: shop.test\r\n\r\n`);
      await peer.text("part");
      letGo();
      await peer.gone();
      expect(other.requests.length).toBe(0);
      expect(gateway.counters.cuts).toBe(1);
      // The end must not look like the end of the body.
      const chunked = peer.received.includes("Transfer-Encoding: chunked");
      if (chunked) expect(peer.received.endsWith("0\r\n\r\n")).toBe(false);
      else if (!peer.received.includes("Content-Length: 100")) expect(peer.wasReset).toBe(true);
    });
  }
});

describe("a broken answer", () => {
  it.each([
    ["no HTTP at all", "hello\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    [
      "length and chunks",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"],
    ["a head beyond the limit", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
  ])("%s: GET goes to the next server, POST is a 502", async (_name, text) => {
    const bad = await upstream(async (peer) => {
      await take(peer);
      peer.send(text);
    });
    const good = await upstream(serve(ok("good")));
    const first = await startGateway({ apps: [app([bad.address, good.address])] });
    expect((await first.ask(get())).body).toBe("good");

    const second = await startGateway({ apps: [app([bad.address])] });
    const answer = await second.ask(post("body"));
    expect(answer.status).toBe(502);
    expect(answer.field("x-halftone-error")).toBe("bad_response");
    await bad.peers[1]!.gone();
  });

  it.each([
    ["without end", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(50), "bad_response"],
    ["and then nothing", "HTTP/1.1 103 Early Hints\r\n\r\n", "server_cut"],
  ])(
    "interim answers %s: what the client has heard of one server is not followed by another's answer",
    async (_name, text, code) => {
      const bad = await upstream(async (peer) => {
        await take(peer);
        peer.send(text);
        peer.end();
      });
      const good = await upstream(serve(ok("good")));
      const { client } = await startGateway({ apps: [app([bad.address, good.address])] });
      const peer = await client();
      peer.send(get());
      let answer = await peer.message();
      expect(answer.status).toBe(103);
      while (answer.status === 103) answer = await peer.message();
      expect(answer.field("x-halftone-error")).toBe(code);
      expect(good.requests.length).toBe(0);

      // HTTP/1.0 knows no 103 and hears of none: a repetition remains invisible.
      const old = await client();
      old.send("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
      expect((await old.message()).body).toBe("good");
    },
  );

  it("a bad line end is noticed when it comes in a later packet too", async () => {
    const bad = await upstream(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 200");
      await turn();
      peer.send(" OK\nContent-Length: 0\n\n");
    });
    const { ask } = await startGateway({ apps: [app([bad.address])] });
    expect((await ask(get())).field("x-halftone-error")).toBe("bad_response");
  });
});

describe("retry.on", () => {
  const unavailable = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nX-From: server\r\n\r\nbusy";

  it("tries the next server", async () => {
    const busy = await upstream(serve(unavailable));
    const good = await upstream(serve(ok("good")));
    const { ask, server } = await startGateway({
      apps: [app([busy.address, good.address], { retry: { on: [503] } })],
    });
    expect((await ask(get())).body).toBe("good");
    expect(server(busy.address).failures).toBe(1);
  });

  it("relays the last 503 when the tries are used up", async () => {
    const servers = [
      await upstream(serve(unavailable)),
      await upstream(serve(unavailable)),
      await upstream(serve(unavailable)),
    ];
    const { ask } = await startGateway({
      apps: [
        app(
          servers.map(({ address }) => address),
          { retry: { on: [503], tries: 2 } },
        ),
      ],
    });
    const answer = await ask(get());
    expect(answer.status).toBe(503);
    expect(answer.field("x-from")).toBe("server");
    expect(answer.body).toBe("busy");
    expect(servers.flatMap(({ requests }) => requests).length).toBe(2);
  });

  it("relays the 503 of the only server, though tries are left", async () => {
    const only = await upstream(serve(unavailable));
    const { ask, gateway, server } = await startGateway({
      apps: [app([only.address], { retry: { on: [503], tries: 3 } })],
    });
    const answer = await ask(get());
    expect(answer.status).toBe(503);
    expect(answer.body).toBe("busy");
    expect(gateway.counters.inFlight).toBe(0);
    expect(server(only.address).inFlight).toBe(0);
  });

  it("relays the 503 to a POST, which is not repeated", async () => {
    const busy = await upstream(serve(unavailable));
    const good = await upstream(serve(ok()));
    const { ask } = await startGateway({
      apps: [app([busy.address, good.address], { retry: { on: [503] } })],
    });
    expect((await ask(post("x"))).body).toBe("busy");
    expect(good.requests.length).toBe(0);
  });
});

describe("tries and budget", () => {
  it("a request is sent to no more servers than it has tries", async () => {
    const servers = await Promise.all([0, 1, 2, 3].map(() => upstream(resetAfterRequest)));
    const { ask } = await startGateway({
      apps: [
        app(
          servers.map(({ address }) => address),
          { retry: { tries: 3 } },
        ),
      ],
    });
    expect((await ask(get())).status).toBe(502);
    expect(servers.flatMap(({ requests }) => requests).length).toBe(3);
  });

  it("stops repeating when the budget is used up, and counts it", async () => {
    const bad = await upstream(resetAfterRequest);
    const alsoBad = await upstream(resetAfterRequest);
    const { ask, gateway } = await startGateway({
      apps: [app([bad.address, alsoBad.address], { retry: { tries: 2, budget: 0 } })],
    });
    // The floor is 3 a second over a window of 10 s.
    for (let i = 0; i < 40; i++) expect((await ask(get())).status).toBe(502);
    expect(gateway.counters.retries).toBe(30);
    expect(gateway.counters.retriesRefused).toBe(10);
    expect(bad.requests.length + alsoBad.requests.length).toBe(70);
  });
});

describe("a repeated body", () => {
  it.each([
    ["with a length", (body: string) => post(body, "", "PUT")],
    [
      "in chunks",
      (body: string) =>
        `PUT / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\nX-Sum: 1\r\n\r\n`,
    ],
  ])("is sent whole to the next server up to 64 KiB, %s", async (_name, request) => {
    const body = "0123456789abcdef".repeat(60 * 64);
    const bad = await upstream(resetAfterRequest);
    const good = await upstream(serve((got) => ok(got.body === body ? "same" : `other: ${got.body.length}`)));
    const { ask } = await startGateway({ apps: [app([bad.address, good.address])] });
    expect((await ask(request(body))).body).toBe("same");
    expect(bad.requests.length).toBe(1);
  });

  it("is not sent again when it is longer", async () => {
    const bad = await upstream(resetAfterRequest);
    const good = await upstream(serve(ok()));
    const { ask } = await startGateway({ apps: [app([bad.address, good.address])] });
    const answer = await ask(post("x".repeat(200 * 1024), "", "PUT"));
    expect(answer.field("x-halftone-error")).toBe("server_cut");
    expect(good.requests.length).toBe(0);
  });

  it("goes on where it is while the client still sends", async () => {
    const bad = await upstream(async (peer) => {
      await peer.text("first");
      peer.reset();
    });
    const good = await upstream(serve((got) => ok(got.body)));
    const { client } = await startGateway({ apps: [app([bad.address, good.address])] });
    const peer = await client();
    peer.send("PUT / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 11\r\n\r\nfirst");
    await eventually(() => good.peers.length === 1, "the second server");
    await good.peers[0]!.text("first");
    peer.send("second");
    expect((await peer.message()).body).toBe("firstsecond");
  });
});

describe("the group under test", () => {
  it("a client there by share falls back to the rest when it is dead", async () => {
    const rest = await upstream(serve(ok("rest")));
    const { ask, gateway } = await startGateway({
      apps: [split([rest.address], [await deadAddress(), await deadAddress()], { share: 100 })],
    });
    for (let i = 0; i < 5; i++) expect((await ask(get())).body).toBe("rest");
    expect(gateway.counters.shareFallbacks).toBeGreaterThan(0);
    expect(gateway.counters.errors.size).toBe(0);
  });

  it("a client there by share has a try more for the rest", async () => {
    const rest = await upstream(serve(ok("rest")));
    const test = [await upstream(resetAfterRequest), await upstream(resetAfterRequest)];
    const { ask } = await startGateway({
      apps: [
        split(
          [rest.address],
          test.map(({ address }) => address),
          { share: 100 },
        ),
      ],
    });
    expect((await ask(get())).body).toBe("rest");
  });

  it("a tester is told the truth: 503 group_down with the name of the group", async () => {
    const rest = await upstream(serve(ok("rest")));
    const { ask } = await startGateway({
      apps: [split([rest.address], [await deadAddress()], { testers: ["127.0.0.7"] })],
    });
    for (let i = 0; i < 2; i++) {
      const answer = await ask(get("/", "Accept: application/json\r\n"), "127.0.0.7");
      expect(answer.status).toBe(503);
      expect(answer.field("x-halftone-error")).toBe("group_down");
      expect(answer.field("x-halftone-group")).toBe("green");
      expect(JSON.parse(answer.body)).toMatchObject({ error: "group_down", group: "green", status: 503 });
    }
    expect((await ask(get())).body).toBe("rest");
    expect(rest.requests.length).toBe(1);
  });

  it("the public never goes there, dead as the rest may be", async () => {
    const test = await upstream(serve(ok("test")));
    const { ask } = await startGateway({ apps: [split([await deadAddress()], [test.address])] });
    expect((await ask(get())).status).toBe(502);
    expect(test.requests.length).toBe(0);
  });
});

describe("health", () => {
  const fast = { dieTime: "150ms", maxDieTime: "600ms" };

  it("panics rather than refuse: with every server dead all are tried", async () => {
    let broken = true;
    const servers = await Promise.all(
      [0, 1].map(() =>
        upstream(async (peer) => {
          await take(peer);
          if (broken) peer.reset();
          else peer.send(ok());
        }),
      ),
    );
    const { ask, gateway } = await startGateway({ apps: [app(servers.map(({ address }) => address))] });
    expect((await ask(get())).status).toBe(502);
    broken = false;
    expect((await ask(get())).status).toBe(200);
    expect(gateway.counters.panics).toBeGreaterThan(0);
    // One success brings its server back.
    expect(gateway.servers().filter(({ deadUntil }) => deadUntil === null).length).toBe(1);
  });

  it("leaves a dead server out, probes it once, doubles, and takes it back", async () => {
    let broken = true;
    const sick = await upstream(async (peer) => {
      for (;;) {
        await take(peer);
        if (broken) peer.reset();
        else peer.send(ok("sick"));
      }
    });
    const well = await upstream(serve(ok("well")));
    const findings: HealthFinding[] = [];
    const { ask } = await startGateway({
      apps: [app([sick.address, well.address], { health: fast })],
      events: { onFinding: (finding) => findings.push(finding) },
    });
    const deaths = (): HealthFinding[] => findings.filter(({ kind }) => kind === "dead");
    // Every request is answered all the while.
    const askUntil = async (condition: () => boolean): Promise<void> => {
      const until = performance.now() + 8000;
      while (!condition()) {
        if (performance.now() > until) throw new Error(`in vain: ${JSON.stringify(findings)}`);
        expect((await ask(get())).status).toBe(200);
      }
    };
    await askUntil(() => deaths().length === 3);
    expect(sick.requests.length).toBe(3);
    expect(deaths().map((finding) => finding.kind === "dead" && finding.streak)).toEqual([1, 2, 3]);
    broken = false;
    await askUntil(() => findings.some(({ kind }) => kind === "alive"));
    const before = sick.requests.length;
    await ask(get());
    await ask(get());
    expect(sick.requests.length).toBe(before + 1);
  });

  it("lets one request alone be the probe", async () => {
    let mode: "break" | "hold" = "break";
    const sick = await upstream(async (peer) => {
      await take(peer);
      if (mode === "break") peer.reset();
    });
    const well = await upstream(serve(ok("well")));
    const { ask, client, server } = await startGateway({
      apps: [app([sick.address, well.address], { health: fast })],
    });
    await ask(get());
    await ask(get());
    mode = "hold";
    const peers: Peer[] = [];
    const askOnce = async (): Promise<void> => {
      const peer = await client();
      peers.push(peer);
      peer.send(get());
      await eventually(
        () => peer.received.includes("well") || server(sick.address).inFlight === 1,
        "an answer or a probe",
      );
    };
    await eventually(() => server(sick.address).deadUntil! < Date.now(), "the end of the die time");
    while (server(sick.address).inFlight === 0) await askOnce();
    const probe = peers.at(-1)!;
    const others = await Promise.all(Array.from({ length: 8 }, () => client()));
    for (const peer of others) peer.send(get());
    for (const peer of others) await peer.text("well");
    expect(server(sick.address).inFlight).toBe(1);
    // The probe's client leaves: the next request is the probe.
    probe.reset();
    await eventually(() => server(sick.address).inFlight === 0, "the probe to be given up");
    const next = [await client(), await client()];
    for (const peer of next) peer.send(get());
    await eventually(() => server(sick.address).inFlight === 1, "another probe");
  });

  it("counts failures in a row up to maxFails", async () => {
    const sick = await upstream(resetAfterRequest);
    const { ask, server } = await startGateway({ apps: [app([sick.address], { health: { maxFails: 3 } })] });
    await ask(get());
    await ask(get());
    expect(server(sick.address).deadUntil).toBeNull();
    await ask(get());
    expect(server(sick.address).deadUntil).not.toBeNull();
  });

  it("does not blame a server for a request that its client never finished", async () => {
    const strict = await upstream(async (peer) => {
      await peer.text("\r\n\r\n");
      peer.end();
    });
    const { client, server } = await startGateway({ apps: [app([strict.address])] });
    const peer = await client();
    peer.send("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 1000000\r\n\r\nstart");
    expect((await peer.message()).status).toBe(502);
    expect(server(strict.address).deadUntil).toBeNull();
  });

  it("takes over what another process found", async () => {
    const a = await upstream(serve(ok("a")));
    const b = await upstream(serve(ok("b")));
    const { ask, gateway, server } = await startGateway({ apps: [app([a.address, b.address])] });
    await ask(get());
    await ask(get());
    gateway.adopt({
      kind: "dead",
      app: "shop",
      server: a.address,
      deadUntil: Date.now() + 60_000,
      streak: 2,
      error: "elsewhere",
    });
    expect(server(a.address).lastError).toBe("elsewhere");
    await a.peers[0]!.gone();
    for (let i = 0; i < 4; i++) expect((await ask(get())).body).toBe("b");
    gateway.adopt({ kind: "alive", app: "shop", server: a.address });
    const bodies = new Set([(await ask(get())).body, (await ask(get())).body]);
    expect(bodies).toEqual(new Set(["a", "b"]));
    // News of what is not here is no error.
    gateway.adopt({ kind: "alive", app: "shop", server: "10.0.0.1:1" });
    gateway.adopt({ kind: "alive", app: "nobody", server: a.address });
  });
});

describe("silence", () => {
  const timeouts = { response: 200, connect: 200 };
  const silent: Script = async (peer) => {
    await take(peer);
  };

  it("GET is tried elsewhere after the response timeout", async () => {
    const mute = await upstream(silent);
    const good = await upstream(serve(ok("good")));
    const { ask } = await startGateway({ timeouts, apps: [app([mute.address, good.address])] });
    expect((await ask(get())).body).toBe("good");
    await mute.peers[0]!.gone();
  });

  it("is a 504 when the second is silent too, and at once for POST", async () => {
    const servers = [await upstream(silent), await upstream(silent)];
    const { ask } = await startGateway({ timeouts, apps: [app(servers.map(({ address }) => address))] });
    const answer = await ask(get());
    expect(answer.status).toBe(504);
    expect(answer.field("x-halftone-error")).toBe("response_timeout");
    expect(servers.flatMap(({ requests }) => requests).length).toBe(2);
    expect((await ask(post("x"))).status).toBe(504);
    expect(servers.flatMap(({ requests }) => requests).length).toBe(3);
  });

  it("cuts an answer that stops half way", async () => {
    const half = await upstream(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    });
    const { client, gateway } = await startGateway({ timeouts, apps: [app([half.address])] });
    const peer = await client();
    peer.send(get());
    await peer.gone();
    expect(peer.received).toMatch(/half$/);
    expect(gateway.counters.cuts).toBe(1);
  });

  it("of the client is not the server's fault: a stalled upload kills no server", async () => {
    const patient = await upstream(async (peer) => {
      await take(peer);
      peer.send(ok("whole"));
    });
    const { client, server } = await startGateway({
      timeouts: { response: 150, idle: 700 },
      apps: [app([patient.address])],
    });
    const peer = await client();
    peer.send("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 10\r\n\r\nstart");
    const answer = await peer.message();
    expect(answer.status).toBe(408);
    expect(answer.field("x-halftone-error")).toBe("body_timeout");
    expect(server(patient.address)).toMatchObject({ failures: 0, deadUntil: null, inFlight: 0 });
    await patient.peers[0]!.gone();
  });

  it("of a server that does not accept: the next one, or a 504 connect_timeout", async () => {
    const full = await fullServer();
    const good = await upstream(serve(ok("good")));
    const first = await startGateway({ timeouts, apps: [app([full, good.address])] });
    expect((await first.ask(post("x"))).body).toBe("good");
    const second = await startGateway({ timeouts, apps: [app([full])] });
    const answer = await second.ask(get());
    expect(answer.status).toBe(504);
    expect(answer.field("x-halftone-error")).toBe("connect_timeout");
  });
});

/** A listener whose queue is full and never taken from: the kernel drops further SYNs. */
async function fullServer(): Promise<string> {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     const server = require("node:net").createServer();
     server.listen({ host: "127.0.4.251", port: 0, backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  onTestFinished(async () => {
    await worker.terminate();
  });
  const [port] = (await once(worker, "message")) as [number];
  // A queue of 1 holds two.
  for (let i = 0; i < 2; i++) {
    const socket = connect({ host: "127.0.4.251", port });
    socket.on("error", () => {});
    onTestFinished(() => {
      socket.destroy();
    });
    await once(socket, "connect");
  }
  return `127.0.4.251:${port}`;
}
