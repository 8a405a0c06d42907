// @ts-check
// Nothing but Node.js: a server, and a request to the other side, piped into each other.
import { request as ask } from "node:http";
import { pipeline } from "node:stream";
import { endToEnd, fail, keepingAgent, listen, nextOrigin, setForwarding } from "./shared.mjs";

const agent = keepingAgent();

listen((request, response) => {
  const headers = setForwarding(endToEnd(request.headers), request);
  const asked = ask(nextOrigin() + request.url, { agent, method: request.method, headers });
  asked.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
    pipeline(answer, response, () => {});
  });
  asked.on("error", (error) => fail(response, error));
  request.pipe(asked);
});
