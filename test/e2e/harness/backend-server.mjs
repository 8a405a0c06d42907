// A small server to be killed: node backend-server.mjs ADDRESS PORT. Prints "ready" when it listens. It answers with its
// address after reading the request; ?wait=MS delays the answer. SIGTERM closes it in order, as a well-behaved service.
import { createServer } from "node:http";

const [address, port] = process.argv.slice(2);

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const wait = Number(new URL(request.url, "http://backend").searchParams.get("wait") ?? 0);
  request.resume().on("end", () => {
    setTimeout(() => response.writeHead(200, { "served-by": address }).end(address), wait);
  });
});
server.listen(Number(port), address, () => process.stdout.write("ready\n"));
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
// Nothing outlives the test that started it.
process.on("disconnect", () => process.exit(0));
