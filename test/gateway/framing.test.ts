import { describe, expect, it } from "vitest";
import {
  app,
  eventually,
  get,
  ok,
  post,
  serve,
  startGateway,
  take,
  turn,
  upstream,
  type Message,
  type Peer,
  type Script,
} from "./harness.ts";

/** One client connection, used for several requests, to a gateway with one server. */
async function pair(script: Script): Promise<{
  client: Peer;
  server: Awaited<ReturnType<typeof upstream>>;
  gateway: Awaited<ReturnType<typeof startGateway>>;
}> {
  const server = await upstream(script);
  const gateway = await startGateway({ apps: [app([server.address])] });
  return { client: await gateway.client(), server, gateway };
}

const echoTarget = serve((request) => ok(request.startLine.split(" ")[1]));

describe("pipelined requests", () => {
  it("are answered in order, whatever their servers' order", async () => {
    const slow = await upstream(async (peer) => {
      await take(peer);
      await turn();
      await turn();
      peer.send(ok("slow"));
    });
    const fast = await upstream(echoTarget);
    const { client } = await startGateway({
      apps: [
        app([slow.address], { name: "slow", routes: [{ path: "/slow" }] }),
        app([fast.address], { name: "fast", routes: [{ path: "/fast" }] }),
      ],
    });
    const peer = await client();
    peer.send(get("/slow") + get("/nobody") + post("body").replace(" / ", " /fast ") + get("/fast/2"));
    const answers: Message[] = [];
    for (let i = 0; i < 4; i++) answers.push(await peer.message());
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 200, 200]);
    expect(answers.map(({ body }) => body).toSpliced(1, 1)).toEqual(["slow", "/fast", "/fast/2"]);
    expect(answers[1]!.field("x-halftone-error")).toBe("no_route");
  });

  it("before a bad third one get their answers, then its 400, then the end", async () => {
    const { client, server } = await pair(echoTarget);
    client.send(`${get("/1")}${get("/2")}GET /3 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${get("/4")}`);
    expect((await client.message()).body).toBe("/1");
    expect((await client.message()).body).toBe("/2");
    const third = await client.message();
    expect(third.status).toBe(400);
    expect(third.field("x-halftone-error")).toBe("two_hosts");
    expect(third.field("connection")).toBe("close");
    await client.gone();
    expect(client.received).toBe("");
    expect(server.requests.length).toBe(2);
  });

  it("after Connection: close are not answered", async () => {
    const { client, server } = await pair(echoTarget);
    client.send(get("/1", "Connection: close\r\n") + get("/2"));
    const answer = await client.message();
    expect(answer.field("connection")).toBe("close");
    await client.gone();
    expect(client.received).toBe("");
    expect(server.requests.length).toBe(1);
  });

  it("by the hundred share one connection to the server", async () => {
    const { client, server } = await pair(echoTarget);
    client.send(Array.from({ length: 500 }, (_, i) => get(`/${i}`)).join(""));
    for (let i = 0; i < 500; i++) expect((await client.message()).body).toBe(`/${i}`);
    expect(server.peers.length).toBe(1);
  });
});

describe("a bodiless answer is taken to have no body, whatever the server says or sends", () => {
  it.each([
    ["HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "5"],
    [
      "HEAD chunked",
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      undefined,
    ],
    ["204", get(), "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", undefined],
    ["304", get(), "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n", "5"],
  ])("%s", async (_name, request, head, length) => {
    const { client, server } = await pair(async (peer, index) => {
      if (index > 0) return serve(ok("next"))(peer, index);
      await take(peer);
      peer.send(`${head}hello`);
    });
    client.send(request);
    const answer = await client.message(true);
    expect(answer.field("content-length")).toBe(length);
    expect(answer.field("transfer-encoding")).toBeUndefined();
    await server.peers[0]!.gone();
    client.send(get());
    expect((await client.message()).body).toBe("next");
    expect(server.peers.length).toBe(2);
  });

  it("and without a lie the connection is kept", async () => {
    const { client, server } = await pair(serve("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"));
    for (let i = 0; i < 3; i++) {
      client.send(get());
      await client.message();
    }
    expect(server.peers.length).toBe(1);
  });
});

describe("bytes that belong to no answer", () => {
  it.each([
    ["a length", ok("body")],
    ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"],
  ])("after %s end that connection and never reach a client", async (_name, answer) => {
    const { client, server } = await pair(async (peer, index) => {
      await take(peer);
      if (index > 0) peer.send(ok("next"));
      else peer.send(`${answer}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`);
    });
    client.send(get() + get());
    expect((await client.message()).body).toBe("body");
    expect((await client.message()).body).toBe("next");
    await server.peers[0]!.gone();
    expect(server.peers.length).toBe(2);
  });

  it("on an idle connection end it", async () => {
    const { client, server, gateway } = await pair(echoTarget);
    client.send(get("/1"));
    await client.message();
    server.peers[0]!.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    await server.peers[0]!.gone();
    client.send(post("x").replace(" / ", " /2 "));
    expect((await client.message()).body).toBe("/2");
    expect(server.peers.length).toBe(2);
    expect(gateway.gateway.servers()[0]!.failures).toBe(0);
  });
});

describe("interim answers", () => {
  const interim: Script = async (peer) => {
    for (;;) {
      await peer.text("\r\n\r\n");
      peer.send(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: Link2\r\nLink2: x\r\n\r\n",
      );
      await take(peer);
      peer.send(ok());
    }
  };

  it("100 comes only to those who asked, 103 to everyone", async () => {
    const { client } = await pair(interim);
    client.send(get());
    const hints = await client.message();
    expect(hints.status).toBe(103);
    expect(hints.lines).toEqual(["Link: </a.css>"]);
    expect((await client.message()).status).toBe(200);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    expect((await client.message()).status).toBe(100);
    expect((await client.message()).status).toBe(103);
    client.send("body");
    expect((await client.message()).status).toBe(200);
  });

  it("none comes to an HTTP/1.0 client", async () => {
    const { client } = await pair(interim);
    client.send("GET / HTTP/1.0\r\n\r\n");
    expect((await client.message()).status).toBe(200);
  });

  it("a final answer instead of 100 ends the connection, as the body may or may not come", async () => {
    const { client, server } = await pair(async (peer) => {
      await peer.text("\r\n\r\n");
      peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    });
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    const answer = await client.message();
    expect(answer.status).toBe(413);
    expect(answer.field("connection")).toBe("close");
    await client.gone();
    await server.peers[0]!.gone();
  });

  it.each([
    ["101 that nobody asked for", get(), "Connection: Upgrade\r\nUpgrade: websocket\r\n"],
    [
      "101 to another protocol",
      get("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
      "Connection: Upgrade\r\nUpgrade: h2c\r\n",
    ],
  ])("%s is a 502", async (_name, request, fields) => {
    const { client, server, gateway } = await pair(async (peer) => {
      await take(peer);
      peer.send(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\nevil`);
    });
    client.send(request);
    expect((await client.message()).field("x-halftone-error")).toBe("bad_response");
    await server.peers[0]!.gone();
    expect(client.received).not.toContain("evil");
    expect(gateway.gateway.counters.inFlight).toBe(0);
  });
});

describe("chunks", () => {
  it("of a request are framed anew: sizes true, extensions gone, trailers kept but those that would mislead", async () => {
    const { client, server } = await pair(serve(ok()));
    client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\nTrailer: X-Sum\r\n\r\n" +
        '0003;a=b;c="d"\r\nabc\r\n4\r\ndefg\r\n0;last\r\nX-Sum: 7\r\nContent-Length: 9\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n',
    );
    await client.message();
    const [request] = server.requests;
    expect(request!.rawBody).toBe("3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n");
    expect(request!.lines.filter((line) => /^transfer-encoding/i.test(line))).toEqual([
      "Transfer-Encoding: chunked",
    ]);
    expect(request!.field("content-length")).toBeUndefined();
  });

  it("of an answer are framed anew, with trailers for those who take them", async () => {
    const { client, server } = await pair(
      serve(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nX-Sum: 7\r\nSet-Cookie: a=b\r\n\r\n",
      ),
    );
    for (const [fields, trailers] of [
      ["TE: trailers\r\n", "X-Sum: 7\r\n"],
      ["", ""],
    ]) {
      client.send(get("/", fields));
      const answer = await client.message();
      expect(answer.rawBody).toBe(`4\r\nabcd\r\n0\r\n${trailers}\r\n`);
    }
    expect(server.peers.length).toBe(1);
  });

  it("of an answer that come together go together, byte for byte", async () => {
    // From one byte to more than is read at once; sizes that do not repeat with any buffer.
    const pieces = Array.from({ length: 3000 }, (_, i) =>
      String.fromCharCode(97 + (i % 26)).repeat(1 + ((i * i) % (i % 100 === 99 ? 30_000 : 50))),
    );
    const body = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join("");
    const { client } = await pair(
      serve(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}0\r\n\r\n`),
    );
    client.send(get());
    const answer = await client.message();
    expect(answer.body === pieces.join("")).toBe(true);
    expect(answer.rawBody.length).toBeLessThan(body.length);
  });

  it("to an HTTP/1.0 client become a body that ends with the connection", async () => {
    const { client } = await pair(
      serve(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\nX-Sum: 7\r\n\r\n",
      ),
    );
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const answer = await client.message();
    expect(answer.body).toBe("abcd");
    expect(answer.field("transfer-encoding")).toBeUndefined();
    expect(answer.field("connection")).toBe("close");
    expect(client.wasReset).toBe(false);
  });

  it("are given to a body that ends with the server's connection", async () => {
    const { client } = await pair(async (peer) => {
      await take(peer);
      peer.send("HTTP/1.0 200 OK\r\n\r\nabc");
      await turn();
      peer.send("def");
      peer.end();
    });
    client.send(get());
    const answer = await client.message();
    expect(answer.body).toBe("abcdef");
    expect(answer.field("transfer-encoding")).toBe("chunked");
    expect(answer.field("connection")).toBeUndefined();
    client.send(get());
    expect((await client.message()).body).toBe("abcdef");
  });

  it("that are malformed are a 400, and the server's connection is gone", async () => {
    const { client, server } = await pair(serve(ok()));
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    await eventually(() => server.peers[0]?.received.includes("abc") === true, "the first chunk");
    client.send("zz\r\n");
    const answer = await client.message();
    expect(answer.status).toBe(400);
    expect(answer.field("x-halftone-error")).toBe("bad_chunk_size");
    await client.gone();
    await server.peers[0]!.gone();
    expect(server.requests.length).toBe(0);
  });
});

describe("an HTTP/1.0 client", () => {
  it("keeps its connection when it asks to and the answer has a length", async () => {
    const { client } = await pair(echoTarget);
    for (const path of ["/1", "/2"]) {
      client.send(`GET ${path} HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n`);
      const answer = await client.message();
      expect(answer.body).toBe(path);
      expect(answer.field("connection")).toBe("keep-alive");
    }
    client.send("GET /3 HTTP/1.0\r\n\r\n");
    expect((await client.message()).field("connection")).toBe("close");
    await client.gone();
  });
});

describe("a client that leaves", () => {
  it("by FIN after its requests still gets all answers", async () => {
    const { client } = await pair(async (peer) => {
      for (;;) {
        const request = await take(peer);
        await turn();
        peer.send(ok(request.startLine.split(" ")[1]));
      }
    });
    client.send(get("/1") + get("/2") + get("/3"));
    client.end();
    for (const path of ["/1", "/2", "/3"]) expect((await client.message()).body).toBe(path);
    await client.gone();
    expect(client.wasReset).toBe(false);
  });

  it("by FIN within a head gets nothing more", async () => {
    const { client, server } = await pair(serve(ok()));
    client.send("GET / HTTP/1.1\r\nHost:");
    client.end();
    await client.gone();
    expect(client.received).toBe("");
    expect(server.peers.length).toBe(0);
  });

  it("by reset ends its request at the server", async () => {
    const { client, server, gateway } = await pair(async (peer) => {
      await take(peer);
    });
    client.send(get());
    await eventually(() => server.requests.length === 1, "the request");
    client.reset();
    await server.peers[0]!.gone();
    await eventually(() => gateway.gateway.counters.connections === 0, "the end of the connection");
    expect(gateway.gateway.counters.inFlight).toBe(0);
    expect(gateway.gateway.servers()[0]).toMatchObject({ inFlight: 0, failures: 0 });
  });

  it.each([
    ["FIN with a length", "Content-Length: 10\r\n\r\nhalf", "end"],
    ["reset with a length", "Content-Length: 10\r\n\r\nhalf", "reset"],
    ["FIN in chunks", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "end"],
  ] as const)(
    "within its body, %s, ends the server's connection: the request is never whole",
    async (_name, rest, how) => {
      const { client, server } = await pair(serve(ok()));
      client.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
      await eventually(() => server.peers[0]?.received.includes("half") === true, "the half body");
      client[how]();
      await server.peers[0]!.gone();
      expect(server.requests.length).toBe(0);
      expect(server.peers[0]!.received).not.toContain("\r\n0\r\n\r\n");
    },
  );
});

describe("an answer before the request is whole", () => {
  it("is relayed, ends the client's connection, and the server's is not used again", async () => {
    const { client, server } = await pair(async (peer, index) => {
      if (index > 0) return serve(ok("next"))(peer, index);
      await peer.text("start");
      peer.send(ok("early"));
    });
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nstart");
    const answer = await client.message();
    expect(answer.body).toBe("early");
    expect(answer.field("connection")).toBe("close");
    client.send("x".repeat(1000));
    await client.gone();
    expect(client.wasReset).toBe(false);
    await server.peers[0]!.gone();
  });

  it("is relayed even though its server resets the connection over the rest of the upload", async () => {
    const server = await upstream(async (peer) => {
      peer.socket.pause();
      await new Promise((resolve) => peer.socket.once("readable", resolve));
      peer.socket.end("HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nfull");
      // Closed with input unread: the kernel sends a reset.
      peer.socket.once("finish", () => peer.socket.destroy());
    });
    const gateway = await startGateway({ apps: [app([server.address])] });
    for (let i = 0; i < 5; i++) {
      const client = await gateway.client();
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n${"x".repeat(8_000_000)}`);
      const answer = await client.message();
      expect([answer.status, answer.body]).toEqual([413, "full"]);
      client.socket.destroy();
    }
    expect(gateway.server(server.address).failures).toBe(0);
  });

  it("goes on beside the upload when it streams", async () => {
    const { client } = await pair(async (peer) => {
      await peer.text("one");
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
      await peer.text("two");
      peer.send("3\r\ntwo\r\n0\r\n\r\n");
    });
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\none");
    await client.text("one");
    client.send("two");
    expect((await client.message()).body).toBe("onetwo");
  });
});

describe("a request means the same however its bytes arrive", () => {
  const samples: readonly (readonly [string, string])[] = [
    ["GET", get("/a?b=c", "Cookie: a=b\r\nX-Empty:\r\n")],
    ["empty lines before it", `\r\n\r\n${get("/a")}`],
    ["a body", post("hello body", "Connection: X-Own\r\nX-Own: 1\r\n")],
    [
      "chunks",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n",
    ],
    ["two", get("/1") + post("x")],
    ["bare LF", "GET / HTTP/1.1\nHost: a\n\n"],
    ["a space before the colon", "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n"],
    ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"],
    [
      "length and chunks",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a bad chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n"],
  ];

  it.each(samples)("%s, split at every byte", async (_name, text) => {
    const server = await upstream(serve((request) => ok(`${request.startLine} ${request.body}`)));
    const { client } = await startGateway({ apps: [app([server.address])] });
    /** Chunks may be cut differently; what they carry may not. */
    const see = async (...parts: string[]): Promise<unknown> => {
      const before = server.requests.length;
      const peer = await client();
      for (const part of parts) {
        peer.send(part);
        await turn();
      }
      peer.end();
      await peer.gone();
      const asked = server.requests.slice(before).map(({ startLine, lines, body, rawBody }) => ({
        startLine,
        lines: lines.filter((line) => !line.startsWith("X-Request-Id")),
        body,
        trailers: rawBody.endsWith("X-T: 1\r\n\r\n"),
      }));
      const answered = peer.received
        .replaceAll(/X-Request-Id: \S+/g, "")
        // The gateway's own answer: as long as its request id.
        .replaceAll(/"requestId":"[^"]+"/g, "")
        .replaceAll(/Content-Length: 1\d\d\r\n/g, "")
        .replaceAll(/(Date: .*)\r\n/g, "");
      return { asked, answered };
    };
    const whole = await see(text);
    expect(JSON.stringify(whole)).toContain("HTTP/1.1 ");
    for (let at = 1; at < text.length; at++) {
      expect(await see(text.slice(0, at), text.slice(at)), `split at ${at}`).toEqual(whole);
    }
    expect(await see(...text.split("")), "byte by byte").toEqual(whole);
  });

  it("so does an answer", async () => {
    const answer =
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n3;q\r\nabc\r\n0\r\nX-T: 1\r\n\r\n";
    let at = 0;
    const server = await upstream(async (peer) => {
      for (;;) {
        await take(peer);
        peer.send(answer.slice(0, at));
        await turn();
        peer.send(answer.slice(at));
      }
    });
    const { client } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    for (at = 0; at < answer.length; at++) {
      peer.send(get("/", "TE: trailers\r\n"));
      expect((await peer.message()).lines, `split at ${at}`).toEqual(["Link: x"]);
      const final = await peer.message();
      expect(final.body, `split at ${at}`).toBe("abc");
      expect(final.field("x-a")).toBe("b");
      expect(final.rawBody.endsWith("0\r\nX-T: 1\r\n\r\n")).toBe(true);
    }
    expect(server.peers.length).toBe(1);
  });
});

describe("fields", () => {
  it("of one connection are not passed on, in either direction", async () => {
    const hop =
      "Connection: close, X-Own, x-own-too\r\nX-Own: 1\r\nX-OWN-Too: 2\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: h2c\r\n";
    const { client, server } = await pair(serve(ok("x", `${hop}X-End: 1\r\n`)));
    client.send(get("/", `${hop}X-End: 1\r\n`));
    const answer = await client.message();
    for (const message of [server.requests[0]!, answer]) {
      expect(message.field("x-end")).toBe("1");
      for (const name of ["x-own", "x-own-too", "keep-alive", "proxy-connection", "te", "upgrade"]) {
        expect(message.field(name), name).toBeUndefined();
      }
    }
    expect(server.requests[0]!.field("connection")).toBeUndefined();
    // The server said close, and is not asked again on that connection.
    await server.peers[0]!.gone();
  });

  it("that vouch cannot be named away by Connection", async () => {
    const { client, server } = await pair(serve(ok()));
    client.send(
      get(
        "/",
        "Connection: X-Forwarded-For, Authorization, Cookie, X-Request-Id\r\nAuthorization: a\r\nCookie: c=d\r\n",
      ),
    );
    await client.message();
    const [request] = server.requests;
    expect(request!.field("x-forwarded-for")).toBe("127.0.0.1");
    expect(request!.field("authorization")).toBe("a");
    expect(request!.field("cookie")).toBe("c=d");
    expect(request!.field("x-request-id")).toMatch(/./);
  });

  const forged =
    "X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 7.7.7.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\nX-Request-Id: mine-1\r\nProxy: http://evil.test\r\n";
  const all = (message: Message, name: string): string[] =>
    message.lines
      .filter((line) => line.toLowerCase().startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 2));

  it("that only a proxy may set are replaced when a stranger sends them", async () => {
    const { client, server } = await pair(serve(ok()));
    client.send(get("/", forged));
    await client.message();
    const [request] = server.requests;
    expect(all(request!, "x-forwarded-for")).toEqual(["127.0.0.1"]);
    expect(all(request!, "x-forwarded-proto")).toEqual(["http"]);
    expect(all(request!, "x-forwarded-host")).toEqual(["shop.test"]);
    expect(all(request!, "x-request-id")).not.toEqual(["mine-1"]);
    expect(all(request!, "x-request-id").length).toBe(1);
    expect(all(request!, "proxy")).toEqual([]);
    expect(all(request!, "via")).toEqual(["1.1 halftone-test"]);
  });

  it("are believed when a trusted proxy sends them", async () => {
    const server = await upstream(serve(ok()));
    const { ask } = await startGateway({ trustedProxies: ["127.0.0.9/32"], apps: [app([server.address])] });
    await ask(get("/", forged), "127.0.0.9");
    await ask(get("/", forged), "127.0.0.8");
    const [trusted, stranger] = server.requests;
    expect(all(trusted!, "x-forwarded-for")).toEqual(["6.6.6.6, 7.7.7.7, 127.0.0.9"]);
    expect(all(trusted!, "x-forwarded-proto")).toEqual(["https"]);
    expect(all(trusted!, "x-forwarded-host")).toEqual(["evil.test"]);
    expect(all(trusted!, "x-request-id")).toEqual(["mine-1"]);
    expect(all(trusted!, "proxy")).toEqual([]);
    expect(all(stranger!, "x-forwarded-for")).toEqual(["127.0.0.8"]);
  });

  it("a request id that would be markup is replaced, from whomever it comes", async () => {
    const { ask } = await startGateway({ trustedProxies: ["127.0.0.1"] });
    const answer = await ask(get("/", "Accept: text/html\r\nX-Request-Id: <script>alert(1)</script>\r\n"));
    expect(answer.status).toBe(404);
    expect(answer.body).toContain("<!doctype html>");
    expect(answer.body).not.toContain("<script>");
  });

  it("an absolute-form target decides over Host", async () => {
    const { client, server } = await pair(serve(ok()));
    client.send("GET http://real.test/x HTTP/1.1\r\nHost: other.test\r\n\r\n");
    await client.message();
    const [request] = server.requests;
    expect(request!.startLine).toBe("GET /x HTTP/1.1");
    expect(all(request!, "host")).toEqual(["real.test"]);
  });
});

describe("a tunnel", () => {
  const upgrade = get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n");
  const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

  it("carries bytes both ways, those sent early too, and ends for both", async () => {
    const { client, server, gateway } = await pair(async (peer) => {
      await take(peer);
      peer.send(`${switching}from server`);
    });
    client.send(`${upgrade}from client`);
    expect((await client.message()).status).toBe(101);
    await client.text("from server");
    await server.peers[0]!.text("from client");
    expect(server.requests[0]!.field("upgrade")).toBe("websocket");
    client.send("GET / HTTP/1.1\r\n\r\n");
    await server.peers[0]!.text("from clientGET / HTTP/1.1\r\n\r\n");
    expect(gateway.gateway.servers()[0]!.inFlight).toBe(1);
    server.peers[0]!.end();
    await client.gone();
    await eventually(() => gateway.gateway.servers()[0]!.inFlight === 0, "the end of the tunnel");
    expect(gateway.gateway.counters.inFlight).toBe(0);
  });

  it("tells the server when the client is done, even before the switch", async () => {
    const { client, server } = await pair(async (peer) => {
      await take(peer);
      await turn();
      await turn();
      peer.send(switching);
    });
    client.send(`${upgrade}all`);
    client.end();
    await client.text("101");
    await server.peers[0]!.text("all");
    await server.peers[0]!.until(({ ended }) => ended, "the client's FIN");
    server.peers[0]!.send("last words");
    server.peers[0]!.end();
    await client.text("last words");
  });

  it("is an ordinary answer when the server does not switch", async () => {
    const { client } = await pair(echoTarget);
    client.send(upgrade);
    expect((await client.message()).body).toBe("/ws");
    client.send(get("/next"));
    expect((await client.message()).body).toBe("/next");
  });
});
