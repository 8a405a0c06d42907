// @ts-check
import { get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { BODY } from "./upstream.mjs";

const START_MS = 20_000;
/** Enough for any fair balancer to show every server. */
const ECHOES = 8;

/**
 * Waits until the proxy answers, then checks that it does the whole work: a proxy that leaves fields out or uses one
 * server only would look cheap.
 * @param {import("./children.mjs").Child} proxy
 * @param {number} port
 * @param {readonly string[]} servers
 */
export async function checkProxy(proxy, port, servers) {
  await firstAnswer(proxy, port);
  const seen = new Set();
  for (let i = 0; i < ECHOES; i++) {
    const echo = /** @type {Record<string, string>} */ (JSON.parse((await request(port, "/echo")).body));
    seen.add(echo.server);
    const host = `127.0.0.1:${port}`;
    const wrong = [
      ["Host", echo.host, host],
      ["X-Forwarded-For", echo.for, "127.0.0.1"],
      ["X-Forwarded-Proto", echo.proto, "http"],
      ["X-Forwarded-Host", echo.forwardedHost, host],
    ].filter(([, found, expected]) => found !== expected);
    if (echo.id === "") wrong.push(["X-Request-Id", "", "some id"]);
    for (const [field, found, expected] of wrong) {
      throw new Error(`${proxy.name} sent ${field} "${found}" to the server, expected "${expected}"`);
    }
  }
  const unused = servers.filter((server) => !seen.has(server));
  if (unused.length > 0) throw new Error(`${proxy.name} sent nothing to ${unused.join(" and ")}`);
}

/**
 * @param {import("./children.mjs").Child} proxy
 * @param {number} port
 */
async function firstAnswer(proxy, port) {
  const deadline = Date.now() + START_MS;
  let last = "no answer yet";
  while (Date.now() < deadline) {
    if (!proxy.running()) throw new Error(`${proxy.name} ended at its start:\n${proxy.output()}`);
    try {
      const { status, body } = await request(port, "/");
      if (status === 200 && body === BODY) return;
      last = `status ${status}: ${body.slice(0, 200)}`;
    } catch (error) {
      last = String(error);
    }
    await pause(50);
  }
  throw new Error(`${proxy.name} does not answer as its server does (${last}):\n${proxy.output()}`);
}

/**
 * @param {number} port
 * @param {string} path
 * @returns {Promise<{ status: number | undefined, body: string }>}
 */
function request(port, path) {
  return new Promise((resolve, reject) => {
    const asked = get({ host: "127.0.0.1", port, path, agent: false, timeout: 2000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode, body }));
      response.on("error", reject);
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer within 2 s")));
    asked.on("error", reject);
  });
}
