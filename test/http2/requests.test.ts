import { createHash } from "node:crypto";
import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  app,
  deadAddress,
  eventually,
  ok,
  serve,
  split,
  startGateway,
  take,
  upstream,
  type GatewayUnderTest,
  type GatewayWish,
  type Script,
  type Upstream,
} from "../gateway/harness.ts";
import { answerOf, connectHttp2, type Http2Client } from "./client.ts";
import { expectNothingUncaught } from "./uncaught.ts";

expectNothingUncaught();

interface Standing {
  readonly gateway: GatewayUnderTest;
  readonly server: Upstream;
  readonly client: Http2Client;
}

async function standing(script: Script, wish: GatewayWish = {}): Promise<Standing> {
  const server = await upstream(script);
  const gateway = await startGateway({ http2: true, apps: [app([server.address])], ...wish });
  return { gateway, server, client: connectHttp2(gateway) };
}

const path = (startLine: string): string => startLine.split(" ")[1] ?? "";

describe("a request of HTTP/2 for a server of HTTP/1.1", () => {
  it("is the same request", async () => {
    const { server, client } = await standing(serve(ok("fine")));
    const answer = await client.ask("/a?b=c", {
      "accept-language": "de",
      cookie: ["a=1", "b=2"],
      "x-caf": "caf\u00e9",
      te: "trailers",
    });
    expect(answer).toMatchObject({ status: 200, body: "fine", code: 0 });
    const [request] = server.requests;
    expect(request!.startLine).toBe("GET /a?b=c HTTP/1.1");
    expect(request!.lines.filter((line) => !line.startsWith("X-Request-Id"))).toEqual([
      "Host: shop.test",
      "accept-language: de",
      "x-caf: caf\u00e9",
      "cookie: a=1; b=2",
      "X-Forwarded-For: 127.0.0.1",
      "X-Forwarded-Proto: http",
      "X-Forwarded-Host: shop.test",
      "Via: 2.0 halftone-test",
    ]);
  });

  it.each([
    ["GET", undefined, undefined, []],
    ["HEAD", undefined, undefined, []],
    ["DELETE", undefined, undefined, []],
    ["POST", undefined, undefined, ["Content-Length: 0"]],
    ["POST", "abc", undefined, ["Transfer-Encoding: chunked"]],
    ["POST", "abc", "3", ["Content-Length: 3"]],
    ["POST", "", "0", ["Content-Length: 0"]],
    ["PUT", "", undefined, ["Transfer-Encoding: chunked"]],
    ["GET", "abc", "3", ["Content-Length: 3"]],
  ])("%s with body %j and length %s is framed as %j", async (method, body, length, framing) => {
    const { server, client } = await standing(serve(ok("fine")));
    const fields = { ":method": method, ...(length !== undefined && { "content-length": length }) };
    const answer = await client.ask("/", fields, body);
    expect(answer).toMatchObject({ status: 200, body: method === "HEAD" ? "" : "fine", code: 0 });
    const [request] = server.requests;
    expect(
      request!.lines.filter((line) => /^(content-length|transfer-encoding|te|connection)/i.test(line)),
    ).toEqual(framing);
    expect(request!.body).toBe(body ?? "");
  });

  it("carries trailers both ways, to a client that takes them", async () => {
    const { server, client } = await standing(
      serve(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
      ),
    );
    const stream = client.session.request(
      { ":path": "/", ":method": "POST", te: "trailers" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-up": "1", "x-forwarded-for": "9.9.9.9" }));
    stream.end("hello");
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 200, body: "abc", code: 0 });
    expect(answer.trailers?.["x-sum"]).toBe("7");
    expect(server.requests[0]!.rawBody).toMatch(/\r\n0\r\nx-up: 1\r\n\r\n$/);
    const plain = await client.ask("/");
    expect(plain).toMatchObject({ status: 200, body: "abc", code: 0, trailers: undefined });
    expect(plain.fields["trailer"]).toBeUndefined();
  });

  it("passes interim answers on", async () => {
    const { client } = await standing(async (peer) => {
      await peer.text("\r\n\r\n");
      peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nLink: </b.css>\r\n\r\n");
      peer.send("HTTP/1.1 100 Continue\r\n\r\n");
      const request = await take(peer);
      peer.send(ok(request.body));
    });
    const stream = client.open({ ":path": "/", ":method": "POST", expect: "100-continue" }, true);
    stream.on("continue", () => stream.end("the body"));
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 200, body: "the body", code: 0 });
    expect(answer.interim.map((head) => [head[":status"], head["link"]])).toEqual([
      [103, "</a.css>, </b.css>"],
    ]);
  });

  it("gives the answer's fields as they are, without those of the connection", async () => {
    const lines =
      "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nConnection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n" +
      "HTTP2-Settings: x\r\nX-Halftone-Group: mine\r\nX-Obs: caf\u00e9\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n" +
      "Age: 1\r\nAge: 2\r\n__proto__: x\r\nconstructor: y\r\nVia: 1.1 other\r\nTE: trailers\r\nX-: \r\n";
    const { client } = await standing(serve(ok("x", lines)));
    const stream = client.open({ ":path": "/" });
    let raw: readonly string[] = [];
    stream.on("response", (_fields: unknown, _flags: unknown, all: readonly string[]) => {
      raw = all;
    });
    expect(await answerOf(stream)).toMatchObject({ status: 200, body: "x", code: 0 });
    const seen = Array.from({ length: raw.length / 2 }, (_, i) => `${raw[2 * i]}: ${raw[2 * i + 1]}`);
    expect(seen.filter((line) => !line.startsWith("date: "))).toEqual([
      ":status: 200",
      "set-cookie: a=1",
      "set-cookie: b=2",
      "x-obs: caf\u00e9",
      "content-type: a/b, c/d",
      "age: 1, 2",
      "__proto__: x",
      "constructor: y",
      "via: 1.1 other",
      "via: 1.1 halftone-test",
      "x-: ",
      "content-length: 1",
    ]);
  });

  it.each([204, 304, 205])("%i has no body", async (status) => {
    const { client } = await standing(serve(`HTTP/1.1 ${status} X\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n`));
    const answer = await client.ask("/");
    expect(answer).toMatchObject({ status, body: "", code: 0 });
    expect(answer.fields["x-a"]).toBe("1");
    expect((await client.ask("/again")).status).toBe(status);
  });

  it("gives many small resources to a page, over few connections to the server", async () => {
    const { server, gateway, client } = await standing(
      serve(({ startLine }) => ok(path(startLine).repeat(50))),
    );
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => client.ask(`/resource-${i}`)));
      for (const [i, { status, body, code }] of answers.entries()) {
        expect({ status, body, code }).toEqual({ status: 200, body: `/resource-${i}`.repeat(50), code: 0 });
      }
    }
    expect(server.requests).toHaveLength(300);
    expect(server.peers.length).toBeLessThanOrEqual(100);
    expect(gateway.gateway.counters).toMatchObject({ requests: 300, connections: 1, inFlight: 0 });
  });

  it("is selected like any other: testers by header, told their group", async () => {
    const blue = await upstream(serve(ok("blue")));
    const green = await upstream(serve(ok("green")));
    const gateway = await startGateway({
      http2: true,
      apps: [split([blue.address], [green.address], { testers: [{ header: "x-tester", equals: "1" }] })],
    });
    const client = connectHttp2(gateway);
    const tester = await client.ask("/", { "x-tester": "1" });
    expect(tester.body).toBe("green");
    expect(tester.fields["x-halftone-group"]).toBe("green");
    const other = await client.ask("/");
    expect(other.body).toBe("blue");
    expect(other.fields["x-halftone-group"]).toBeUndefined();
  });

  it("gets the gateway's own answers, as JSON, as a page, and without body to HEAD", async () => {
    const { client, gateway } = await standing(serve(ok()), { apps: [] });
    const json = await client.ask("/");
    expect(json.status).toBe(404);
    expect(json.fields["x-halftone-error"]).toBe("no_route");
    expect(JSON.parse(json.body)).toMatchObject({ error: "no_route", status: 404 });
    expect(json.fields["content-length"]).toBe(String(json.body.length));
    const page = await client.ask("/", { accept: "text/html" });
    expect(page.fields["content-type"]).toBe("text/html; charset=utf-8");
    const head = await client.ask("/", { ":method": "HEAD" });
    expect(head).toMatchObject({ status: 404, body: "", code: 0 });
    expect(gateway.gateway.counters.errors.get("no_route")).toBe(3);
  });
});

describe("failures", () => {
  it("a dead server costs nothing, not even a POST with a body", async () => {
    const dead = await deadAddress();
    const alive = await upstream(serve(({ body }) => ok(`got ${body.length}`)));
    const gateway = await startGateway({ http2: true, apps: [app([dead, alive.address])] });
    const client = connectHttp2(gateway);
    for (const size of [0, 10, 100_000]) {
      const answer = await client.ask("/", { ":method": "POST" }, Buffer.alloc(size));
      expect(answer).toMatchObject({ status: 200, body: `got ${size}`, code: 0 });
    }
  });

  it("a GET is repeated, a POST is not", async () => {
    const broken = await upstream(async (peer) => {
      await take(peer);
      peer.reset();
    });
    const fine = await upstream(serve(ok("fine")));
    const retrying = await startGateway({ http2: true, apps: [app([broken.address, fine.address])] });
    const reader = connectHttp2(retrying);
    for (let i = 0; i < 4; i++) expect((await reader.ask("/")).body).toBe("fine");
    expect(broken.requests).toHaveLength(1);
    const other = await startGateway({ http2: true, apps: [app([broken.address])] });
    const writer = connectHttp2(other);
    expect((await writer.ask("/", { ":method": "POST" }, "body")).status).toBe(502);
    expect(broken.requests.filter((seen) => seen.startLine.startsWith("POST"))).toHaveLength(1);
  });

  it("an answer that is cut is reset, never ended", async () => {
    const { client, gateway } = await standing(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart");
      await eventually(() => part, "the client to have the part");
      peer.reset();
    });
    let part = false;
    const stream = client.open({ ":path": "/" });
    let ended = false;
    stream.on("end", () => {
      ended = true;
    });
    stream.once("data", () => {
      part = true;
    });
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 200, body: "part", code: 2 });
    expect(ended).toBe(false);
    expect(gateway.gateway.counters.cuts).toBe(1);
  });

  it("an answer before the end of the request: whole, then the stream is reset without error", async () => {
    const { client, server } = await standing(async (peer) => {
      await peer.text("part");
      peer.send(ok("enough"));
    });
    const stream = client.open({ ":path": "/", ":method": "POST" }, true);
    stream.write("part");
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 200, body: "enough", code: 0 });
    await server.peers[0]!.gone();
    expect(client.closed).toBe(false);
  });

  it("a body beyond the limit: 413, and the server never sees a whole request", async () => {
    const { client, server } = await standing(() => {}, { limits: { body: 1000 } });
    const declared = await client.ask("/", { ":method": "POST", "content-length": "2000" }, "x".repeat(2000));
    expect(declared.status).toBe(413);
    expect(server.peers).toHaveLength(0);
    const streamed = await client.ask("/", { ":method": "POST" }, "x".repeat(2000));
    expect(streamed.status).toBe(413);
    await server.peers[0]?.gone();
    expect(server.peers[0]?.received ?? "").not.toContain("\r\n0\r\n");
  });

  it("a body that stands still: 408", async () => {
    const { client, gateway } = await standing(() => {}, { timeouts: { idle: 300 } });
    const stream = client.open({ ":path": "/", ":method": "POST" }, true);
    stream.write("part");
    expect((await answerOf(stream)).status).toBe(408);
    await eventually(() => gateway.gateway.counters.inFlight === 0, "the request to be gone");
  });

  it("a body that crawls: 408", async () => {
    const { client } = await standing(() => {}, { timeouts: { idle: 300 }, limits: { bodyRate: 10_000 } });
    const stream = client.open({ ":path": "/", ":method": "POST" }, true);
    const drip = setInterval(() => stream.write("."), 20);
    const answer = await answerOf(stream);
    clearInterval(drip);
    expect(answer.status).toBe(408);
  });

  it("a client that cancels ends the request at the server at once", async () => {
    const { client, gateway, server } = await standing(async (peer) => {
      await take(peer);
    });
    for (const method of ["GET", "HEAD", "POST"]) {
      const stream = client.open({ ":path": "/", ":method": method });
      await eventually(() => gateway.gateway.counters.inFlight === 1, "the request");
      await eventually(
        () => server.peers.some((peer) => !peer.ended && !peer.closed),
        "the request at the server",
      );
      stream.close(8);
      await eventually(
        () => server.peers.every((peer) => peer.ended || peer.closed),
        "its end at the server",
      );
      expect(gateway.gateway.counters.inFlight).toBe(0);
    }
    expect(client.closed).toBe(false);
  });
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function bytesHeld(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe("large bodies", () => {
  const MIB = 1024 * 1024;
  const SIZE = 32 * MIB;
  const piece = (index: number): Buffer => Buffer.alloc(64 * 1024, index & 255);
  const wanted = (): string => {
    const hash = createHash("sha256");
    for (let i = 0; i < SIZE / (64 * 1024); i++) hash.update(piece(i));
    return hash.digest("hex");
  };

  it("an answer arrives whole, and waits for a client that does not read, in bounded memory", async () => {
    let poured = 0;
    const { client } = await standing(async (peer) => {
      const request = await take(peer);
      if (request.startLine.includes("/small")) {
        peer.send(ok("small"));
        return;
      }
      peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
      for (let i = 0; i < SIZE / (64 * 1024); i++) {
        poured += 64 * 1024;
        if (!peer.socket.write(piece(i))) await once(peer.socket, "drain");
      }
    });
    const before = bytesHeld();
    const stream = client.open({ ":path": "/large" });
    await once(stream, "response");
    let last = -1;
    let turns = 0;
    await eventually(() => {
      turns = poured === last ? turns + 1 : 0;
      last = poured;
      return turns > 100;
    }, "the server to be read no further");
    expect(poured).toBeLessThan(SIZE / 2);
    await eventually(() => bytesHeld() - before < 4 * MIB, "bounded memory");
    // Meanwhile other streams of the connection are served.
    expect((await client.ask("/small")).body).toBe("small");
    const hash = createHash("sha256");
    for await (const chunk of stream) hash.update(chunk as Buffer);
    expect(hash.digest("hex")).toBe(wanted());
  });

  it("a request arrives whole, and waits for a server that does not read, in bounded memory", async () => {
    let read!: () => void;
    const reading = new Promise<void>((resolve) => {
      read = resolve;
    });
    const { client, server } = await standing(async (peer) => {
      if (server.peers.length > 1) {
        await take(peer);
        peer.send(ok("small"));
        return;
      }
      peer.socket.removeAllListeners("data");
      peer.socket.pause();
      await reading;
      const hash = createHash("sha256");
      let head = "";
      let seen = 0;
      const chunks = peer.socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
      for await (const chunk of chunks) {
        let bytes = chunk;
        if (!head.includes("\r\n\r\n")) {
          const had = head.length;
          head += chunk.toString("latin1");
          const end = head.indexOf("\r\n\r\n");
          if (end < 0) continue;
          bytes = chunk.subarray(end + 4 - had);
        }
        hash.update(bytes);
        seen += bytes.length;
        if (seen === SIZE) break;
      }
      peer.socket.write(ok(hash.digest("hex")), "latin1");
    });
    const before = bytesHeld();
    const stream = client.open({ ":path": "/", ":method": "POST", "content-length": String(SIZE) }, true);
    const answer = answerOf(stream);
    let sent = 0;
    const sending = (async () => {
      for (let i = 0; i < SIZE / (64 * 1024); i++) {
        sent += 64 * 1024;
        if (!stream.write(piece(i))) await once(stream, "drain");
      }
      stream.end();
    })();
    let last = -1;
    let turns = 0;
    await eventually(() => {
      turns = sent === last ? turns + 1 : 0;
      last = sent;
      return turns > 100;
    }, "the client to be read no further");
    expect(sent).toBeLessThan(SIZE / 2);
    await eventually(() => bytesHeld() - before < 4 * MIB, "bounded memory");
    expect((await client.ask("/small")).body).toBe("small");
    read();
    await sending;
    expect((await answer).body).toBe(wanted());
  });
});

describe("the end of a connection", () => {
  it("a drain lets streams under way end, and the client knows what was not seen", async () => {
    let answer!: () => void;
    const release = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { client, gateway, server } = await standing(async (peer) => {
      await take(peer);
      await release;
      peer.send(ok("late"));
    });
    const late = client.ask("/late");
    await eventually(() => server.requests.length === 1, "the request");
    const goaway = once(client.session, "goaway") as Promise<[code: number, last: number]>;
    const drained = gateway.gateway.drain();
    expect((await goaway).slice(0, 2)).toEqual([0, 1]);
    answer();
    expect(await late).toMatchObject({ status: 200, body: "late", code: 0 });
    expect(await drained).toBe(0);
    await eventually(() => client.closed, "the end of the session");
  });

  it("a drain ends an idle connection at once", async () => {
    const { client, gateway } = await standing(serve(ok()));
    await client.ask("/");
    const raw = await gateway.client();
    expect(await gateway.gateway.drain()).toBe(0);
    await eventually(() => client.closed, "the end of the session");
    await raw.gone();
  });

  it("what does not end in time is cut", async () => {
    const { client, gateway, server } = await standing(
      async (peer) => {
        await take(peer);
      },
      { timeouts: { drain: 100 } },
    );
    const never = client.ask("/never");
    await eventually(() => server.requests.length === 1, "the request");
    expect(await gateway.gateway.drain()).toBe(1);
    expect((await never).code).not.toBe(0);
    await server.peers[0]!.gone();
  });

  it("an idle connection ends after timeouts.idle, with a GOAWAY", async () => {
    const { client } = await standing(serve(ok()), { timeouts: { idle: 300 } });
    await client.ask("/");
    const goaway = once(client.session, "goaway") as Promise<[code: number]>;
    expect((await goaway)[0]).toBe(0);
    await eventually(() => client.closed, "the end of the session");
  });

  it("a client's GOAWAY lets its streams end", async () => {
    const { client, gateway, server } = await standing(async (peer) => {
      await take(peer);
      await eventually(() => told, "the GOAWAY");
      peer.send(ok("fine"));
    });
    let told = false;
    const asked = client.ask("/");
    await eventually(() => server.requests.length === 1, "the request");
    client.session.goaway(0);
    told = true;
    expect((await asked).body).toBe("fine");
    await eventually(() => gateway.gateway.counters.connections === 0, "the connection to be forgotten");
  });
});
