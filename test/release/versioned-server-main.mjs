// @ts-check
// A server of an app under release: node versioned-server-main.mjs ADDRESS PORT VERSION. It ends at once when it is
// told to, in the middle of whatever it does, as a careless deploy script would end it. A version may have faults:
// "v2+errors3" answers 3 % of the requests by 500, "v2+broken127.0.7.2" half of them at that address alone, "v2+late80"
// takes 80 ms longer.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const [, , address = "", port = "", version = ""] = process.argv;
const LARGE = Buffer.alloc(1024 * 1024, version);
const SLOW = 2000;
const errors = Number(/\+errors(\d+)/.exec(version)?.[1] ?? 0);
const failing = /\+broken([\d.]+)/.exec(version)?.[1] === address ? 50 : errors;
let due = 0;
const late = Number(/\+late(\d+)/.exec(version)?.[1] ?? 0);

const server = createServer((request, response) => {
  response.setHeader("x-version", version);
  response.setHeader("x-server", address);
  const path = request.url ?? "/";
  if (path === "/healthz") {
    response.end(version);
    return;
  }
  // Evenly, so that no server of a version gets all of its errors by chance.
  due += failing / 100;
  if (due >= 1) {
    due -= 1;
    response.statusCode = 500;
  }
  if (late > 0) {
    setTimeout(() => response.end(version), late);
    return;
  }
  if (path.startsWith("/slow")) setTimeout(() => response.end(version), SLOW);
  else if (path.startsWith("/large")) response.end(LARGE);
  else response.end(version);
});
new WebSocketServer({ server }).on("connection", (socket) => {
  socket.on("message", (message) => {
    if (Buffer.isBuffer(message)) socket.send(`${version} ${message.toString()}`);
  });
});
server.keepAliveTimeout = 60_000;
process.on("SIGTERM", () => process.exit(0));
server.listen(Number(port), address, () => process.send?.("listening"));
