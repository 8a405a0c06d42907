import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  app,
  eventually,
  get,
  ok,
  serve,
  startGateway,
  take,
  upstream,
  type Peer,
  type Script,
} from "./harness.ts";

const MIB = 1024 * 1024;
const SIZE = 64 * MIB;
/** What the kernel may hold on two hops of loopback, and more. */
const KERNEL = 32 * MIB;
/** What the gateway may hold, with what this test itself holds. */
const MEMORY = 4 * MIB;

/** Bytes that differ from place to place, so that a loss or a repetition changes the hash. */
function piece(index: number): Buffer {
  const bytes = Buffer.alloc(256 * 1024, index & 255);
  for (let i = 0; i < bytes.length; i += 1024) bytes.writeUInt32LE(index * 1024 + i / 1024, i);
  return bytes;
}

const wanted = (size: number): string => {
  const hash = createHash("sha256");
  for (let sent = 0, i = 0; sent < size; i++, sent += 256 * 1024) hash.update(piece(i));
  return hash.digest("hex");
};

/** Sends as fast as the other side takes it, holding one piece at most. */
async function pour(socket: Socket, size: number): Promise<void> {
  for (let sent = 0, i = 0; sent < size; i++, sent += 256 * 1024) {
    if (!socket.write(piece(i))) await once(socket, "drain");
  }
}

/** What the kernel took of it. */
const taken = (socket: Socket): number => socket.bytesWritten - socket.writableLength;

/** Waits until a number does not change any more over many turns of the loop that everybody here runs on. */
async function quiet(value: () => number): Promise<number> {
  let last = -1;
  let turns = 0;
  await eventually(() => {
    const now = value();
    turns = now === last ? turns + 1 : 0;
    last = now;
    return turns > 40;
  }, "quiet");
  return last;
}

/** Stops reading as a slow client does: nothing is taken, not even by this process. */
function silence(peer: Peer): void {
  peer.socket.removeAllListeners("data");
  peer.socket.pause();
}

/** Reads on and hashes what comes after the first empty line. */
async function hashBody(socket: Socket, size: number): Promise<string> {
  const hash = createHash("sha256");
  let head = "";
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on("data", (chunk: Buffer) => {
      let bytes = chunk;
      if (!head.includes("\r\n\r\n")) {
        const before = head.length;
        head += chunk.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        bytes = chunk.subarray(end + 4 - before);
      }
      seen += bytes.length;
      hash.update(bytes);
      if (seen >= size) resolve();
    });
    socket.on("close", () => {
      if (seen < size) reject(new Error(`ended after ${seen} of ${size}`));
    });
    socket.on("end", () => {
      if (seen < size) reject(new Error(`FIN after ${seen} of ${size}`));
    });
    socket.resume();
  });
  expect(seen).toBe(size);
  return hash.digest("hex");
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Memory outside the heap, where bytes on their way are, without what is garbage. */
function bytesHeld(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe("64 MiB through a peer that does not read", () => {
  it("an answer: the server is read no further, and all of it arrives in the end", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
      peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
      await pour(peer.socket, SIZE);
    });
    const { client } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    silence(peer);
    const before = bytesHeld();
    peer.send(get());
    await eventually(() => server.peers.length === 1, "the request");
    const sender = server.peers[0]!.socket;
    expect(await quiet(() => taken(sender))).toBeLessThan(KERNEL);
    expect(sender.writableNeedDrain).toBe(true);
    // Freed buffers are counted until their finalizers have run.
    await eventually(() => bytesHeld() - before < MEMORY, "bounded memory");
    expect(await hashBody(peer.socket, SIZE)).toBe(wanted(SIZE));
  });

  it("a request: the client is read no further, and all of it arrives in the end", async () => {
    let reading!: () => void;
    const read = new Promise<void>((resolve) => {
      reading = resolve;
    });
    const server = await upstream(async (peer) => {
      silence(peer);
      await read;
      peer.send(ok(await hashBody(peer.socket, SIZE)));
    });
    const { client } = await startGateway({ apps: [app([server.address])] });
    const peer = await client();
    const before = bytesHeld();
    peer.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SIZE}\r\n\r\n`);
    const sending = pour(peer.socket, SIZE);
    await eventually(() => server.peers.length === 1, "the request");
    expect(await quiet(() => taken(peer.socket))).toBeLessThan(KERNEL);
    expect(peer.socket.writableNeedDrain).toBe(true);
    // Freed buffers are counted until their finalizers have run.
    await eventually(() => bytesHeld() - before < MEMORY, "bounded memory");
    reading();
    expect((await peer.message()).body).toBe(wanted(SIZE));
    await sending;
  });
});

describe("a slow client gets the end of what was for it, when the server is long gone", () => {
  /** Pours until told to stop, then ends. */
  function spring(head: string): { script: Script; stop: () => void; poured: () => number } {
    let stopped = false;
    let count = 0;
    const script: Script = async (peer) => {
      await take(peer);
      peer.send(head);
      while (!stopped) {
        if (!peer.socket.write(piece(count++))) await once(peer.socket, "drain");
      }
      peer.end();
    };
    return {
      script,
      stop: () => {
        stopped = true;
      },
      poured: () => count * 256 * 1024,
    };
  }

  /**
   * Stops the server when it can send no more, then reads in small steps until the gateway has all and lets the server's
   * connection go: the end of it is then in the gateway's own memory. What was read is put back.
   */
  async function sipUntilGone(client: Peer, server: Peer, stop: () => void): Promise<void> {
    await quiet(() => taken(server.socket));
    stop();
    const early: Buffer[] = [];
    await eventually(() => {
      const bytes = client.socket.read() as Buffer | null;
      if (bytes !== null) early.push(bytes);
      return server.ended || server.closed;
    }, "the gateway to have read all");
    for (const bytes of early.toReversed()) client.socket.unshift(bytes);
  }

  it("an answer that ends with its connection, though the client takes longer than the linger time", async () => {
    const { script, stop, poured } = spring("HTTP/1.1 200 OK\r\n\r\n");
    const server = await upstream(script);
    const { client } = await startGateway({ unix: true, apps: [app([server.address])] });
    const peer = await client();
    silence(peer);
    peer.send("GET / HTTP/1.0\r\n\r\n");
    await eventually(() => server.peers.length === 1, "the request");
    await sipUntilGone(peer, server.peers[0]!, stop);
    const over = performance.now() + 2300;
    await eventually(() => performance.now() > over, "the linger time to pass");
    expect(await hashBody(peer.socket, poured())).toBe(wanted(poured()));
  });

  it("a tunnel", async () => {
    const { script, stop, poured } = spring(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    const server = await upstream(script);
    const { client, gateway } = await startGateway({ unix: true, apps: [app([server.address])] });
    const peer = await client();
    silence(peer);
    peer.send(get("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    await eventually(() => server.peers.length === 1, "the request");
    await sipUntilGone(peer, server.peers[0]!, stop);
    await eventually(() => gateway.counters.inFlight === 0, "the end of the tunnel");
    expect(await hashBody(peer.socket, poured())).toBe(wanted(poured()));
  });
});

describe("a client", () => {
  it("who stops reading for the idle time is cut off, and so is the server", async () => {
    const server = await upstream(async (peer) => {
      await take(peer);
      peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
      await pour(peer.socket, SIZE);
    });
    const { client, gateway } = await startGateway({
      timeouts: { idle: 300 },
      apps: [app([server.address])],
    });
    const peer = await client();
    silence(peer);
    peer.send(get());
    await eventually(() => gateway.counters.connections === 0 && server.peers.length === 1, "the cut");
    await server.peers[0]!.gone();
    expect(gateway.counters.inFlight).toBe(0);
    expect(gateway.servers()[0]!.failures).toBe(0);
  });
});

describe("a client that pipelines and does not read", () => {
  const COUNT = 3000;

  it("is answered no further than it reads, and gets every answer in the end", async () => {
    const body = "x".repeat(15 * 1024);
    // Two servers in turn: their connections do not hold each other back.
    const servers = [await upstream(serve(ok(body))), await upstream(serve(ok(body)))];
    const asked = (): number => servers.reduce((sum, { requests }) => sum + requests.length, 0);
    const { client } = await startGateway({ apps: [app(servers.map(({ address }) => address))] });
    const peer = await client();
    peer.socket.pause();
    peer.send(Array.from({ length: COUNT }, (_, i) => get(`/${i}`)).join(""));
    await eventually(() => asked() > 10, "the first requests");
    const answered = await quiet(asked);
    expect(answered * body.length).toBeLessThan(KERNEL);
    peer.socket.resume();
    await eventually(() => asked() === COUNT, "all requests");
    await peer.text(body);
    // One is as long as the other.
    const length = peer.received.indexOf(body) + body.length;
    await peer.until(({ received }) => received.length >= COUNT * length, "all answers");
    expect(peer.received.split("HTTP/1.1 200 OK").length - 1).toBe(COUNT);
  });

  it("so with answers of the gateway's own, and its FIN", async () => {
    const { client } = await startGateway();
    const peer = await client();
    peer.socket.pause();
    const count = 40_000;
    peer.send(get("/nowhere").repeat(count));
    peer.end();
    await quiet(() => taken(peer.socket));
    peer.socket.resume();
    await peer.gone();
    expect(peer.received.split("HTTP/1.1 404").length - 1).toBe(count);
  });
});
