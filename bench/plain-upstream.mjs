// @ts-check
// A server that costs little where it stands: node plain-upstream.mjs ADDRESS PORT DELAY CHUNKS. It answers every request
// head DELAY ms after it came, on kept connections: with 100 bytes, or with so many chunks of eight bytes.
import { createServer } from "node:net";

const [address, port, delay, chunks] = process.argv.slice(2);
const BODY = "halftone ".repeat(12).slice(0, 100);
const FRAMED =
  Number(chunks) > 0
    ? `Transfer-Encoding: chunked\r\n\r\n${"8\r\nhalftone\r\n".repeat(Number(chunks))}0\r\n\r\n`
    : `Content-Length: ${BODY.length}\r\n\r\n${BODY}`;
const ANSWER = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n${FRAMED}`);

createServer({ noDelay: true }, (socket) => {
  socket.setEncoding("latin1");
  let head = "";
  socket.on("data", (text) => {
    head += String(text);
    if (!head.endsWith("\r\n\r\n")) return;
    head = "";
    if (delay === "0") socket.write(ANSWER);
    // One timer list for all: the same delay everywhere.
    else setTimeout(() => socket.write(ANSWER), Number(delay));
  });
  socket.on("error", () => {});
}).listen(Number(port), address, 4096);
