// @ts-check
// A server that takes its time: node slow-upstream.mjs ADDRESS PORT DELAY. Answers every request head DELAY ms after it
// came, on kept connections, at as little cost as Node allows: it shares a core with the load.
import { createServer } from "node:net";

const [address, port, delay] = process.argv.slice(2);
const BODY = "halftone ".repeat(12).slice(0, 100);
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

createServer({ noDelay: true }, (socket) => {
  socket.setEncoding("latin1");
  let head = "";
  socket.on("data", (text) => {
    head += String(text);
    if (!head.endsWith("\r\n\r\n")) return;
    head = "";
    // One timer list for all: the same delay everywhere.
    setTimeout(() => socket.write(ANSWER, "latin1"), Number(delay));
  });
  socket.on("error", () => {});
}).listen(Number(port), address, 4096);
