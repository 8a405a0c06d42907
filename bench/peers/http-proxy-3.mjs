import { createProxyServer } from "http-proxy-3";
import { fail, keepingAgent, listen, nextOrigin, setForwarding } from "./shared.mjs";

const proxy = createProxyServer({ agent: keepingAgent() });
proxy.on("error", (error, _request, response) => fail(response, error));

listen((request, response) => {
  setForwarding(request.headers, request);
  proxy.web(request, response, { target: nextOrigin() });
});
