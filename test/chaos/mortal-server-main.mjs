// A server to be killed at any moment: node mortal-server-main.mjs ADDRESS PORT GROUP VERSION LOG. Prints "ready" when
// it listens.
//
// Every request it takes in is a line of LOG before anything else happens, and its body another; both are in the
// kernel's hands when the write returns, so that SIGKILL does not unsay them. Only a line that is being written when it
// comes can be torn (at a page boundary of the file): hence a LOG for each life, in which that line is the last one.
//   took VERSION ID METHOD
//   read VERSION ID SHA1
// ?wait=MS delays the answer, ?size=BYTES makes its body that long, ?rest=MS delays the second half of it, ?chunked=1
// sends it without a length.
// SIGTERM closes in order: nobody new is let in, whoever is in gets an answer and is told that it is the last one.
import { createHash } from "node:crypto";
import { openSync, writeSync } from "node:fs";
import { createServer } from "node:http";

const [address, port, group, version, logFile] = process.argv.slice(2);
const log = openSync(logFile, "a");
let stopping = false;

const server = createServer((request, response) => {
  const id = request.headers["x-id"];
  writeSync(log, `took ${version} ${String(id)} ${request.method}\n`);
  const hash = createHash("sha1");
  request.on("data", (bytes) => hash.update(bytes));
  request.on("end", () => {
    writeSync(log, `read ${version} ${String(id)} ${hash.digest("hex")}\n`);
    const asked = new URL(request.url, "http://server").searchParams;
    const wait = Number(asked.get("wait") ?? 0);
    const answer = () => respond(response, id, asked);
    if (wait === 0) answer();
    else setTimeout(answer, wait);
  });
});

function respond(response, id, asked) {
  const size = Number(asked.get("size") ?? 0);
  const rest = Number(asked.get("rest") ?? 0);
  const body = Buffer.alloc(Math.max(size, id.length + 1), `${id} ${address} `, "latin1");
  response.writeHead(200, {
    "x-id": id,
    "x-sha1": createHash("sha1").update(body).digest("hex"),
    "served-by": address,
    "served-group": group,
    "served-version": version,
    ...(asked.has("chunked") ? {} : { "content-length": body.length }),
    ...(stopping ? { connection: "close" } : {}),
  });
  if (rest === 0) response.end(body);
  else {
    response.write(body.subarray(0, body.length >> 1));
    setTimeout(() => response.end(body.subarray(body.length >> 1)), rest);
  }
}

server.listen(Number(port), address, 1024, () => process.stdout.write("ready\n"));
process.on("SIGTERM", () => {
  stopping = true;
  server.close(() => process.exit(0));
  // Connections whose answer had begun before are idle, not closed, after it.
  setInterval(() => server.closeIdleConnections(), 10);
});
// Nothing outlives the test that started it.
process.on("disconnect", () => process.exit(0));
