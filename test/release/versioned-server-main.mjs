// @ts-check
// A server of an app under release: node versioned-server-main.mjs ADDRESS PORT VERSION. It ends at once when it is
// told to, in the middle of whatever it does, as a careless deploy script would end it.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const [, , address = "", port = "", version = ""] = process.argv;
const LARGE = Buffer.alloc(1024 * 1024, version);
const SLOW = 2000;

const server = createServer((request, response) => {
  response.setHeader("x-version", version);
  response.setHeader("x-server", address);
  const path = request.url ?? "/";
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
