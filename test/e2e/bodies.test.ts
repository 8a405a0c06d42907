import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Backend, startBackend } from "./harness/backend.ts";
import { ask, keepAlive, readAnswer } from "./harness/client.ts";
import { type HalftoneProcess, startHalftone } from "./harness/halftone-process.ts";
import { RawConnection } from "./harness/raw-connection.ts";
import { openScene } from "./harness/scene.ts";
import { pause, until } from "./harness/until.ts";

const MIB = 1024 * 1024;

/** `size` bytes that do not repeat with any power of two, so that a lost or doubled piece changes the hash. */
function bytesOf(size: number): Buffer {
  const pattern = Buffer.alloc(65_521);
  for (let n = 0; n < pattern.length; n++) pattern[n] = (n * 31 + (n >> 8)) & 0xff;
  return Buffer.alloc(size, pattern);
}

const hashOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** What the backend wrote of the streams it has under way. */
const written = { bytes: 0 };

async function streamTo(response: ServerResponse, size: number): Promise<void> {
  const closed = once(response, "close");
  const piece = bytesOf(MIB);
  for (let sent = 0; sent < size && !response.destroyed; sent += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, size - sent));
    written.bytes += part.length;
    if (!response.write(part)) await Promise.race([once(response, "drain"), closed]);
  }
  response.end();
}

async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(incoming.url!, "http://backend");
  const size = Number(url.searchParams.get("size") ?? 0);
  const chunked = url.searchParams.get("framing") === "chunked";
  switch (url.pathname) {
    case "/hash": {
      const hash = createHash("sha256");
      let length = 0;
      for await (const chunk of incoming) {
        hash.update(chunk as Buffer);
        length += (chunk as Buffer).length;
      }
      const framing = incoming.headers["transfer-encoding"] ?? incoming.headers["content-length"] ?? "none";
      response.end(
        JSON.stringify({ length, framing, hash: hash.digest("hex"), trailers: incoming.trailers }),
      );
      return;
    }
    case "/make": {
      if (!chunked) response.setHeader("content-length", size);
      if (incoming.method === "HEAD") response.end();
      else if (size > 64 * MIB) await streamTo(response, size);
      else {
        // In two writes, so that node:http cannot find the length by itself.
        const bytes = bytesOf(size);
        response.write(bytes.subarray(0, size / 2));
        response.end(bytes.subarray(size / 2));
      }
      return;
    }
    case "/status":
      response.writeHead(Number(url.searchParams.get("code")), { etag: '"7"' }).end();
      return;
    case "/later":
      // Later than the requests after it could be answered, if they were sent there at the same time.
      setTimeout(() => response.end(url.search), 30 - Number(url.searchParams.get("n")) * 5);
      return;
    case "/trailers":
      response.setHeader("trailer", "x-check");
      response.write("content");
      response.addTrailers({ "x-check": "done" });
      response.end();
      return;
    case "/hints":
      response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" }, () => response.end("page"));
      return;
    case "/close":
      response.setHeader("connection", "close");
      response.end("bye");
      return;
    case "/enough":
      // The answer is complete before the request is; node:http reads the rest and throws it away.
      response.writeHead(413).end("too much");
      return;
    case "/enough-and-cut":
      // The same, but the connection is closed with the rest unread: the system answers that with a reset.
      response.writeHead(413, { connection: "close" }).end("too much");
      return;
    default:
      response.writeHead(404).end();
  }
}

describe("bodies", () => {
  const scene = openScene(afterAll);
  let halftone: HalftoneProcess;
  let backend: Backend;
  let port: number;

  beforeAll(async () => {
    backend = await startBackend(scene, "127.0.4.41", (incoming, response) => {
      serve(incoming, response).catch(() => response.destroy());
    });
    halftone = await startHalftone(scene);
    await halftone.put("files", {
      name: "files",
      groups: { only: { servers: [`127.0.4.41:${backend.port}`] } },
    });
    port = halftone.gatewayPort;
  });

  /** Sends 64 MiB until there is an answer; "" if the connection ended without one. */
  async function upload(path: string): Promise<string> {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      method: "POST",
      path,
      agent: keepAlive(openScene(onTestFinished)),
      headers: { "content-length": `${64 * MIB}` },
    });
    outgoing.on("error", () => {});
    const answers: IncomingMessage[] = [];
    outgoing.on("response", (response) => answers.push(response));
    const over = Promise.race([once(outgoing, "response"), once(outgoing, "close")]);
    const piece = bytesOf(MIB);
    for (let n = 0; n < 64 && answers.length === 0 && !outgoing.destroyed; n++) {
      if (!outgoing.write(piece)) await Promise.race([once(outgoing, "drain"), over]);
    }
    await over;
    const [response] = answers;
    if (response === undefined) return "";
    const { status, text } = await readAnswer(response);
    outgoing.destroy();
    return `${status} ${text}`;
  }

  describe.each([1, 32])("of %d MiB", (mebibytes) => {
    const bytes = bytesOf(mebibytes * MIB);

    it.each(["length", "chunked"])("go up whole, framed by %s", async (framing) => {
      const answer = await ask({
        port,
        method: "POST",
        path: "/hash",
        body: bytes,
        headers:
          framing === "chunked"
            ? { "transfer-encoding": "chunked" }
            : { "content-length": `${bytes.length}` },
      });
      expect(JSON.parse(answer.text)).toMatchObject({
        length: bytes.length,
        hash: hashOf(bytes),
        framing: framing === "chunked" ? "chunked" : `${bytes.length}`,
      });
    });

    it.each(["length", "chunked"])("come down whole, framed by %s", async (framing) => {
      const answer = await ask({ port, path: `/make?size=${bytes.length}&framing=${framing}` });
      expect(answer.status).toBe(200);
      expect(hashOf(answer.body)).toBe(hashOf(bytes));
      const { "content-length": length, "transfer-encoding": encoding } = answer.headers;
      expect({ length, encoding }).toEqual(
        framing === "chunked"
          ? { length: undefined, encoding: "chunked" }
          : { length: `${bytes.length}`, encoding: undefined },
      );
    });
  });

  it("are absent after HEAD, 204 and 304, and the connection goes on", async () => {
    const client = await RawConnection.open(openScene(onTestFinished), port);
    client.send("HEAD /make?size=1000 HTTP/1.1", "Host: a", "", "");
    const head = await client.answer({ headOnly: true });
    expect(head.status).toBe(200);
    expect(head.fields["content-length"]).toBe("1000");

    client.send("HEAD /make?size=1000&framing=chunked HTTP/1.1", "Host: a", "", "");
    expect((await client.answer({ headOnly: true })).status).toBe(200);

    client.send("GET /status?code=204 HTTP/1.1", "Host: a", "", "");
    const empty = await client.answer();
    expect(empty.status).toBe(204);
    expect(empty.fields).not.toHaveProperty("content-length");
    expect(empty.fields).not.toHaveProperty("transfer-encoding");

    client.send("GET /status?code=304 HTTP/1.1", "Host: a", "", "");
    const unchanged = await client.answer();
    expect(unchanged.status).toBe(304);
    expect(unchanged.fields["etag"]).toBe('"7"');

    client.send("GET /make?size=10 HTTP/1.1", "Host: a", "", "");
    expect((await client.answer()).body.equals(bytesOf(10))).toBe(true);
  });

  it("answer pipelined requests in their order", async () => {
    const client = await RawConnection.open(openScene(onTestFinished), port);
    const requests = Array.from({ length: 6 }, (_, n) => [`GET /later?n=${n} HTTP/1.1`, "Host: a", ""]);
    client.send(...requests.flat(), "");
    for (let n = 0; n < 6; n++) expect(String((await client.answer()).body)).toBe(`?n=${n}`);
  });

  it("pass a pipelined request behind an upload on untouched", async () => {
    const client = await RawConnection.open(openScene(onTestFinished), port);
    client.send(
      "POST /hash HTTP/1.1",
      "Host: a",
      "Content-Length: 5",
      "",
      "helloGET /later?n=4 HTTP/1.1",
      "Host: a",
      "",
      "",
    );
    expect(JSON.parse(String((await client.answer()).body))).toMatchObject({ length: 5 });
    expect(String((await client.answer()).body)).toBe("?n=4");
  });

  it("reach an HTTP/1.0 client without chunks, ended by the end of the connection", async () => {
    const client = await RawConnection.open(openScene(onTestFinished), port);
    client.send("GET /make?size=100000&framing=chunked HTTP/1.0", "Host: a", "", "");
    const answer = await client.answer();
    expect(answer.fields).not.toHaveProperty("transfer-encoding");
    expect(answer.body.equals(bytesOf(100_000))).toBe(true);
    expect((await client.closed()).length).toBe(0);
  });

  it("wait for 100 Continue where the client asks for it", async () => {
    const outgoing = request({ host: "127.0.0.1", port, method: "POST", path: "/hash", agent: false });
    outgoing.setHeader("expect", "100-continue");
    outgoing.setHeader("content-length", 5);
    outgoing.flushHeaders();
    await once(outgoing, "continue");
    outgoing.end("hello");
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    expect(JSON.parse((await readAnswer(response)).text)).toMatchObject({ length: 5 });
  });

  it("are not asked for when the server's answer needs none", async () => {
    backend.server.on("checkContinue", (_incoming, response: ServerResponse) => {
      response.writeHead(417).end("no, thank you");
    });
    const outgoing = request({ host: "127.0.0.1", port, method: "POST", path: "/hash", agent: false });
    outgoing.on("error", () => {});
    let continued = false;
    outgoing.on("continue", () => (continued = true));
    outgoing.setHeader("expect", "100-continue");
    outgoing.setHeader("content-length", 5);
    outgoing.flushHeaders();
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    backend.server.removeAllListeners("checkContinue");
    expect(response.statusCode).toBe(417);
    expect(continued).toBe(false);
    outgoing.destroy();
  });

  it("may be announced by 103 Early Hints, which the client gets", async () => {
    const outgoing = request({ host: "127.0.0.1", port, path: "/hints", agent: false });
    const hints: { readonly status: number; readonly link: unknown }[] = [];
    outgoing.on("information", ({ statusCode, headers }) => {
      hints.push({ status: statusCode, link: headers["link"] });
    });
    outgoing.end();
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    expect((await readAnswer(response)).text).toBe("page");
    expect(hints).toEqual([{ status: 103, link: "</style.css>; rel=preload; as=style" }]);
  });

  it("keep their trailers, both ways", async () => {
    expect((await ask({ port, path: "/trailers", headers: { te: "trailers" } })).trailers).toEqual({
      "x-check": "done",
    });

    const outgoing = request({ host: "127.0.0.1", port, method: "POST", path: "/hash", agent: false });
    outgoing.setHeader("trailer", "x-sum");
    outgoing.write("abc");
    outgoing.addTrailers({ "x-sum": "42" });
    outgoing.end();
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    expect(JSON.parse((await readAnswer(response)).text)).toMatchObject({
      length: 3,
      trailers: { "x-sum": "42" },
    });
  });

  it("end the client's connection only if the client asked for that, not if the server did", async () => {
    const client = await RawConnection.open(openScene(onTestFinished), port);
    for (let n = 0; n < 2; n++) {
      client.send("GET /close HTTP/1.1", "Host: a", "", "");
      const answer = await client.answer();
      expect(String(answer.body)).toBe("bye");
      expect(answer.fields["connection"]).not.toBe("close");
    }
    client.send("GET /make?size=4 HTTP/1.1", "Host: a", "Connection: close", "", "");
    expect((await client.answer()).fields["connection"]).toBe("close");
    expect((await client.closed()).length).toBe(0);
  });

  it("wait for a slow reader without piling up in the gateway", async () => {
    const scene = openScene(onTestFinished);
    const size = 200 * MIB;
    const before = halftone.residentBytes();
    written.bytes = 0;
    const socket = connect({ host: "127.0.0.1", port });
    scene.defer(() => socket.destroy());
    socket.write(`GET /make?size=${size} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    socket.pause();

    // The server's writes come to a stop: everything between it and the reader is full.
    let last = -1;
    await until("the server to be held back", async () => {
      if (written.bytes > 0 && written.bytes === last) return true;
      last = written.bytes;
      await pause(300);
      return false;
    });
    expect(written.bytes).toBeLessThan(64 * MIB);
    expect(halftone.residentBytes() - before).toBeLessThan(48 * MIB);

    let received = 0;
    socket.on("data", (chunk: Buffer) => (received += chunk.length));
    socket.resume();
    await once(socket, "close");
    expect(received).toBeGreaterThan(size);
    expect(received).toBeLessThan(size + 2000);
    expect(halftone.residentBytes() - before).toBeLessThan(64 * MIB);
  });

  describe("that nobody needs any more", () => {
    it("do not hide the answer", async () => {
      for (let n = 0; n < 10; n++) expect(await upload("/enough")).toBe("413 too much");
      expect((await ask({ port, path: "/make?size=10" })).status).toBe(200);
    });

    it("and that the server refuses to read are answered all the same", async () => {
      // The reset may overtake the server's answer on its way to the gateway, so both are right; silence is not.
      for (let n = 0; n < 10; n++) expect(await upload("/enough-and-cut")).toMatch(/^413 too much$|^502 /);
      expect((await ask({ port, path: "/make?size=10" })).status).toBe(200);
    });
  });
});
