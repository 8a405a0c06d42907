import { execFileSync, fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";

// A guard of the cost of a request that no slow machine can trip: bytes of heap are the same everywhere. The limits are
// what was seen with Node.js 20, and about a quarter more.

const HEAP = ["--expose-gc", "--min-semi-space-size=64", "--max-semi-space-size=64"];
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

describe("bytes that are allocated", () => {
  const pieces = JSON.parse(
    execFileSync(process.execPath, [...HEAP, script("pieces.mjs")], { encoding: "utf8" }),
  ) as Readonly<Record<string, number>>;

  it.each([
    ["request head", 16],
    ["response head", 16],
    ["selection, nothing under test", 0],
    ["selection by share", 200],
    ["round robin, 4 servers", 8],
    ["round robin, 1000 servers", 8],
    ["least connections, 1000 servers", 8],
    ["hash, 1000 servers", 8],
  ])("for a %s: at most %i", (name, most) => {
    expect(pieces[name]).toBeLessThanOrEqual(most);
  });

  it("for a request through the gateway: at most 4000, the least of five times 12,000", async () => {
    const server = await listening();
    const child = fork(script("gateway.mjs"), [`127.0.0.1:${server}`], { execArgv: HEAP });
    onTestFinished(() => void child.kill());
    const address = String(await answer(child));
    await requests(address, 40_000);
    const used: number[] = [];
    for (let round = 0; round < 5; round++) {
      const before = Number(await ask(child, "collect"));
      await requests(address, 12_000);
      used.push((Number(await ask(child, "read")) - before) / 12_000);
    }
    console.log(`bytes a request: ${used.map((bytes) => bytes.toFixed(0)).join(", ")}`);
    expect(Math.min(...used)).toBeGreaterThan(500);
    expect(Math.min(...used)).toBeLessThan(4000);
  });
});

async function ask(child: ChildProcess, wish: "collect" | "read"): Promise<unknown> {
  child.send(wish);
  return answer(child);
}

async function answer(child: ChildProcess): Promise<unknown> {
  const [message] = (await once(child, "message")) as [unknown];
  return message;
}

/** A server that answers every piece it reads, which is one head; its port. */
async function listening(): Promise<number> {
  const response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
  const server: Server = createServer({ noDelay: true }, (socket) => {
    socket.on("data", () => socket.write(response, "latin1")).on("error", () => {});
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** So many requests over eight kept connections, each sent when the one before was answered. */
async function requests(address: string, count: number): Promise<void> {
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  const request = "GET /products HTTP/1.1\r\nHost: shop.test\r\nAccept: */*\r\nUser-Agent: test\r\n\r\n";
  let left = count;
  const one = async (): Promise<void> => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        if (left-- > 0) socket.write(request, "latin1");
        else resolve();
      };
      let text = "";
      socket.on("data", (bytes) => {
        text += bytes.toString("latin1");
        if (!text.endsWith("\r\n\r\nhello")) return;
        if (!text.startsWith("HTTP/1.1 200 ")) reject(new Error(text));
        text = "";
        next();
      });
      socket.on("error", reject).on("close", () => reject(new Error("closed")));
      next();
    });
    socket.destroy();
  };
  await Promise.all(Array.from({ length: 8 }, one));
}
