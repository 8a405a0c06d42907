import fastProxy from "fast-proxy";
import { listen, nextOrigin, setForwarding } from "./shared.mjs";

const forwarder = fastProxy({});
/** It sends the server's own name as Host unless told otherwise. */
const rewriteRequestHeaders = (request, headers) => {
  headers.host = request.headers.host;
  return setForwarding(headers, request);
};

listen((request, response) => {
  forwarder.proxy(request, response, request.url, { base: nextOrigin(), rewriteRequestHeaders });
});
