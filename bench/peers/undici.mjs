// undici's pools behind a server of Node.js, the answer streamed without a body object in between.
import { Agent } from "undici";
import { endToEnd, fail, listen, nextOrigin, setForwarding } from "./shared.mjs";

const agent = new Agent({ connections: null, pipelining: 1 });

listen((request, response) => {
  const headers = setForwarding(endToEnd(request.headers), request);
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  agent
    .stream(
      {
        origin: nextOrigin(),
        path: request.url,
        method: request.method,
        headers,
        body: hasBody ? request : null,
      },
      (answer) => response.writeHead(answer.statusCode, endToEnd(answer.headers)),
    )
    .catch((error) => fail(response, error));
});
