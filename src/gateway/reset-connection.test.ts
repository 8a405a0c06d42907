import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { resetConnection } from "./reset-connection.ts";

/** Both ends of a connection to `server`. */
async function ends(server: Server, listen: (ready: () => void) => void): Promise<readonly [Socket, Socket]> {
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => listen(resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const client =
    typeof address === "string" ? connect(address) : connect(address?.port ?? 0, address?.address ?? "");
  onTestFinished(() => void client.destroy());
  return [await accepted, client];
}

/** How the connection ended for this end of it. */
function end(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    socket.on("end", () => resolve("end"));
    socket.resume();
  });
}

describe("resetConnection", () => {
  it("resets a TCP connection", async () => {
    const server = createServer();
    const [near, far] = await ends(server, (ready) => server.listen(0, "127.0.0.1", ready));
    resetConnection(near);
    expect(await end(far)).toBe("ECONNRESET");
  });

  it("ends a connection on a unix socket, where Node throws at a reset", async () => {
    const server = createServer();
    const path = join(tmpdir(), `halftone-reset-${process.pid}.sock`);
    const [near, far] = await ends(server, (ready) => server.listen(path, ready));
    resetConnection(near);
    expect(await end(far)).toBe("end");
  });
});
