import httpProxy from "http-proxy";
import { fail, keepingAgent, listen, nextOrigin, setForwarding } from "./shared.mjs";

const proxy = httpProxy.createProxyServer({ agent: keepingAgent() });
proxy.on("error", (error, _request, response) => fail(response, error));

listen((request, response) => {
  setForwarding(request.headers, request);
  proxy.web(request, response, { target: nextOrigin() });
});
