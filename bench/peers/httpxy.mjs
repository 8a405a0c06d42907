import { createProxyServer } from "httpxy";
import { fail, keepingAgent, listen, nextOrigin, setForwarding } from "./shared.mjs";

const proxy = createProxyServer({ agent: keepingAgent() });

listen((request, response) => {
  setForwarding(request.headers, request);
  proxy.web(request, response, { target: nextOrigin() }).catch((error) => fail(response, error));
});
