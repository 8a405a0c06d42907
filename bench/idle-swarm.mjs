// @ts-check
// Idle clients in a process of their own: node idle-swarm.mjs '{"port":…,"count":…}'. Each asks once, on a connection that it
// keeps. "complete" says that all were answered; after SIGTERM "lost N" tells how many were closed meanwhile.
import { once } from "node:events";
import { connect } from "node:net";

const { port, count } = /** @type {{ port: number, count: number }} */ (JSON.parse(process.argv[2] ?? "{}"));
/** Ports of one address would run out. */
const SOURCES = 8;
const AT_A_TIME = 64;
/** Reads go here: only that something came is looked at. */
const BUFFER = Buffer.allocUnsafe(64 * 1024);
let lost = 0;
let next = 0;
let ending = false;

/** @param {number} n */
function come(n) {
  /** @type {Promise<void>} */
  const answered = new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      localAddress: `127.0.6.${1 + (n % SOURCES)}`,
      onread: {
        buffer: BUFFER,
        callback: (length) => {
          const start = BUFFER.toString("latin1", 0, Math.min(length, 12));
          if (start === "HTTP/1.1 200") resolve();
          return true;
        },
      },
    });
    socket.on("error", reject);
    socket.on("close", () => {
      if (!ending) lost++;
      reject(new Error("closed before the answer"));
    });
    socket.write("GET / HTTP/1.1\r\nHost: bench.test\r\n\r\n");
  });
  return answered;
}

await Promise.all(
  Array.from({ length: AT_A_TIME }, async () => {
    while (next < count) await come(next++);
  }),
);
process.stdout.write("complete\n");
await once(process, "SIGTERM");
ending = true;
process.stdout.write(`lost ${lost}\n`, () => process.exit(0));
