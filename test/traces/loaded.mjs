// @ts-check
// How many modules of OpenTelemetry are loaded in a process that carries traffic, after a request without traces, and after
// one with: a line of JSON. Run by loaded.test.ts. (In the supervisor prom-client loads what it has of it.)
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { parseHalftoneConfig } from "../../dist/config/halftone-config.js";
import { InProcessPlane } from "../../dist/process/in-process-plane.js";
import { NO_TLS } from "../../dist/gateway/tls-material.js";

const { cache } = createRequire(import.meta.url);
const loaded = () => Object.keys(cache).filter((name) => name.includes("@opentelemetry")).length;

/** @param {object} more */
function settings(more) {
  const parsed = parseHalftoneConfig(JSON.stringify({ gateway: { listen: "127.0.0.1:0" }, ...more }), "/");
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value.gateway;
}

/** Takes requests, and whatever else comes. */
const server = createServer((incoming, response) => {
  incoming.resume();
  response.end("ok");
});
await new Promise((resolve) => void server.listen(0, "127.0.0.1", () => resolve(undefined)));
const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());

const ignore = () => {};
const plane = new InProcessPlane(settings({}), NO_TLS, { info: ignore, warn: ignore, error: ignore });
const document = { name: "shop", groups: { g1: { servers: [`127.0.0.1:${port}`] } } };
const [bound] = await plane.start([{ name: "shop", revision: 1, document }]);
const ask = async () => {
  const { status } = await fetch(`http://127.0.0.1:${bound?.kind === "tcp" ? bound.port : 0}/`);
  if (status !== 200) throw new Error(`status ${status}`);
};
await ask();
const without = loaded();
await plane.reconfigure(settings({ traces: { endpoint: `http://127.0.0.1:${port}/v1/traces` } }), 0, NO_TLS);
await ask();
process.stdout.write(`${JSON.stringify({ without, with: loaded() })}\n`);
process.exit();
