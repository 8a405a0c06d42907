import { describe, expect, it } from "vitest";
import { eventually } from "../gateway/harness.ts";
import {
  block,
  Code,
  data,
  Flag,
  frame,
  headers,
  RawClient,
  request,
  reset,
  Type,
  type Fields,
} from "./raw-frames.ts";
import { standing, wire } from "./standing.ts";
import { expectNothingUncaught } from "./uncaught.ts";

expectNothingUncaught();

describe("requests that HTTP/1.1 could take for something else", () => {
  const post: Fields = [[":method", "POST"]];
  /** What an attacker tries, and how it ends: by which status, or reset. The server must see nothing of it. */
  const cases: readonly [what: string, fields: Fields, end: number | "reset"][] = [
    ["H2.TE", request("/", [...post, ["transfer-encoding", "chunked"]]), "reset"],
    ["connection", request("/", [["connection", "close"]]), "reset"],
    ["keep-alive", request("/", [["keep-alive", "1"]]), "reset"],
    ["proxy-connection", request("/", [["proxy-connection", "keep-alive"]]), "reset"],
    ["upgrade", request("/", [["upgrade", "websocket"]]), "reset"],
    ["upgrade to h2c", request("/", [["http2-settings", "AAMAAABkAARAAAAAAAIAAAAA"]]), 400],
    ["te that is not trailers", request("/", [["te", "gzip"]]), "reset"],
    ["upper case", request("/", [["X-Big", "1"]]), "reset"],
    ["a space in a name", request("/", [["x y", "1"]]), 200],
    ["CRLF in :path", request("/ HTTP/1.1\r\nHost: evil\r\n\r\nGET /x"), "reset"],
    ["a space in :path", request("/a b"), "reset"],
    ["a # in :path", request("/a#b"), 400],
    ["an empty :path", request(""), "reset"],
    [":path without slash", request("x"), "reset"],
    [":path with another host", request("http://evil.test/"), "reset"],
    [":path *", request("*"), "reset"],
    ["a space in :method", request("/", [[":method", "GET / HTTP/1.1"]]), "reset"],
    ["CRLF in :method", request("/", [[":method", "GET\r\nX"]]), "reset"],
    ["an unknown :method", request("/", [[":method", "BREW"]]), 501],
    ["CRLF in :authority", request("/", [[":authority", "shop.test\r\nx: y"]]), "reset"],
    ["user in :authority", request("/", [[":authority", "user@shop.test"]]), 400],
    ["a slash in :authority", request("/", [[":authority", "shop.test/x"]]), "reset"],
    ["an empty :authority", request("/", [[":authority", ""]]), "reset"],
    ["an odd :scheme", request("/", [[":scheme", "ftp"]]), 400],
    ["CRLF in :scheme", request("/", [[":scheme", "http\r\n"]]), "reset"],
    ["another host", request("/", [["host", "evil.test"]]), 400],
    [
      "two hosts",
      request("/", [
        ["host", "shop.test"],
        ["host", "evil.test"],
      ]),
      "reset",
    ],
    ["two lengths", request("/", [...post, ["content-length", "0"], ["content-length", "1"]]), "reset"],
    ["a length of hex", request("/", [...post, ["content-length", "0x1"]]), "reset"],
    ["a length without body", request("/", [...post, ["content-length", "5"]]), "reset"],
    ["a pseudo field twice", [...request("/").slice(0, 1), ...request("/")], "reset"],
    ["a pseudo field after others", [...request("/").slice(0, 3), ["x", "y"], [":path", "/"]], "reset"],
    ["an unknown pseudo field", [[":proto", "x"], ...request("/")], "reset"],
    [":status", [[":status", "200"], ...request("/")], "reset"],
    [":protocol without CONNECT", request("/", [[":protocol", "websocket"]]), "reset"],
    ["no :method", request("/").slice(1), "reset"],
    ["no :scheme", request("/").filter(([name]) => name !== ":scheme"), "reset"],
    ["no :path", request("/").slice(0, 3), "reset"],
    ["no :authority and no host", request("/").filter(([name]) => name !== ":authority"), "reset"],
    [
      "CONNECT",
      [
        [":method", "CONNECT"],
        [":authority", "shop.test:80"],
      ],
      405,
    ],
    ["TRACE", request("/", [[":method", "TRACE"]]), 405],
    ["a shadow name", request("/", [["transfer_encoding", "chunked"]]), 400],
  ];

  it.each(cases)("%s", async (_, fields, end) => {
    const { gateway, server } = await standing();
    const client = await RawClient.open(gateway);
    client.send(headers(1, fields));
    if (end === "reset") expect(await client.resetCode(1)).toBe(Code.PROTOCOL_ERROR);
    else expect(await client.status(1)).toBe(end);
    if (end !== 200) expect(server.requests.map((seen) => seen.startLine)).toEqual([]);
    // Others on the same connection are not hurt.
    client.send(headers(3, request("/after")));
    expect(await client.body(3)).toBe("fine");
    expect(server.requests.map((seen) => seen.startLine)).toEqual(
      end === 200 ? ["GET / HTTP/1.1", "GET /after HTTP/1.1"] : ["GET /after HTTP/1.1"],
    );
    expect(wire(server)).toBe("");
  });

  it.each([
    ["CRLF", "a\r\nx-evil: 1"],
    ["LF", "a\nx-evil: 1"],
    ["a CR", "a\rb"],
    ["NUL", "a\0b"],
    ["a request", "a\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil\r\n\r\n"],
  ])("%s in a value never reaches the server", async (_, value) => {
    const { gateway, server } = await standing();
    const client = await RawClient.open(gateway);
    for (const [at, name] of ["x-value", "cookie", "user-agent", "content-length", "te", "host"].entries()) {
      client.send(headers(2 * at + 1, request(`/${name}`, [[name, value]])));
    }
    client.send(headers(101, request("/last")));
    await client.body(101);
    for (const seen of server.requests) {
      // Not the request id: it is random.
      const lines = seen.lines.filter((line) => !line.startsWith("X-Request-Id: "));
      expect(lines.filter((line) => /evil|[\r\n\0]/.test(line))).toEqual([]);
      expect(seen.startLine).toMatch(/^GET \/[\w-]+ HTTP\/1\.1$/);
    }
    expect(server.requests.map((seen) => seen.startLine)).toContain("GET /last HTTP/1.1");
    expect(wire(server)).toBe("");
  });
});

describe("bodies that are not what was said", () => {
  const upload = (length: number, path = "/up"): Fields =>
    request(path, [
      [":method", "POST"],
      ["content-length", String(length)],
    ]);

  it.each([
    ["longer (H2.CL)", 4, "GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n"],
    ["shorter", 400, "abc"],
    ["longer than nothing", 0, "abc"],
  ])("than the length says: %s", async (_, length, body) => {
    const { gateway, server } = await standing();
    const client = await RawClient.open(gateway);
    client.send(headers(1, upload(length), 0), data(1, body, Flag.END_STREAM));
    expect(await client.resetCode(1)).toBe(Code.PROTOCOL_ERROR);
    client.send(headers(3, request("/after")));
    expect(await client.body(3)).toBe("fine");
    for (const seen of server.requests) expect(seen.startLine).not.toContain("evil");
    expect(server.requests.filter((seen) => seen.startLine.includes("/up"))).toEqual(
      length === 0 ? expect.any(Array) : [],
    );
  });

  it.each([Code.NO_ERROR, Code.CANCEL, Code.INTERNAL_ERROR])(
    "a body cut by RST_STREAM with code %i is never whole for the server",
    async (code) => {
      const { gateway, server } = await standing();
      const client = await RawClient.open(gateway);
      client.send(headers(1, request("/up", [[":method", "POST"]]), 0), data(1, "part"));
      await eventually(() => wire(server).includes("part"), "the first part at the server");
      client.send(reset(1, code));
      await server.peers[0]!.gone();
      expect(server.requests).toEqual([]);
      expect(wire(server)).not.toContain("\r\n0\r\n");
    },
  );

  it("a body cut by the end of the connection is never whole for the server", async () => {
    const { gateway, server } = await standing();
    const client = await RawClient.open(gateway);
    client.send(headers(1, request("/up", [[":method", "POST"]]), 0), data(1, "part"));
    await eventually(() => wire(server).includes("part"), "the first part at the server");
    client.socket.end();
    await server.peers[0]!.gone();
    expect(server.requests).toEqual([]);
    expect(wire(server)).not.toContain("\r\n0\r\n");
  });

  it("pseudo fields in trailers", async () => {
    const { gateway, server } = await standing();
    const client = await RawClient.open(gateway);
    client.send(headers(1, request("/up", [[":method", "POST"]]), 0), data(1, "part"));
    client.send(headers(1, [[":path", "/x"]]));
    expect(await client.resetCode(1)).toBe(Code.PROTOCOL_ERROR);
    expect(server.requests).toEqual([]);
  });

  it("trailers that frame, route or vouch are dropped", async () => {
    const { gateway, server } = await standing();
    const client = await RawClient.open(gateway);
    client.send(headers(1, request("/up", [[":method", "POST"]]), 0), data(1, "part"));
    client.send(
      headers(1, [
        ["x-sum", "1"],
        ["x-forwarded-for", "1.2.3.4"],
        ["cache-control", "no-store"],
        ["authorization", "me"],
      ]),
    );
    expect(await client.body(1)).toBe("fine");
    expect(server.requests[0]!.rawBody).toBe("4\r\npart\r\n0\r\nx-sum: 1\r\n\r\n");
  });
});

describe("heads without measure", () => {
  it("answers 431 to too many fields and to too large a head", async () => {
    const { gateway, server } = await standing({ limits: { headers: 40, head: 4096 } });
    const client = await RawClient.open(gateway);
    client.send(
      headers(
        1,
        request(
          "/",
          Array.from({ length: 60 }, (_, i) => [`x-${i}`, "1"] as const),
        ),
      ),
    );
    expect(await client.status(1)).toBe(431);
    client.send(headers(3, request("/", [["x-large", "a".repeat(5000)]])));
    expect(await client.status(3)).toBe(431);
    client.send(headers(5, request(`/${"a".repeat(5000)}`)));
    expect(await client.status(5)).toBe(414);
    expect(server.requests).toEqual([]);
    client.send(headers(7, request("/fine")));
    expect(await client.status(7)).toBe(200);
  });

  it("takes cookies in many crumbs as one field", async () => {
    const { gateway, server } = await standing({ limits: { headers: 20 } });
    const client = await RawClient.open(gateway);
    const crumbs = Array.from({ length: 50 }, (_, i) => ["cookie", `c${i}=1`] as const);
    client.send(headers(1, request("/", crumbs)));
    expect(await client.status(1)).toBe(200);
    expect(server.requests[0]!.field("cookie")).toBe(crumbs.map(([, value]) => value).join("; "));
  });

  it("resets a stream whose fields go far beyond the limit (HPACK bomb)", async () => {
    const { gateway, server } = await standing();
    const client = await RawClient.open(gateway);
    // One entry of nearly 4 KiB in the dynamic table, then one byte for each repetition of it.
    const entry = Buffer.concat([Buffer.from([0x40]), block([["x", "a".repeat(3900)]]).subarray(1)]);
    const bomb = Buffer.concat([block(request("/")), entry, Buffer.alloc(12_000, 0xbe)]);
    client.send(frame(Type.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1, bomb));
    expect(await client.resetCode(1)).toBe(Code.ENHANCE_YOUR_CALM);
    expect(server.requests).toEqual([]);
    client.send(headers(3, request("/after")));
    expect(await client.status(3)).toBe(200);
  });

  it("ends a connection that floods CONTINUATION (CVE-2024-27983)", async () => {
    const { gateway, server } = await standing();
    const client = await RawClient.open(gateway);
    client.send(frame(Type.HEADERS, Flag.END_STREAM, 1, block(request("/"))));
    await client.flood(frame(Type.CONTINUATION, 0, 1, block([["x", "a".repeat(100)]])), 100_000);
    await client.gone();
    expect(server.requests).toEqual([]);
    await eventually(() => gateway.gateway.counters.connections === 0, "the connection to be forgotten");
  });

  it("ends a connection whose head never comes to its end", async () => {
    const { gateway, server } = await standing({ timeouts: { header: 300 } });
    const client = await RawClient.open(gateway);
    client.send(headers(1, request("/one")));
    await client.body(1);
    client.send(frame(Type.HEADERS, Flag.END_STREAM, 3, block(request("/two"))));
    expect(await client.goawayCode()).toBe(Code.ENHANCE_YOUR_CALM);
    await client.gone();
    expect(server.requests).toHaveLength(1);
  });

  it("does not take a refused stream for such a head", async () => {
    const { gateway } = await standing({ timeouts: { header: 300 } });
    const client = await RawClient.open(gateway);
    client.send(headers(1, request("/", [["connection", "close"]])));
    await client.resetCode(1);
    await client.until(() => client.of(Type.PING).length > 0, "the question whether there is more to come");
    const ping = client.of(Type.PING)[0]!;
    client.send(frame(Type.PING, Flag.ACK, 0, ping.payload));
    const from = performance.now();
    await eventually(() => performance.now() - from > 2000, "two looks at the session");
    client.send(headers(3, request("/after")));
    expect(await client.status(3)).toBe(200);
  });

  it("ends a connection that sends no settings in time", async () => {
    const { gateway } = await standing({ timeouts: { header: 300 } });
    const client = await RawClient.connect(gateway);
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    expect(await client.goawayCode()).toBe(Code.SETTINGS_TIMEOUT);
    await client.gone();
  });

  it("ends a connection that sends half a preface", async () => {
    const { gateway } = await standing({ timeouts: { header: 200 } });
    const client = await RawClient.connect(gateway);
    client.send("PRI * HTTP/2.0\r\n");
    await client.gone();
    await eventually(() => gateway.gateway.counters.connections === 0, "the connection to be forgotten");
  });
});
